"""What a sweep leaves behind of each check, and the findings of those in shadow."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from checks.contract import Mode, Outcome
from checks.findings import Evaluation, Waiting
from gateway.db.session import Database
from gateway.evaluations.keeping import KEPT, keep
from gateway.evaluations.tables import CheckState, ShadowFinding
from tests.gateway.exceptions.queue_world import NOW, SEATS, failed, finding, passed

SHADOW = replace(SEATS, mode=Mode.SHADOW)
LATER = NOW + timedelta(hours=1)


def found(database: Database, *evaluations: Evaluation, late: bool = False) -> dict[str, tuple[int, bool]]:
    """Amount by message, and whether it was there before the last sweep."""
    with database.session() as session:
        keep(session, evaluations, "snap", LATER if late else NOW)
        session.flush()
        rows: Iterable[ShadowFinding] = session.scalars(select(ShadowFinding))
        return {row.record: (int(row.amount), row.first_seen_at < row.last_seen_at) for row in rows}


def test_the_state_of_a_check_is_the_last_one(database: Database) -> None:
    found(database, failed(finding()))
    assert found(database, Evaluation(SEATS, Outcome.NOT_EVALUATED, "It is stale."), late=True) == {}
    with database.session() as session:
        state = session.scalars(select(CheckState)).one()
        assert (state.outcome, state.reason, state.evaluated_at) == ("not_evaluated", "It is stale.", LATER)


def test_what_a_check_in_shadow_finds_is_kept_while_it_is_there(database: Database) -> None:
    one, two = finding("CL-1", of=SHADOW), finding("CL-2", of=SHADOW)
    first, second = (f"salesforce/contract_lines/{key}" for key in ("CL-1", "CL-2"))
    assert found(database, failed(one, two, of=SHADOW)) == {first: (900, False), second: (900, False)}
    more = replace(two, amount=Decimal(1000))
    assert found(database, failed(more, of=SHADOW), late=True) == {second: (1000, True)}
    elsewhere = replace(passed(SHADOW), accounts=frozenset({"A-CL-1"}))
    assert found(database, elsewhere, late=True) == {second: (1000, True)}, "of others it says nothing"
    unsure = Evaluation(SHADOW, Outcome.NOT_EVALUATED, "It is stale.")
    assert found(database, unsure, late=True) == {second: (1000, True)}, "what was not evaluated proves nothing"
    assert found(database, passed(SHADOW), late=True) == {}


def test_what_waits_elsewhere_still_waits(database: Database) -> None:
    def told(evaluation: Evaluation) -> tuple[str, str | None, int]:
        found(database, evaluation)
        with database.session() as session:
            state = session.scalars(select(CheckState)).one()
            return state.outcome, state.reason, sum(state.waiting.values())

    def of(*accounts: str) -> Evaluation:
        return replace(passed(), accounts=frozenset(accounts))

    record = finding().record
    waiting = tuple(Waiting(account, record, None, "A price is missing.") for account in ("A", "A", "B", None))
    unsure = Evaluation(SEATS, Outcome.NOT_EVALUATED, "Prices are missing.", waiting=waiting)
    assert told(unsure) == ("not_evaluated", "Prices are missing.", 4)
    assert told(of("C")) == ("not_evaluated", "Prices are missing.", 4)
    assert told(of("A")) == ("not_evaluated", "Prices are missing.", 2)
    assert told(replace(unsure, waiting=waiting[:1], accounts=frozenset({"B"}))) == (
        "not_evaluated", "Prices are missing.", 2,
    )  # fmt: skip
    assert told(of("A")) == ("not_evaluated", "Prices are missing.", 1), "the row of nobody"
    assert told(passed()) == ("passed", None, 0)


def test_once_it_is_accepted_its_findings_are_the_queues(database: Database) -> None:
    found(database, failed(finding(of=SHADOW), of=SHADOW))
    assert found(database, failed(finding())) == {}


def test_of_very_many_the_largest_are_kept(database: Database) -> None:
    many = [finding(f"CL-{n}", of=SHADOW, amount=f"{n}.00") for n in range(1, KEPT + 6)]
    rows = found(database, failed(*many, of=SHADOW))
    assert (len(rows), min(amount for amount, _ in rows.values())) == (KEPT, 6)
