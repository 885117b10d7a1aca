from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import Mode, Outcome
from tests.checks.broken import crowded
from tests.checks.kit import Ledger, ask, clean, findings, only, seats

CHECK = "seat_overage_unbilled"


def billed_overage(ledger: Ledger, amount: str, **columns: object) -> Ledger:
    ledger.subscription_line("SL2", charge_type="usage", name="Seat overage", quantity=None, unit_price=Decimal(50))
    line = seats(11, line_version_key="SL2", quantity=Decimal(18), unit_price=Decimal(50), amount=Decimal(amount))
    return ledger.invoice("INVO", date(2026, 12, 1), {**line, **columns}, status="draft")


def test_six_months_of_a_published_example() -> None:
    """Worked example L01: 500 seats in the price, 50.00 for each above, six invoices without any overage."""
    ledger = crowded().remove("entitlements", "CL1-2026-11")
    for month, active in enumerate((502, 518, 547, 523, 556, 541), 1):
        said = {"period_start": date(2026, month, 1), "period_end": date(2026, month + 1, 1), "measure": "peak"}
        ledger.add(
            "entitlements", "seats", f"M{month}", contract_line_key="CL1", product_code="SEAT",
            active_quantity=Decimal(active), **said,
        )  # fmt: skip
    found = findings(CHECK, ledger)
    assert [int(f.amount) for f in found] == [100, 900, 2350, 1150, 2800, 2050]
    assert sum(f.amount for f in found) == 9350
    assert len({f.fingerprint for f in found}) == 6


@pytest.mark.parametrize(("active", "count"), [(500, 0), (501, 1)])
def test_as_many_as_licensed_is_no_overage(active: int, count: int) -> None:
    assert len(findings(CHECK, crowded(active))) == count


def test_what_was_billed_counts() -> None:
    assert findings(CHECK, billed_overage(crowded(), "900")) == ()
    finding = only(CHECK, billed_overage(crowded(), "600"))
    assert (finding.amount, finding.actual) == (Decimal("300.00"), Decimal("600.00"))
    assert finding.invoice_key == "INVO"


@pytest.mark.parametrize(("since", "until"), [((2026, 10, 1), (2026, 11, 1)), ((2026, 12, 1), (2027, 1, 1))])
def test_overage_of_another_month_does_not_count(since: tuple[int, int, int], until: tuple[int, int, int]) -> None:
    ledger = billed_overage(crowded(), "900", period_start=date(*since), period_end=date(*until))
    assert only(CHECK, ledger).amount == Decimal("900.00")


@pytest.mark.parametrize(("says", "mode"), [(True, Mode.BLOCK), (False, Mode.WARN), (None, Mode.WARN)])
def test_it_blocks_where_the_contract_bills_by_itself(says: bool | None, mode: Mode) -> None:
    assert only(CHECK, crowded().change("contracts", "K1", auto_bills_overage=says)).mode is mode


def looks_alike() -> dict[str, Ledger]:
    more_bought = crowded().contract_line(
        "CL1-A", revises_key="CL1", quantity=Decimal(20), start_date=date(2026, 11, 20)
    )
    return {
        "a trial": crowded(is_trial=True),
        "more seats were bought within the month": more_bought,
        "the count that the contract uses is lower": crowded(measure="peak", active_quantity=Decimal(499)).add(
            "entitlements", "seats", "X", contract_line_key="CL1", active_quantity=Decimal(530), measure="average",
            period_start=date(2026, 11, 1), period_end=date(2026, 12, 1),
        ),
        "a test account": crowded().change_account(is_test=True),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_count_by_another_measure_proves_nothing() -> None:
    evaluation = ask(CHECK, crowded(measure="average"))
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert "has no active" in str(evaluation.reason)


def test_a_month_that_has_not_ended_is_a_wake_up() -> None:
    ledger = crowded(period_start=date(2026, 12, 1), period_end=date(2027, 1, 1))
    assert ask(CHECK, ledger).wake_ups == (datetime(2027, 1, 1, tzinfo=UTC),)


def test_seats_of_a_customer_without_overage_price_cost_what_a_seat_costs() -> None:
    ledger = crowded().change("contract_lines", "CL1", overage_price=None)
    assert only(CHECK, ledger).amount == Decimal("720.00")
    assert findings(CHECK, clean()) == ()
