"""Books with exactly one state of a field that has come to mean something else."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean

FRIDAY = datetime(2026, 11, 27, 15, tzinfo=UTC)


def remapped(ledger: Ledger | None = None, key: str = "M1", **columns: Any) -> Ledger:
    """The values of a picklist, narrowed on Friday the 27th; the December draft of the clean customer waits."""
    said: dict[str, Any] = {
        "object": "Contract",
        "field": "Billing_Frequency__c",
        "change": "values",
        "before": "Quarterly",
        "after": "Quarter",
        "seen_at": FRIDAY,
        "account_key": None,
        "account_id": None,
    }
    ledger = ledger or clean().change("invoices", "INV12", status="draft")
    return ledger.add("metadata_changes", "crm", key, **{**said, **columns})


def approved(ledger: Ledger, **columns: Any) -> Ledger:
    """An approval of a change of the same field, given a day before."""
    said: dict[str, Any] = {
        "object": "contract",
        "record_key": "billing_frequency__c",
        "kind": "mapping",
        "status": "approved",
        "decided_at": FRIDAY.replace(day=26),
    }
    return ledger.add("approvals", "audit", "P1", **{**said, **columns})


def valued(held: str, n: int = 5, currency: str = "USD", first: int = 0) -> Ledger:
    """Contracts of two years, worth 24,000 by the CRM; `held` is what billing states as a month's value of each."""
    ledger = Ledger()
    for place in range(first, first + n):
        own: dict[str, Any] = {"account_key": f"V{place}", "currency": currency}
        ledger.account(f"V{place}")
        ledger.contract(f"VK{place}", contract_value=Decimal(24_000), term_months=24, **own)
        ledger.subscription(f"VS{place}", f"VK{place}", contract_value=Decimal(held), **own)
    return ledger


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "contract_value_definition_mismatch": lambda: valued("12000"),
    "unreviewed_mapping_change": lambda: remapped(seen_at=FRIDAY.replace(day=26)),
}
