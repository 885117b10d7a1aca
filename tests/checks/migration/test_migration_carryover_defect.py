from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from checks.catalogue import CATALOGUE
from tests.checks.kit import Ledger, findings, only
from tests.checks.migration.states import carried, lost_line, old_line

CHECK = "migration_carryover_defect"


def test_what_is_as_before_is_no_defect() -> None:
    assert findings(CHECK, carried()) == ()


def test_the_month_that_differs_counts_for_the_rest_of_the_term() -> None:
    finding = only(CHECK, carried(unit_price=Decimal("42.50")))
    assert (finding.amount, finding.record.key, finding.mode) == (Decimal(11_250), "LS1", "block")  # 500 × 2.50 × 9
    assert "monthly amount, price" in finding.message
    assert only(CHECK, carried(monthly_amount=Decimal("20100"))).amount == 900


def test_a_rounded_month_is_the_same() -> None:
    assert findings(CHECK, carried(monthly_amount=Decimal("20000.005"))) == ()
    assert only(CHECK, carried(monthly_amount=Decimal("20000.01"))).amount == Decimal("0.09")


def test_a_line_that_is_not_there_is_counted() -> None:
    finding = only(CHECK, lost_line())
    assert finding.amount == 360
    assert "1 of 2 lines missing" in finding.message


@pytest.mark.parametrize(
    ("delta", "by", "amount"), [("-1250", "maria", None), ("-1000", "maria", 2250), ("-1250", "", 11_250)]
)
def test_a_restructuring_is_signed_with_the_change_that_it_makes(delta: str, by: str, amount: int | None) -> None:
    ledger = carried(unit_price=Decimal("42.50"))
    ledger.change("legacy_subscriptions", "LS1", expected_delta=Decimal(delta), approved_by=by)
    assert [finding.amount for finding in findings(CHECK, ledger)] == ([] if amount is None else [amount])


def test_several_lines_may_become_one_and_one_several_by_the_crosswalk() -> None:
    merged = old_line(carried(quantity=Decimal(300)), "LL2", quantity=Decimal(200))
    assert findings(CHECK, merged) == ()
    split = carried(successor_key=None).change("billing_schedules", "SL1", quantity=Decimal(450))
    split.subscription_line("SL2", quantity=Decimal(50))
    for key in ("SL1", "SL2"):
        split.add("links", "legacy", f"X-{key}", left_system="legacy", left_key="LL1", right_key=key)
    assert findings(CHECK, split) == ()


def test_what_was_amended_later_is_not_the_migration() -> None:
    ledger = carried().change("billing_schedules", "SL1", end_date=date(2026, 6, 1))
    ledger.schedule("SL1-2", quantity=Decimal(700), unit_price=Decimal(40), price_months=1, start_date=date(2026, 6, 1))
    assert findings(CHECK, ledger) == ()


def test_the_term_and_the_parent_are_carried_over() -> None:
    ledger = carried().change("legacy_subscriptions", "LS1", end_date=date(2028, 1, 1))
    assert "end of the term" in only(CHECK, ledger).message
    assert only(CHECK, owned(None)).record.entity == "legacy_accounts"
    assert findings(CHECK, owned("P1")) == ()


def owned(parent: str | None) -> Ledger:
    ledger = carried().account("P1")
    (own,) = [row for row in ledger.rows["accounts"] if (row["system"], row["key"]) == ("billing", "A1")]
    own["parent_key"] = parent
    ledger.add("legacy_accounts", "legacy", "LP", account_key="P1", account_id="P1", successor_key="P1")
    return ledger.add("legacy_accounts", "legacy", "LA", parent_key="LP", successor_key="A1", currency="USD")


def test_a_migration_that_is_signed_off_only_warns() -> None:
    declared = CATALOGUE[CHECK]
    for day, mode in (("2026-04-01", "warn"), ("2026-03-31", "block")):
        said = tuple(replace(one, default=day) if one.name == "signed_off" else one for one in declared.settings)
        assert only(replace(declared, settings=said), lost_line()).mode == mode
