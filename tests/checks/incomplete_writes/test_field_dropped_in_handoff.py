from datetime import date
from decimal import Decimal

import pytest

from tests.checks.incomplete_writes.states import without_discount
from tests.checks.kit import Ledger, clean, findings, only

CHECK = "field_dropped_in_handoff"


def test_the_invoice_with_the_discount_and_without() -> None:
    finding = only(CHECK, without_discount())
    assert (finding.expected, finding.actual, finding.amount) == (Decimal(20_000), Decimal(25_000), Decimal(5_000))
    assert (finding.subject, finding.mode, finding.kind) == ("CL1/discount", "block", "exposure")


def test_each_field_is_a_finding() -> None:
    """Two free months, a tax code and the end of the term besides."""
    ledger = without_discount().change("contract_lines", "CL1", free_until=date(2026, 3, 1), tax_code="US-SAAS")
    ledger.change("subscription_lines", "SL7", free_until=date(2026, 2, 1))
    ledger.change("subscriptions", "S1", end_date=None).change("subscription_lines", "SL1", end_date=None)
    found = {finding.subject: (finding.amount, str(finding.mode)) for finding in findings(CHECK, ledger)}
    assert found == {
        "CL1/discount": (Decimal(5_000), "block"),
        "CL1/free period": (Decimal(40_000), "block"),
        "CL1/tax code": (Decimal(20_000), "warn"),
        "CL1/end of the term": (Decimal(20_000), "warn"),
    }


def looks_alike() -> dict[str, Ledger]:
    nowhere = clean().change("contract_lines", "CL1", discount_rate=Decimal("0.2"), tax_code="US-SAAS")
    return {
        "the discount is in the price": without_discount(unit_price=Decimal(40)),
        "the same discount": without_discount(discount_rate=Decimal("0.2")),
        "fields that this billing does not keep": nowhere.change("subscription_lines", "SL1", unit_price=Decimal(50)),
        "a default that means the same": clean().change("subscription_lines", "SL1", billing_timing=None),
        "a discount of nothing": without_discount().change("contract_lines", "CL1", discount_rate=Decimal(0)),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
