from datetime import date
from decimal import Decimal

import pytest

from tests.checks.draft_integrity.states import jumped
from tests.checks.kit import Ledger, findings, only

CHECK = "invoice_variance_unexplained"


def test_a_draft_that_nothing_explains() -> None:
    finding = only(CHECK, jumped())
    assert (finding.line_key, finding.amount) == ("INV12-1", Decimal("6000.00"))


@pytest.mark.parametrize(("amount", "count"), [(20_400, 0), (20_401, 1), (19_600, 0), (19_599, 1)])
def test_two_percent_of_what_recurs(amount: int, count: int) -> None:
    assert len(findings(CHECK, jumped(amount))) == count


@pytest.mark.parametrize(("amount", "count"), [(30_000, 0), (30_001, 1), (9_999, 1)])
def test_half_of_usage(amount: int, count: int) -> None:
    assert len(findings(CHECK, jumped(amount).change("subscription_lines", "SL1", charge_type="usage"))) == count


def grown() -> Ledger:
    """650 seats since December, by the schedule."""
    ledger = jumped().change("billing_schedules", "SL1", end_date=date(2026, 12, 1))
    return ledger.schedule("SL1b", quantity=Decimal(650), unit_price=Decimal(40), start_date=date(2026, 12, 1))


def test_what_the_schedules_explain_is_put_in_first() -> None:
    assert findings(CHECK, grown()) == ()
    off = grown().change("invoice_lines", "INV12-1", amount=Decimal(27_000))
    assert (only(CHECK, off).amount, only(CHECK, off).expected) == (Decimal("1000.00"), Decimal("26000.00"))


def looks_alike() -> dict[str, Ledger]:
    first = jumped()
    for month in range(1, 12):
        first.remove("invoices", f"INV{month}").remove("invoice_lines", f"INV{month}-1")
    return {
        "its first invoice": first,
        "a quarter after a month": jumped(60_000, period_end=date(2027, 3, 1)).change(
            "billing_schedules", "SL1", end_date=None
        ),
        "a part of a month": jumped(9_677, period_end=date(2026, 12, 16)),
        "posted": jumped().change("invoices", "INV12", status="posted"),
        "under a contract": jumped().contract_line().change("subscription_lines", "SL1", contract_line_key="CL1"),
        "void": jumped().change("invoices", "INV12", status="void"),
        "a test account": jumped().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
