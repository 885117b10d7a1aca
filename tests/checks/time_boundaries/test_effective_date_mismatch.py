from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import Mode
from tests.checks.kit import Ledger, clean, findings, only
from tests.checks.time_boundaries.states import begun_later

CHECK = "effective_date_mismatch"
A_YEAR = Decimal(240_000)


def test_it_begins_a_week_later_in_billing() -> None:
    finding = only(CHECK, begun_later())
    assert (str(finding.record), finding.mode) == ("billing/subscription_lines/SL1", Mode.BLOCK)
    assert finding.amount == (A_YEAR * 7 / 365).quantize(Decimal("0.01"))


def ended(on: date | None) -> Ledger:
    """The subscription's term ends on another day than the contract's, which is 1 January 2027."""
    return clean().change("subscriptions", "S1", end_date=on).change("subscription_lines", "SL1", end_date=on)


def test_an_end_outside_the_current_period_only_warns() -> None:
    finding = only(CHECK, ended(date(2027, 3, 1)))
    assert (finding.terms["days_off"], finding.mode) == (Decimal(59), Mode.WARN)


def test_no_end_parts_from_one_on_the_day_of_that_end() -> None:
    open_ended = ended(date(2026, 11, 21)).change("contracts", "K1", end_date=None)
    open_ended.change("contract_lines", "CL1", end_date=None)
    assert only(CHECK, open_ended).terms["days_off"] == 10
    assert findings(CHECK, open_ended, now=datetime(2026, 11, 20, tzinfo=UTC)) == ()


def in_erp(start: date = date(2026, 12, 1), end: date = date(2027, 1, 1)) -> Ledger:
    return clean().add("invoice_lines", "erp", "EL", billing_key="INV12-1", period_start=start, period_end=end)


def test_the_erp_spreads_an_invoice_line_over_other_days() -> None:
    finding = only(CHECK, in_erp(end=date(2027, 1, 3)))
    assert str(finding.record) == "erp/invoice_lines/EL"
    assert finding.amount == (Decimal(20_000) * 2 / 31).quantize(Decimal("0.01"))


def shifted(zone: str, start: date = date(2026, 11, 30), end: date = date(2026, 12, 31)) -> Ledger:
    return in_erp(start, end).change_account(timezone=zone)


@pytest.mark.parametrize(
    ("zone", "count"), [("Asia/Tokyo", 0), ("Europe/Berlin", 0), ("UTC", 1), ("America/Denver", 1)]
)
def test_a_day_early_as_a_whole_is_midnight_east_of_utc(zone: str, count: int) -> None:
    assert len(findings(CHECK, shifted(zone))) == count
    assert len(findings(CHECK, shifted(zone, end=date(2027, 1, 1)))) == 1


def looks_alike() -> dict[str, Ledger]:
    cancelled = clean().change("subscriptions", "S1", cancelled_date=date(2026, 11, 1), end_date=date(2026, 11, 1))
    renewal = {"renews_key": "K1", "start_date": date(2027, 1, 1), "end_date": date(2028, 1, 1)}
    return {
        "the same days": in_erp(),
        "on after the term: another check's": ended(None)
        .change("contracts", "K1", end_date=date(2026, 11, 1))
        .change("contract_lines", "CL1", end_date=date(2026, 11, 1)),
        "renewed in place": ended(date(2028, 1, 1)).contract("K2", **renewal),
        "cancelled in billing alone: another check's": cancelled,
        "a charge that ends before its term": clean().change("subscription_lines", "SL1", end_date=date(2026, 12, 2)),
        "usage": begun_later().change("contract_lines", "CL1", charge_type="usage"),
        "not activated yet": begun_later().change("subscriptions", "S1", status="draft"),
        "a test account": begun_later().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
