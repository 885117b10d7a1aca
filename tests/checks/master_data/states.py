"""Books that hold one state of a customer's data that each check must find."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean


def drafted(ledger: Ledger | None = None) -> Ledger:
    """December's invoice over 20,000 is a draft."""
    return (ledger or clean()).change("invoices", "INV12", status="draft")


def known(erp: Mapping[str, Any], **columns: Any) -> Ledger:
    """The customer with `columns` in the CRM and in billing, with `erp` beside them in the ERP."""
    ledger = drafted().change_account(**columns)
    return ledger.add("accounts", "erp", "E1", **{"status": "active", "currency": "USD", **columns, **erp})


def owned(erp_parent: str | None = None, **columns: Any) -> Ledger:
    """The customer belongs to P1 in the CRM; the ERP has `erp_parent` above it."""
    ledger = drafted()
    for key in ("P1", "P2"):
        for role in ("crm", "billing", "erp"):
            ledger.add("accounts", role, f"{role}-{key}", account_key=key, account_id=key, name=key)
    (crm, billing) = (row for row in ledger.rows["accounts"] if row["key"] == "A1")
    crm.update({"parent_key": "crm-P1"})
    billing.update(columns)
    return ledger.add("accounts", "erp", "E1", status="active", parent_key=erp_parent)


def without(**columns: Any) -> Ledger:
    """A draft for a customer whose bill-to contact has `columns`."""
    return drafted().change("contacts", "C-A1", **columns)


def ordered(number: str | None = None, *, required: bool = True) -> Ledger:
    """A draft of a contract that may ask for a purchase order."""
    return drafted().change("contracts", "K1", po_required=required).change("invoices", "INV12", po_number=number)


TOTAL = Decimal(20_000)

BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "master_data_drift": lambda: known({"legal_entity": "UK Ltd"}, legal_entity="US Inc"),
    "customer_hierarchy_drift": owned,
    "bill_to_incomplete": lambda: drafted().remove("contacts", "C-A1"),
}
