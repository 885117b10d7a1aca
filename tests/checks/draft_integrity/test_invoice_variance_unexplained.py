from datetime import date
from decimal import Decimal

import pytest

from tests.checks.draft_integrity.states import jumped
from tests.checks.kit import Ledger, findings, only
from tests.checks.metering import event

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


def test_a_change_within_the_period_is_put_in_to_the_day() -> None:
    """650 seats since 11 December: a third of the month as before, so that no mean is a number that ends."""
    ledger = jumped(24_000).change("billing_schedules", "SL1", end_date=date(2026, 12, 11))
    ledger.schedule("SL1b", quantity=Decimal(650), unit_price=Decimal(40), start_date=date(2026, 12, 11))
    assert findings(CHECK, ledger) == ()
    off = only(CHECK, ledger.change("invoice_lines", "INV12-1", amount=Decimal(26_000)))
    assert off.expected == Decimal("24064.52")  # 40 × (500 × 10 + 650 × 21) ÷ 31


def test_a_trillion_yen_are_exact_to_the_yen() -> None:
    ledger = jumped()
    for row in (*ledger.rows["invoice_lines"], *ledger.rows["subscription_lines"], *ledger.rows["billing_schedules"]):
        row.update({name: row[name] * 50_000_000 for name in ("amount", "unit_price") if row.get(name) is not None})
    for row in (*ledger.rows["invoices"], *ledger.rows["subscription_lines"], *ledger.rows["billing_schedules"]):
        row["currency"] = "JPY"
    limit = Decimal(1_020_000_000_000)
    assert findings(CHECK, ledger.change("invoice_lines", "INV12-1", amount=limit)) == ()
    assert only(CHECK, ledger.change("invoice_lines", "INV12-1", amount=limit + 2)).amount == Decimal(20_000_000_002)


def test_a_meter_answers_for_its_own_line_alone() -> None:
    ledger = jumped(30_001).change("subscription_lines", "SL1", charge_type="usage")
    counted = event(ledger, "E1", subscription_line_key="SL1")
    assert findings(CHECK, counted) == ()
    other = ledger.remove("usage_events", "E1").subscription_line("SL2", line=None, charge_type="usage")
    assert findings(CHECK, event(other, "E2", subscription_line_key="SL2"))


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
        "what a commitment leaves": jumped(40_000)
        .contract_line(charge_type="usage", commit_amount=Decimal(240_000))
        .change("subscription_lines", "SL1", charge_type="usage", contract_line_key="CL1"),
        "void": jumped().change("invoices", "INV12", status="void"),
        "a test account": jumped().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
