"""Books with exactly one thing that is wrong between billing and revenue."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean
from tests.checks.ledger import booked


def scheduled(**columns: Any) -> Ledger:
    """The line's schedule, changed."""
    return booked().change("revenue_schedules", "R1", **columns)


def clause(ledger: Ledger | None = None, key: str = "CC1", **columns: Any) -> Ledger:
    """A clause of the contract, which is worth 240,000.00 and carries no flag."""
    ledger = ledger or clean().change("contracts", "K1", contract_value=Decimal(240_000))
    said: dict[str, Any] = {"contract_key": "K1", "kind": "acceptance", "confidence": Decimal("0.95")}
    return ledger.add("contract_clauses", "crm", key, **{**said, **columns})


def without_posting(**columns: Any) -> Ledger:
    """A second invoice, of 600.00 in June, that the ledger does not have."""
    invoice = {"number": "ERP-2", "status": "posted", "currency": "USD", "invoice_date": date(2026, 6, 1), **columns}
    line = {"invoice_key": "E2", "recognition": "over_time", "amount": Decimal(600), "currency": "USD"}
    return booked().add("invoices", "erp", "E2", **invoice).add("invoice_lines", "erp", "EL2", **line)


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "revenue_schedule_mismatch": lambda: scheduled(amount=Decimal(11_000)),
    "nonstandard_terms_unflagged": clause,
    "deferred_rollforward_break": without_posting,
}
