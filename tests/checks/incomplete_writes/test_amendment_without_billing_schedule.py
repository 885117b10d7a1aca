from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.broken import amended
from tests.checks.kit import Ledger, ask, findings, only

CHECK = "amendment_without_billing_schedule"


def test_what_the_change_is_worth_since_it_took_effect() -> None:
    finding = only(CHECK, amended())
    assert str(finding.record) == "crm/amendments/AM1"
    # 20 × 40 a month; October, November and December have begun.
    assert (finding.amount, finding.kind) == (Decimal("2400.00"), MoneyKind.LEAK)


def test_a_reduction_that_billing_does_not_know_is_overbilled() -> None:
    finding = only(CHECK, amended(-20))
    assert (finding.amount, finding.kind) == (Decimal("2400.00"), MoneyKind.OVERBILL)


@pytest.mark.parametrize(
    ("effective", "fails"),
    [(date(2026, 11, 30), datetime(2026, 12, 1, tzinfo=UTC)), (date(2026, 12, 1), datetime(2026, 12, 2, tzinfo=UTC))],
)
def test_a_day_to_settle(effective: date, fails: datetime) -> None:
    evaluation = ask(CHECK, amended(effective=effective))
    assert (*(f.fails_from for f in evaluation.findings), *evaluation.wake_ups) == (fails,)


def applied(ledger: Ledger, quantity: int, start: date = date(2026, 10, 1)) -> Ledger:
    ledger.change("billing_schedules", "SL1", end_date=start)
    return ledger.schedule(
        "SL1-2", quantity=Decimal(quantity), unit_price=Decimal(40), start_date=start, end_date=date(2027, 1, 1)
    )


def looks_alike() -> dict[str, Ledger]:
    return {
        "a schedule from that day": applied(amended(), 520),
        "a schedule from the next bill day": applied(amended(), 520, date(2026, 11, 1)),
        "the quantity was right before": amended().change("billing_schedules", "SL1", quantity=Decimal(520)),
        "a draft": amended(status="draft"),
        "nothing that is billed changes": amended(0),
        "no lines at all": amended().remove("quote_lines", "QL1").remove("contract_lines", "CL1-A"),
        "ended by taking away all": amended(-500).change("billing_schedules", "SL1", end_date=date(2026, 10, 1)),
        "a test account": amended().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_later_amendment_does_not_hide_an_earlier_one() -> None:
    ledger = applied(amended(), 525)
    ledger.change("billing_schedules", "SL1", end_date=date(2026, 11, 1))
    ledger.change("billing_schedules", "SL1-2", start_date=date(2026, 11, 1))
    ledger.add("quote_lines", "crm", "QL2", quote_key="AM2")
    ledger.contract_line(
        "CL1-B", revises_key="CL1", quote_line_key="QL2", quantity=Decimal(5), start_date=date(2026, 11, 1)
    )
    ledger.add(
        "amendments", "crm", "AM2", status="activated", contract_key="K1", effective_date=date(2026, 11, 1),
        currency="USD",
    )  # fmt: skip
    assert only(CHECK, ledger).record.key == "AM1"


def test_an_amendment_that_says_only_an_amount() -> None:
    ledger = amended(monthly_delta=Decimal(300)).remove("quote_lines", "QL1").remove("contract_lines", "CL1-A")
    assert only(CHECK, ledger).amount == Decimal("900.00")
    assert findings(CHECK, applied(ledger, 507)) == ()
