from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, Scope, Severity
from tests.checks.kit import NOW, ask, findings, only
from tests.checks.mapping_drift.states import FRIDAY, approved, remapped

CHECK = "unreviewed_mapping_change"
TUESDAY = NOW.replace(hour=0, minute=0)


def test_it_is_worth_what_the_next_run_bills() -> None:
    ledger = remapped()
    ledger.invoice(
        "INVE", date(2026, 12, 1), {"amount": Decimal(1000)}, status="draft", currency="EUR", account_key="B"
    )
    ledger.add("fx_rates", "reference", "R", from_currency="EUR", to_currency="USD", rate=Decimal("1.1"),
               rate_date=date(2026, 12, 1))  # fmt: skip
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.currency, finding.period[0]) == (Decimal(21_100), "USD", date(2026, 11, 27))
    assert (finding.severity, finding.mode, finding.scope) == (Severity.S2, Mode.WARN, Scope.RUN)
    assert "(values: Quarterly to Quarter)" in finding.message
    assert finding.fails_from == TUESDAY


@pytest.mark.parametrize(
    "columns",
    [{}, {"record_key": None}, {"decided_at": NOW}, {"decided_at": FRIDAY.replace(month=10, day=28)}],
    ids=["before", "for all of the object", "an emergency, approved afterwards", "a month before"],
)
def test_an_approved_change_is_fine(columns: dict[str, Any]) -> None:
    assert findings(CHECK, approved(remapped(), **columns)) == ()


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "pending"},
        {"kind": "discount"},
        {"object": "account"},
        {"record_key": "term__c"},
        {"decided_at": FRIDAY.replace(month=10, day=27)},
        {"until_date": date(2026, 11, 27)},
    ],
)
def test_another_approval_is_none(columns: dict[str, Any]) -> None:
    assert len(findings(CHECK, approved(remapped(), **columns))) == 1


def test_an_emergency_has_until_the_end_of_the_next_working_day() -> None:
    evaluation = ask(CHECK, remapped(seen_at=NOW.replace(day=1, month=12, hour=8)))
    assert evaluation.findings == ()
    assert [wake.date() for wake in evaluation.wake_ups] == [date(2026, 12, 3)]


def test_a_new_field_needs_no_review_and_several_changes_of_one_day_are_one() -> None:
    assert findings(CHECK, remapped(change="appeared")) == ()
    twice = remapped(remapped(), "M2", change="type", before="text", after="picklist", seen_at=FRIDAY.replace(hour=17))
    assert "(type: Quarterly to picklist)" in only(CHECK, twice).message
