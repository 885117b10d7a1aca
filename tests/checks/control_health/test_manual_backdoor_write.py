from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, Scope, Severity
from tests.checks.control_health.states import written
from tests.checks.kit import clean, findings, only
from tests.checks.silent_failures.states import ago

CHECK = "manual_backdoor_write"


def test_an_upload_past_the_flow_is_worth_what_it_changed() -> None:
    finding = only(CHECK, written())
    assert finding.amount == Decimal("5.50")
    assert (finding.severity, finding.mode, finding.scope) == (Severity.S2, Mode.WARN, Scope.ACCOUNT)
    assert "bob@example.com wrote Price of RatePlanCharge C-1 by import on 2026-11-30" in finding.message
    assert only(CHECK, written(amount=Decimal(-2750))).amount == 2750
    assert only(CHECK, written(before="Net 30", after="Net 60")).amount == 0
    assert only(CHECK, written(currency=None, before="1", after="2")).amount == 0


def test_fields_of_one_record_and_day_are_one_finding() -> None:
    both = written(written(), "RC2", field="Quantity", before="10", after="9", changed_at=ago(25))
    assert "wrote Price and 1 more of" in only(CHECK, both).message
    assert len(findings(CHECK, written(both, "RC3", record_key="C-2"))) == 2


@pytest.mark.parametrize(
    "columns",
    [
        {"ticket": "CHG-1"},
        {"via": "integration"},
        {"via": None},
        {"changed_at": ago(24 * 47)},
        {"account_key": "T1", "account_id": "T1"},
    ],
    ids=["ticket", "flow", "unknown way", "long ago", "test account"],
)
def test_what_belongs_to_a_flow_or_was_allowed_is_left_alone(columns: dict[str, Any]) -> None:
    assert findings(CHECK, written(clean().account("T1", is_test=True), **columns)) == ()


def test_a_user_who_writes_as_an_integration_may_use_the_api() -> None:
    by_api = written(via="api")
    assert len(findings(CHECK, by_api)) == 1
    known = written(by_api, "RC2", via="integration", record_key="C-9")
    assert findings(CHECK, known) == ()
    assert len(findings(CHECK, known.change("record_changes", "RC1", via="ui"))) == 1
