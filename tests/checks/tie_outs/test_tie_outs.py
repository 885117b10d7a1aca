from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Severity
from tests.checks.kit import clean, findings, only
from tests.checks.tie_outs.states import drifting, segment, short_november, unpaid_march

BOOKED, CASH = "booked_vs_billed_tieout", "billed_vs_collected_tieout"
DRIFT, RATE = "small_drift_accumulator", "realization_rate_low"


def test_a_month_that_was_billed_too_low() -> None:
    finding = only(BOOKED, short_november())
    assert (finding.amount, finding.kind) == (Decimal(1_000), MoneyKind.LEAK)
    assert finding.period == (date(2026, 11, 1), date(2026, 12, 1))


@pytest.mark.parametrize(("billed", "found"), [("19900", False), ("19899.99", True), ("20100.01", True)])
def test_half_a_percent_exactly_is_no_finding(billed: str, found: bool) -> None:
    assert bool(findings(BOOKED, short_november(billed))) is found


def test_an_excess_counts_after_credits() -> None:
    ledger = short_november("22000")
    assert only(BOOKED, ledger).kind is MoneyKind.OVERBILL
    memo = {"invoice_key": "INV11", "amount": Decimal(1_500), "currency": "USD", "status": "posted"}
    ledger.add("credit_memos", "billing", "CM1", memo_date=date(2026, 11, 20), **memo)
    assert only(BOOKED, ledger).amount == Decimal(500)


def test_a_credit_never_makes_an_invoice_too_low() -> None:
    ledger = clean()
    memo = {"invoice_key": "INV11", "amount": Decimal(1_500), "currency": "USD", "status": "posted"}
    ledger.add("credit_memos", "billing", "CM1", memo_date=date(2026, 11, 20), **memo)
    assert not findings(BOOKED, ledger)


def test_what_is_due_today_has_three_days() -> None:
    ledger = clean().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    assert not findings(BOOKED, ledger)
    assert only(BOOKED, ledger, now=datetime(2026, 12, 5, 1, tzinfo=UTC)).amount == Decimal(20_000)


def test_a_bill_of_another_month_counts_where_it_belongs() -> None:
    assert not findings(BOOKED, clean().change("invoices", "INV10", invoice_date=date(2026, 11, 28)))


def test_an_open_invoice_of_a_closed_month() -> None:
    finding = only(CASH, unpaid_march("12500"))
    assert (finding.amount, finding.kind) == (Decimal(7_500), MoneyKind.TIMING)
    assert finding.period == (date(2026, 3, 1), date(2026, 4, 1))


def test_ten_days_after_the_month_are_given() -> None:
    assert not findings(CASH, unpaid_march(), now=datetime(2026, 4, 10, 23, tzinfo=UTC))
    assert findings(CASH, unpaid_march(), now=datetime(2026, 4, 11, tzinfo=UTC))


def test_what_is_disputed_is_not_open() -> None:
    ledger = unpaid_march("9850").change("invoices", "INV2", disputed_amount=Decimal(10_000))
    assert not findings(CASH, ledger), "150 are half a percent of the 30,000 that fell due in March"
    assert findings(CASH, ledger.change("invoices", "INV2", disputed_amount=Decimal("9999.99")))


def test_small_differences_on_one_side_add_up() -> None:
    finding = only(DRIFT, drifting())
    assert (finding.amount, finding.kind) == (Decimal(240), MoneyKind.LEAK)


def test_the_golden_case_of_a_year_and_a_half() -> None:
    """Fifty a month from two hundred customers for eighteen months are 180,000; here from one, for twelve months."""
    assert only(DRIFT, drifting("50")).amount == Decimal(600)


@pytest.mark.parametrize(("by", "months"), [("20", 11), ("8", 12)])
def test_few_months_or_little_money_prove_nothing(by: str, months: int) -> None:
    assert not findings(DRIFT, drifting(by, months))


def test_noise_falls_on_both_sides() -> None:
    assert findings(DRIFT, drifting(months=13, back=(3,)))
    assert not findings(DRIFT, drifting(months=13, back=(3, 7)))


@pytest.mark.parametrize(("collected", "amount"), [("-4000", None), ("-4480", "480"), ("-30000", "26000")])
def test_the_floor_itself_is_enough(collected: str, amount: str | None) -> None:
    """Eight months of three customers: 480,000 due, of which 456,000 are 95 %."""
    found = findings(RATE, segment(collected))
    assert [f.amount for f in found] == ([Decimal(amount)] if amount else [])


def test_the_largest_gap_names_the_record() -> None:
    finding = only(RATE, segment("-30000"))
    assert (finding.record.key, finding.severity) == ("S0", Severity.S1)


def test_two_customers_are_no_segment() -> None:
    assert not findings(RATE, segment("-30000", customers=2))


def test_disputed_money_is_set_apart() -> None:
    ledger = segment("-30000").change("invoices", "S0-2", disputed_amount=Decimal(20_000))
    assert only(RATE, ledger).amount == Decimal(7_000)


def test_a_suspended_subscription_owes_nothing_more() -> None:
    ledger = clean().remove("invoices", "INV11").remove("invoice_lines", "INV11-1")
    assert findings(BOOKED, ledger)
    ledger.change("subscriptions", "S1", status="suspended").change(
        "subscription_lines", "SL1", charged_through=date(2026, 11, 1)
    )
    ledger.remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    assert not findings(BOOKED, ledger)


def test_a_pause_by_agreement_owes_nothing() -> None:
    """Suspended from 1 October to 16 November: October and half of November were not due."""
    ledger = clean().change("billing_schedules", "SL1", end_date=date(2026, 10, 1))
    ledger.schedule("SL1-2", "SL1", quantity=Decimal(500), unit_price=Decimal(40), start_date=date(2026, 11, 16))
    ledger.remove("invoices", "INV10").remove("invoice_lines", "INV10-1").change(
        "invoice_lines", "INV11-1", amount=Decimal(10_000)
    )
    assert [f.amount for f in findings(BOOKED, ledger)] == [Decimal(20_000), Decimal(10_000)]
    paused = {"type": "SuspendSubscription", "status": "activated", "subscription_key": "S1"}
    ledger.add("amendments", "billing", "AM1", effective_date=date(2026, 10, 1), **paused)
    assert not findings(BOOKED, ledger)
