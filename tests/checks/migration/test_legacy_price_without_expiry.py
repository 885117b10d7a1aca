from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.checks.kit import Ledger, findings, only
from tests.checks.migration.states import kept

CHECK = "legacy_price_without_expiry"


def approved(role: str = "crm", **columns: Any) -> Ledger:
    said = {"record_key": "SL1", "kind": "price", "status": "approved", **columns}
    return kept().add("approvals", role, "AP1", **said)


def test_the_difference_to_the_card_is_lost_since_the_cut_over() -> None:
    finding = only(CHECK, kept())
    assert (finding.amount, finding.mode, finding.record.key) == (Decimal(45_000), "monitor", "SL1")  # 10 × 500 × 9


@pytest.mark.parametrize(
    "columns", [{"price_until": date(2027, 6, 1)}, {"price_approved_by": "maria"}, {"unit_price": Decimal(50)}]
)
def test_an_end_an_approval_or_the_price_of_the_card_is_enough(columns: dict[str, Any]) -> None:
    ledger = kept().change("subscription_lines", "SL1", **columns)
    assert findings(CHECK, ledger) == ()


def test_the_end_or_the_approval_may_stand_elsewhere() -> None:
    assert findings(CHECK, kept(price_until=date(2027, 6, 1))) == ()
    for role in ("crm", "audit"):
        assert findings(CHECK, approved(role)) == ()
    assert findings(CHECK, approved(status="rejected"))


def test_an_approval_that_has_ended_allows_nothing_more() -> None:
    """From 1 September on, in which the fourth month begins on 1 December."""
    until = date(2026, 9, 1)
    assert only(CHECK, approved(until_date=until)).amount == Decimal(20_000)  # 10 × 500 × 4
    assert findings(CHECK, approved(until_date=until), now=datetime(2026, 8, 31, 23, tzinfo=UTC)) == ()


def test_an_approval_that_outlives_the_line_covers_it() -> None:
    ledger = approved(until_date=date(2026, 9, 1)).change("subscription_lines", "SL1", end_date=date(2026, 7, 1))
    assert findings(CHECK, ledger) == ()


def test_months_are_counted_up_to_the_end_of_the_line() -> None:
    ended = kept().change("subscription_lines", "SL1", end_date=date(2026, 7, 1))
    assert only(CHECK, ended).amount == Decimal(15_000)  # April to June


def test_a_contract_with_an_end_locks_its_price() -> None:
    locked = kept().change("contract_lines", "CL1", end_date=date(2027, 1, 1))
    assert findings(CHECK, locked) == ()
    assert only(CHECK, locked.change("contract_lines", "CL1", unit_price=Decimal(45))).amount == 45_000


def test_the_step_that_a_ramp_has_reached_locks_its_price() -> None:
    """Billing goes on with one line for both; a step that is still to come locks nothing."""
    ramp: dict[str, Any] = {"segment_key": "R1", "product_code": "SEAT"}
    locked = kept().change(
        "contract_lines", "CL1", unit_price=Decimal(50), end_date=date(2026, 7, 1), segment=1, **ramp
    )
    later: dict[str, Any] = {"unit_price": Decimal(40), "segment": 2, "start_date": date(2026, 7, 1), **ramp}
    assert findings(CHECK, locked.contract_line("CL2", end_date=date(2027, 1, 1), **later)) == ()
    assert findings(CHECK, locked.change("contract_lines", "CL2", start_date=date(2026, 12, 2)))


def test_a_price_that_nobody_kept_on_purpose_is_another_checks() -> None:
    assert findings(CHECK, kept().change("legacy_subscription_lines", "LL1", grandfathered=False)) == ()
