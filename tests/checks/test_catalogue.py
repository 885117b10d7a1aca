"""What must hold of every shipped check."""

from datetime import timedelta

import pytest

from checks.catalogue import CATALOGUE
from checks.contract import Check, Outcome
from tests.checks.broken import BROKEN, found
from tests.checks.kit import EVERYTHING, Ledger, ask, ask_each, clean, findings
from tests.checks.reference import REFERENCE, Said

WITH_ROWS = sorted(BROKEN)
# In these, the broken state of BROKEN is seen on the row itself; other states of theirs claim that something is absent.
SEEN_AS_IT_IS = {"broken_amendment_link", "invoice_without_contract_detail", "invoice_math_error"}
ABSENCE = [c for c in WITH_ROWS if CATALOGUE[c].absent_from is not None and c not in SEEN_AS_IT_IS]


def another_customer() -> Ledger:
    """A second clean customer with keys of its own."""
    ledger = clean()
    return Ledger(
        {
            entity: [{name: _renamed(name, value) for name, value in row.items()} for row in rows]
            for entity, rows in ledger.rows.items()
        }
    )


def _renamed(name: str, value: object) -> object:
    is_key = name in ("key", "number", "account_id") or name.endswith("_key")
    return f"other-{value}" if is_key and value is not None and name != "product_key" else value


def test_every_check_is_broken_by_something() -> None:
    assert set(BROKEN) | {"source_stale"} == set(CATALOGUE)


@pytest.mark.parametrize("check", CATALOGUE.values(), ids=lambda check: check.id)
def test_the_owner_is_told_why_and_how(check: Check) -> None:
    assert set(check.advice) == {"why", "cause", "fix", "not_a_case"}
    assert all(len(text) > 60 for text in check.advice.values())
    assert len(check.condition) > 30
    assert all(setting.reason for setting in check.settings)
    assert (
        check.absent_from is None
        or check.absent_from in check.needs
        or any((need.entity, need.role) == (check.absent_from.entity, check.absent_from.role) for need in check.needs)
    )


@pytest.mark.parametrize("check", WITH_ROWS)
def test_a_broken_state_is_one_finding_with_its_evidence(check: str) -> None:
    ledger = BROKEN[check]()
    (finding,) = found(check)
    held = {(row["system"], entity, row["key"]) for entity, rows in ledger.rows.items() for row in rows}
    assert (finding.record.system, finding.record.entity, finding.record.key) in held
    assert finding.evidence
    assert all((e.system, e.entity, e.key) in held for e in finding.evidence)
    assert finding.subject
    assert finding.amount > 0
    assert finding.currency == "USD"
    assert "None" not in finding.message


def test_a_clean_customer_has_no_finding() -> None:
    asked = ask_each([check for check in WITH_ROWS if check != "invoice_not_in_erp"], clean())
    assert {(check, said.findings) for check, said in asked.items() if said.outcome is not Outcome.PASSED} == set()


@pytest.mark.parametrize("check", WITH_ROWS)
def test_a_clean_customer_more_and_another_order_of_rows_change_nothing(check: str) -> None:
    other = another_customer()
    if check in ("invoice_not_in_erp", "run_total_anomaly"):
        other.rows.pop("invoices")
    if check == "run_total_anomaly":  # a total and its schedule grow with every customer
        other.rows.pop("subscription_lines")
    if check == "recognized_vs_collected_tieout":
        other.rows.pop("payments")  # of which the ledger has nothing
    assert findings(check, BROKEN[check]().join(other).turned()) == found(check)


@pytest.mark.parametrize("check", WITH_ROWS)
def test_it_is_not_applicable_where_no_source_fills_what_it_needs(check: str) -> None:
    role, entity = next((need.role, need.entity) for need in CATALOGUE[check].needs if not need.optional)
    evaluation = ask(check, clean(), unmapped=[(role, entity)])
    assert evaluation.outcome is Outcome.NOT_APPLICABLE
    assert evaluation.reason is not None
    assert entity in evaluation.reason
    assert role in evaluation.reason


@pytest.mark.parametrize("check", WITH_ROWS)
def test_it_is_not_evaluated_while_a_source_is_stale(check: str) -> None:
    for role in sorted({need.role for need in CATALOGUE[check].needs}):
        evaluation = ask(check, BROKEN[check](), stale=role)
        assert (evaluation.outcome, evaluation.findings) == (Outcome.NOT_EVALUATED, ())
        assert evaluation.reason is not None
        assert role in evaluation.reason


MUST_HOLD = [c for c in WITH_ROWS if any(not need.may_be_empty for need in CATALOGUE[c].needs)]


@pytest.mark.parametrize("check", MUST_HOLD)
def test_books_without_what_they_must_hold_are_not_evaluated(check: str) -> None:
    evaluation = ask(check, Ledger(), may_be_empty=False)
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert "they must" in str(evaluation.reason)


@pytest.mark.parametrize("check", ABSENCE)
def test_absence_is_not_claimed_before_the_other_side_is_known(check: str) -> None:
    need = CATALOGUE[check].absent_from
    assert need is not None
    evaluation = ask(check, BROKEN[check](), behind={need.role: timedelta(days=400)})
    assert evaluation.findings == ()
    assert evaluation.outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize("check", [c for c in CATALOGUE if CATALOGUE[c].scope == "run"])
def test_a_run_wide_check_needs_the_whole_run(check: str) -> None:
    assert ask(check, clean(), whole_run=False).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("check", [c for c in CATALOGUE.values() if c.id in REFERENCE], ids=lambda check: check.id)
def test_it_says_what_the_reference_says(check: Check) -> None:
    said = Said(check.severity, check.mode, check.scope, *check.owners)
    open_ = [name for name, value in REFERENCE[check.id]._asdict().items() if value == "-"]
    assert said._replace(**dict.fromkeys(open_, "-")) == REFERENCE[check.id]


@pytest.mark.parametrize("check", CATALOGUE.values(), ids=lambda check: check.id)
def test_it_lies_where_its_pattern_and_its_id_say(check: Check) -> None:
    assert check.find.__module__ == f"checks.{check.pattern}.{check.id}"
    assert {need.entity for need in check.needs} <= EVERYTHING
