"""Books with exactly one state of something delivered that no invoice asks for."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean
from tests.checks.metering import in_order

APPROVED = datetime(2026, 10, 2, 9, tzinfo=UTC)


def with_services(**columns: Any) -> Ledger:
    """The clean customer also buys services at 150.00 an hour."""
    ledger = clean().contract_line(
        "CL7", product_code="HOURS", charge_type="usage", quantity=None, unit_price=Decimal(150)
    )
    ledger.subscription_line(
        "SL7", line="CL7", product_code="HOURS", charge_type="usage", quantity=None, unit_price=Decimal(150)
    )
    return ledger.change("contracts", "K1", **{"billing_rule": "time_and_materials", **columns})


def worked(ledger: Ledger | None = None, key: str = "W1", **columns: Any) -> Ledger:
    """Eight approved hours of September."""
    said: dict[str, Any] = {
        "contract_key": "K1",
        "contract_line_key": "CL7",
        "kind": "time",
        "status": "approved",
        "quantity": Decimal(8),
        "currency": "USD",
        "worked_date": date(2026, 9, 28),
        "approved_at": APPROVED,
    }
    return (ledger or with_services()).add("work_items", "work", key, **{**said, **columns})


def granted(ledger: Ledger | None = None, key: str = "G1", **columns: Any) -> Ledger:
    """Thirty seats of a module in November that no contract holds; its list price is 12.00 a month."""
    said: dict[str, Any] = {
        "product_code": "MODULE",
        "active_quantity": Decimal(30),
        "period_start": date(2026, 11, 1),
        "period_end": date(2026, 12, 1),
        "is_trial": False,
    }
    ledger = ledger or clean()
    if "prices" not in ledger.rows:
        ledger.add(
            "prices", "crm", "P1", product_code="MODULE", unit_price=Decimal(144), price_months=12, currency="USD"
        )
    return ledger.add("entitlements", "seats", key, **{**said, **columns})


def committed(amount: int = 70_000, months: int | None = 3, **columns: Any) -> Ledger:
    """The clean customer has committed to more than its 20,000 a month, in windows of a quarter that end with a month.

    Its line began in September, so that one window has ended."""
    ledger = clean().change(
        "contract_lines", "CL1", commit_amount=Decimal(amount), commit_months=months, start_date=date(2026, 9, 1),
        **columns,
    )  # fmt: skip
    return ledger.change("contracts", "K1", start_date=date(2026, 9, 1))


def billed_too_little() -> Ledger:
    """November's 10,000 calls at 0.004 are invoiced as 9,000."""
    return in_order().change("invoice_lines", "U11-1", quantity=Decimal(9_000), amount=Decimal(36))


def gone_quiet() -> Ledger:
    """Calls in September and October, none in November."""
    return in_order(months=(9, 10))


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "usage_vs_invoice_mismatch": billed_too_little,
    "usage_missing_for_active_meter": gone_quiet,
    "entitlement_exceeds_contract": granted,
    "unbilled_work": worked,
    "commit_shortfall_unbilled": committed,
}
