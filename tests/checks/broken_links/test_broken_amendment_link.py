from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.broken import amended
from tests.checks.kit import Ledger, ask, findings, only

CHECK = "broken_amendment_link"


def replaced() -> Ledger:
    return amended().contract("K2", amends_key="K1", start_date=date(2026, 9, 1))


def elsewhere() -> Ledger:
    return amended(contract_key="K9").account("A9").contract("K9", account_key="A9")


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        (amended(contract_key=None), "names no contract"),
        (amended(contract_key="gone"), "does not have"),
        (elsewhere(), "another customer"),
        (replaced(), "another one had replaced"),
        (amended().change("contracts", "K1", status="superseded"), "superseded"),
    ],
    ids=["none", "unknown", "another customer", "replaced", "superseded"],
)
def test_each_way_to_be_broken(ledger: Ledger, said: str) -> None:
    finding = only(CHECK, ledger)
    assert str(finding.record) == "crm/amendments/AM1"
    assert finding.kind is MoneyKind.EXPOSURE
    assert said in finding.message


def test_the_rest_of_the_term_is_at_stake() -> None:
    # 20 × 40 a month; the line ends on 1 January, so one month is left and the second begins on its last day.
    ledger = amended(contract_key=None).change("contract_lines", "CL1", end_date=date(2027, 3, 1))
    ledger.change("contract_lines", "CL1-A", end_date=date(2027, 2, 28)).change("contracts", "K1", end_date=None)
    assert only(CHECK, ledger).amount == Decimal("2400.00")


def test_an_amount_of_nothing_is_still_a_broken_link() -> None:
    ledger = amended(contract_key=None).remove("quote_lines", "QL1").remove("contract_lines", "CL1-A")
    assert only(CHECK, ledger).amount == Decimal("0.00")


def looks_alike() -> dict[str, Ledger]:
    return {
        "a proper link": amended(),
        "a draft": amended(contract_key=None, status="draft"),
        "replaced only later": amended().contract("K2", amends_key="K1", start_date=date(2026, 11, 1)),
        "the replacement is a draft": amended().contract(
            "K2", amends_key="K1", start_date=date(2026, 9, 1), status="draft"
        ),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_contract_that_may_not_have_been_read_yet_is_not_called_missing() -> None:
    evaluation = ask(CHECK, amended(contract_key="gone"), behind={"crm": timedelta(days=11)})
    assert (evaluation.outcome, evaluation.findings) == (Outcome.NOT_EVALUATED, ())
