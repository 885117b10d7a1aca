from decimal import Decimal
from typing import Any

import pytest

from checks.confidence import CERTAIN, DECLARED
from checks.contract import Mode, MoneyKind, Outcome, Severity
from tests.checks.kit import Ledger, ask, clean, findings, only
from tests.checks.revenue.states import clause

CHECK = "nonstandard_terms_unflagged"


def test_a_clause_that_revenue_accounting_has_not_been_told_of() -> None:
    finding = only(CHECK, clause())
    assert str(finding.record) == "crm/contracts/K1"
    assert (finding.amount, finding.kind) == (Decimal("240000.00"), MoneyKind.EXPOSURE)
    assert (finding.severity, finding.mode) == (Severity.S1, Mode.WARN)


def test_the_draft_of_the_contract_can_still_be_held() -> None:
    assert only(CHECK, clause().change("invoices", "INV12", status="draft")).invoice_key == "INV12"


def test_the_opportunity_says_the_value_where_the_contract_does_not() -> None:
    ledger = clause(clean().change("contracts", "K1", opportunity_key="O1"))
    ledger.add("opportunities", "crm", "O1", amount=Decimal(90_000))
    assert only(CHECK, ledger).amount == Decimal("90000.00")
    assert ask(CHECK, clause(clean())).outcome is Outcome.NOT_EVALUATED


def sure(confidence: str | None, confirmed_by: str | None = None, **columns: Any) -> Ledger:
    read = None if confidence is None else Decimal(confidence)
    return clause(confidence=read, confirmed_by=confirmed_by, **columns)


@pytest.mark.parametrize(
    ("ledger", "found"),
    [
        (sure("0.90"), 1),
        (sure("0.89"), 0),
        (sure("0.20", "maria"), 1),
        (sure(None), 1),
        (sure("0.99", kind="most_favoured"), 0),
        (clause().change("contracts", "K1", nonstandard_terms=True), 0),
        (clause().change("contracts", "K1", status="draft"), 0),
        (clause().change_account(is_test=True), 0),
    ],
)
def test_what_counts(ledger: Ledger, found: int) -> None:
    assert len(findings(CHECK, ledger)) == found


def test_it_is_as_sure_as_the_surest_clause() -> None:
    assert only(CHECK, sure("0.93")).confidence == Decimal("0.93")
    assert only(CHECK, sure("1.00")).confidence == Decimal("0.99"), "a machine is never certain"
    both = clause(sure("0.93"), confidence=Decimal("0.97"), kind="refund", key="CC2")
    assert only(CHECK, both).confidence == Decimal("0.97")
    assert "read out of a text" in only(CHECK, both).confidence_reasons[0]
    confirmed = only(CHECK, both.change("contract_clauses", "CC1", confirmed_by="maria"))
    assert (confirmed.confidence, confirmed.confidence_reasons) == (CERTAIN, (DECLARED,))
