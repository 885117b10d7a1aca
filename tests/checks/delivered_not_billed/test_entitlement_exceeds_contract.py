from datetime import date
from decimal import Decimal

from tests.checks.delivered_not_billed.states import granted
from tests.checks.kit import clean, findings, only

CHECK = "entitlement_exceeds_contract"


def test_a_module_without_a_contract_is_exposed_at_its_list_price() -> None:
    finding = only(CHECK, granted())
    assert (finding.amount, finding.subject, finding.period[0]) == (Decimal(360), "A1/MODULE", date(2026, 11, 1))


def test_only_what_is_above_the_contracts_counts() -> None:
    ledger = granted().contract_line("CL5", product_code="MODULE", quantity=Decimal(25))
    assert only(CHECK, ledger).amount == 60
    assert findings(CHECK, ledger.change("contract_lines", "CL5", quantity=Decimal(30))) == ()


def test_grants_of_one_month_share_what_is_contracted() -> None:
    ledger = granted(granted(), "G2", active_quantity=Decimal(5))
    ledger.contract_line("CL5", product_code="MODULE", quantity=Decimal(32))
    finding = only(CHECK, ledger)
    assert (finding.record.key, finding.amount) == ("G2", Decimal(36))


def test_a_contract_that_ended_before_the_month_holds_nothing() -> None:
    ledger = granted().contract_line("CL5", product_code="MODULE", quantity=Decimal(30), end_date=date(2026, 11, 1))
    assert only(CHECK, ledger).amount == 360
    assert findings(CHECK, ledger.change("contract_lines", "CL5", end_date=date(2026, 11, 2))) == ()


def test_a_tag_needs_an_end_that_is_still_to_come() -> None:
    assert findings(CHECK, granted(tag="Beta", expires_date=date(2026, 11, 2))) == ()
    assert only(CHECK, granted(tag="beta", expires_date=date(2026, 11, 1))).amount == 360
    assert only(CHECK, granted(tag="beta")).amount == 360
    assert only(CHECK, granted(tag="favour", expires_date=date(2027, 1, 1))).amount == 360
    assert findings(CHECK, granted(is_trial=True)) == ()


def test_a_component_is_held_with_its_bundle() -> None:
    ledger = granted().add("products", "crm", "PR1", code="MODULE", rollup_code="SEAT")
    assert findings(CHECK, ledger) == ()


def test_seats_that_are_counted_for_a_contract_line_are_another_checks() -> None:
    ledger = granted(contract_line_key="CL1", product_code="SEAT", active_quantity=Decimal(600))
    assert findings(CHECK, ledger) == ()
    both = granted(ledger, "G2", product_code="SEAT", active_quantity=Decimal(3))
    both.change("prices", "P1", product_code="SEAT")
    assert only(CHECK, both).amount == 36


def test_without_a_list_price_it_is_worth_nothing_and_said_all_the_same() -> None:
    finding = only(CHECK, granted(clean().add("prices", "crm", "P1", product_code="OTHER")))
    assert finding.amount == 0
    assert "no list price is known" in finding.message
