from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.checks.incomplete_writes.states import without_discount
from tests.checks.kit import Ledger, clean, findings, only, seats

CHECK = "field_dropped_in_handoff"


def test_the_invoice_with_the_discount_and_without() -> None:
    finding = only(CHECK, without_discount())
    assert (finding.expected, finding.actual, finding.amount) == (Decimal(20_000), Decimal(25_000), Decimal(5_000))
    assert (finding.subject, finding.mode, finding.kind) == ("CL1/discount", "block", "exposure")


def test_each_field_is_a_finding() -> None:
    """Two free months, a tax code of 19 %, quarters in arrears and the end of the term besides."""
    ledger = without_discount().change(
        "contract_lines", "CL1", free_until=date(2026, 3, 1), tax_code="EU", billing_months=3, billing_timing="arrears"
    )
    ledger.change("subscriptions", "S1", end_date=None).change("subscription_lines", "SL1", end_date=None)
    other = seats(11, line_version_key=None, subscription_line_key="SL9", amount=Decimal(100), tax=Decimal(19))
    ledger.invoice("INVT", date(2026, 11, 1), {**other, "tax_code": "EU"})
    found = {finding.subject: (finding.amount, str(finding.mode)) for finding in findings(CHECK, ledger)}
    assert found == {
        "CL1/discount": (Decimal(15_000), "block"),
        "CL1/free period": (Decimal(40_000), "block"),
        "CL1/tax code": (Decimal(11_400), "warn"),
        "CL1/billing in arrears": (Decimal(60_000), "warn"),
        "CL1/billing frequency": (Decimal(40_000), "warn"),
        "CL1/end of the term": (Decimal(60_000), "warn"),
    }


def risen() -> Ledger:
    """The price has risen since the discount was agreed."""
    ledger = without_discount(unit_price=Decimal(42))
    return ledger.change("contract_lines", "CL1", uplift_rate=Decimal("0.05"), uplift_from=date(2026, 6, 1))


def coded(**columns: Any) -> Ledger:
    return clean().change("contract_lines", "CL1", tax_code="EU", **columns)


def looks_alike() -> dict[str, Ledger]:
    granted = without_discount().add("discounts", "billing", "D1", subscription_line_key="SL1", rate=Decimal("0.2"))
    late = clean().change("contract_lines", "CL1", free_until=date(2026, 3, 1))
    return {
        "the discount is in the price": without_discount(unit_price=Decimal(40)),
        "and the price has risen since": risen(),
        "the same discount": without_discount(discount_rate=Decimal("0.2")),
        "the discount stands beside the line": granted,
        "billed with its bundle": bundled(),
        "a default that means the same": clean().change("subscription_lines", "SL1", billing_timing=None),
        "a discount of nothing": without_discount().change("contract_lines", "CL1", discount_rate=Decimal(0)),
        "billing begins after the free days": late.change("subscription_lines", "SL1", start_date=date(2026, 3, 1)),
        "the code is on the invoices": coded().change("invoice_lines", "INV11-1", tax_code="EU"),
    }


def bundled() -> Ledger:
    """A part of 10.00 is billed with the seats, at 50.00 together."""
    ledger = without_discount()
    ledger.add("products", "crm", "P2", code="PART", rollup_code="SEAT")
    return ledger.contract_line("CL2", product_code="PART", unit_price=Decimal(10))


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
