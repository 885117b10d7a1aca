from decimal import Decimal

from checks.contract import MoneyKind
from tests.checks.kit import findings, only
from tests.checks.mapping_drift.states import valued

CHECK = "contract_value_definition_mismatch"


def test_five_contracts_off_by_twelve() -> None:
    """Two years at 1,000 a month are 24,000; billing holds 12,000 as a month's value, five times."""
    finding = only(CHECK, valued("12000"))
    assert (finding.amount, finding.kind) == (Decimal(5 * (12_000 * 24 - 24_000)), MoneyKind.EXPOSURE)
    assert finding.account_key is None


def test_the_declared_definitions_may_differ() -> None:
    assert not findings(CHECK, valued("1000"))


def test_four_prove_nothing() -> None:
    assert not findings(CHECK, valued("12000", n=4))


def test_a_factor_of_its_own_is_another_matter() -> None:
    assert not findings(CHECK, valued("1300"))


def test_currencies_are_not_put_together() -> None:
    ledger = valued("12000", n=3).join(valued("12000", n=3, currency="EUR", first=10))
    assert not findings(CHECK, ledger)
