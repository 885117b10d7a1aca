"""Findings become cases; cases come back, change, and clear."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from checks.contract import Outcome, Severity
from checks.findings import Evaluation, Record, Waiting
from gateway.db.session import Database
from gateway.exceptions.actions import Acting, acknowledge, dispute, resolve
from gateway.exceptions.queue import Intake, references, take_in
from gateway.exceptions.sightings import Verdict
from gateway.exceptions.states import Resolution
from gateway.exceptions.tables import AuditEntry, Case, CaseEvent
from gateway.notices.outbox import NoticeItem
from tests.gateway.exceptions.queue_world import (
    DAY,
    HOUR,
    NOW,
    OWNERS,
    SEATS,
    STALE,
    check,
    context,
    failed,
    finding,
    passed,
)


def sweep(database: Database, *evaluations: Evaluation, at: datetime = NOW, **changes: object) -> Intake:
    """A sweep whose data are as new as it is."""
    with database.session() as session:
        return take_in(session, evaluations, context(changes.pop("data", at), **changes), at)  # type: ignore[arg-type]  # a test's keywords


def only_case(session: Session) -> Case:
    return session.scalars(select(Case).where(Case.current)).one()


def state_of(database: Database, number: int = 1) -> str:
    with database.session() as session:
        return session.get_one(Case, number).state


def states(database: Database) -> dict[str, str]:
    """By subject."""
    with database.session() as session:
        return dict(session.execute(select(Case.subject, Case.state)).all())


def by_hand(database: Database, at: datetime, code: Resolution = Resolution.FIXED_AT_SOURCE, **more: object) -> None:
    """Ann acknowledges and resolves the first case."""
    with database.session() as session:
        acting = Acting(session, OWNERS, "ann", at)
        acknowledge(acting, "EXC-1")
        resolve(acting, "EXC-1", code, "done", **more)  # type: ignore[arg-type]  # a test's keywords


def test_a_finding_becomes_a_case_with_two_named_owners_and_two_deadlines(database: Database) -> None:
    intake = sweep(database, failed(finding()), names={"A-CL-1": "Acme"}, reads={SEATS.id: frozenset({"salesforce"})})
    assert (intake.opened, list(intake.references.values())) == (1, ["EXC-1"])
    with database.session() as session:
        case = only_case(session)
        assert (case.reference, case.state, case.severity, case.account_name) == ("EXC-1", "open", "S2", "Acme")
        assert (case.business_team, case.business_owner) == ("billing", "ann")
        assert (case.technical_team, case.technical_owner) == ("it", "ida")
        assert (case.first_detected_at, case.fails_from) == (NOW, NOW - 3 * DAY)
        assert case.ack_due_at == NOW + 4 * HOUR
        assert case.resolve_due_at == NOW + 2 * DAY
        assert (case.amount, case.currency, case.reporting_amount) == (Decimal("900"), "USD", Decimal("900"))
        assert case.reads == ["salesforce"]
        assert case.terms == {"seats": "18", "price": "50", "billed": "0"}


def test_the_opening_is_an_event_an_audit_entry_and_something_to_tell(database: Database) -> None:
    sweep(database, failed(finding()))
    with database.session() as session:
        event = session.scalars(select(CaseEvent)).one()
        assert (event.case_number, event.move, event.actor, event.at) == (1, "opened", "tieout:sweep", NOW)
        assert event.after["business_owner"] == "ann"
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.subject, entry.actor) == ("case.opened", "EXC-1", "tieout:sweep")
        items = session.scalars(select(NoticeItem).order_by(NoticeItem.id)).all()
        assert [(item.recipient, item.kind, item.ready_at) for item in items] == [
            ("team:billing", "opened", NOW),
            ("person:ann", "opened", NOW),
        ]


def test_evidence_is_kept_with_its_values(database: Database) -> None:
    asked: list[Record] = []

    def evidence(records: Collection[Record]) -> Mapping[Record, Mapping[str, str]]:
        asked.extend(records)
        return {record: {"quantity": "518"} for record in records if record.system == "metering"}

    sweep(database, failed(finding()), evidence=evidence)
    sweep(database, failed(finding()), at=NOW + HOUR, evidence=evidence)
    with database.session() as session:
        assert only_case(session).evidence == [
            {"system": "salesforce", "entity": "contract_lines", "key": "CL-1", "fields": {}},
            {"system": "metering", "entity": "entitlements", "key": "CL-1", "fields": {"quantity": "518"}},
        ]
    assert len(asked) == 2, "values of cases that have not changed are not asked for again"


def test_a_nul_in_the_text_of_a_source_stops_nothing(database: Database) -> None:
    record = Record("zuora", "invoices", "a\0b")
    sweep(
        database,
        failed(finding(message="odd\0text", record=record, evidence=(record,))),
        evidence=lambda records: {one: {"name": "x\0y"} for one in records},
    )
    with database.session() as session:
        case = only_case(session)
        assert (case.message, case.record_key) == ("oddtext", "ab")
        assert case.evidence[0] == {"system": "zuora", "entity": "invoices", "key": "ab", "fields": {"name": "xy"}}


def test_seen_again_it_is_the_same_case(database: Database) -> None:
    sweep(database, failed(finding()))
    again = sweep(database, failed(finding()), at=NOW + HOUR)
    assert (again.verdicts[Verdict.AGAIN], again.opened) == (1, 0)
    assert again.references == sweep(database, failed(finding()), at=NOW + HOUR).references
    with database.session() as session:
        case = only_case(session)
        assert (case.seen.occurrences, case.seen.last_at, case.first_detected_at) == (2, NOW + HOUR, NOW)
        assert session.scalar(select(func.count()).select_from(CaseEvent)) == 1


def test_a_new_amount_is_written_down(database: Database) -> None:
    sweep(database, failed(finding()))
    sweep(database, failed(finding(amount="1200.00")), at=NOW + HOUR)
    with database.session() as session:
        case = only_case(session)
        assert (case.amount, case.seen.occurrences) == (Decimal(1200), 2)
        change = session.scalars(select(CaseEvent).where(CaseEvent.move == "changed")).one()
        assert (change.before, change.after) == ({"amount": "900"}, {"amount": "1200", "currency": "USD"})


def test_a_case_follows_its_record_to_another_customer(database: Database) -> None:
    names = {"A-CL-1": "Acme", "B": "Brill"}
    sweep(database, failed(finding()), names=names)
    sweep(database, failed(finding(account_key="B")), at=NOW + HOUR, names=names)
    with database.session() as session:
        assert (only_case(session).account_key, only_case(session).account_name) == ("B", "Brill")
    by_hand(database, NOW + 2 * HOUR)
    sweep(database, failed(finding(account_key=None)), at=NOW + 3 * HOUR, names=names)
    with database.session() as session:
        case = only_case(session)
        assert (case.number, case.cycle, case.account_key, case.account_name) == (1, 2, None, None)


def test_more_severe_tightens_the_deadlines_and_less_severe_changes_nothing(database: Database) -> None:
    sweep(database, failed(finding()))
    sweep(database, failed(finding(amount="30000.00", severity=Severity.S1)), at=NOW + HOUR)
    with database.session() as session:
        case = only_case(session)
        assert (case.severity, case.ack_due_at) == ("S1", NOW + 2 * HOUR)
        # Eight hours from 10:30 in New York: six and a half today.
        assert case.resolve_due_at == NOW + DAY + HOUR
    sweep(database, failed(finding(amount="10.00", severity=Severity.S3)), at=NOW + 2 * HOUR)
    with database.session() as session:
        assert (only_case(session).severity, only_case(session).amount) == ("S1", Decimal(10))


def test_two_clean_evaluations_on_newer_data_resolve(database: Database) -> None:
    sweep(database, failed(finding()))
    assert sweep(database, passed(), at=NOW + HOUR).cleared == 0
    assert state_of(database) == "open"
    assert sweep(database, passed(), at=NOW + 2 * HOUR).cleared == 1
    with database.session() as session:
        case = session.get_one(Case, 1)
        assert (case.state, case.resolution, case.verified_at) == ("verified", "auto_verified", NOW + 2 * HOUR)
        assert case.next_step_at is None
        moves = session.scalars(select(CaseEvent.move).order_by(CaseEvent.id)).all()
        assert moves == ["opened", "auto_resolved", "verified"]


def test_the_same_sweep_twice_is_one_clean_evaluation(database: Database) -> None:
    sweep(database, failed(finding()))
    for _ in range(3):
        assert sweep(database, passed(), at=NOW + HOUR).cleared == 0
    for hours in (2, 3):  # later, but of the same data
        assert sweep(database, passed(), at=NOW + hours * HOUR, data=NOW + HOUR).cleared == 0


def test_clean_on_the_data_that_showed_it_is_no_clean_evaluation(database: Database) -> None:
    sweep(database, failed(finding()))
    sweep(database, passed(), at=NOW + HOUR, data=NOW)
    assert sweep(database, passed(), at=NOW + 2 * HOUR).cleared == 0


def test_clean_on_older_data_than_the_last_sighting_is_no_clean_evaluation(database: Database) -> None:
    sweep(database, failed(finding()))
    sweep(database, failed(finding()), at=NOW + 2 * HOUR)
    sweep(database, passed(), at=NOW + 3 * HOUR, data=NOW + HOUR)
    assert sweep(database, passed(), at=NOW + 4 * HOUR).cleared == 0


def test_a_sweep_that_began_before_the_gate_and_sees_the_same_is_not_clean(database: Database) -> None:
    sweep(database, failed(finding()), at=NOW + 2 * HOUR, data=NOW, conclusive=False)
    sweep(database, failed(finding()), at=NOW + HOUR)
    assert sweep(database, passed(), at=NOW + 3 * HOUR).cleared == 0


def test_a_finding_between_two_clean_evaluations_begins_the_count_anew(database: Database) -> None:
    sweep(database, failed(finding()))
    sweep(database, passed(), at=NOW + HOUR)
    sweep(database, failed(finding()), at=NOW + 2 * HOUR)
    assert sweep(database, passed(), at=NOW + 3 * HOUR).cleared == 0
    assert sweep(database, passed(), at=NOW + 4 * HOUR).cleared == 1


@pytest.mark.parametrize("outcome", [Outcome.NOT_EVALUATED, Outcome.NOT_APPLICABLE])
def test_what_was_not_asked_never_resolves(database: Database, outcome: Outcome) -> None:
    sweep(database, failed(finding()))
    for hours in range(1, 5):
        assert sweep(database, Evaluation(SEATS, outcome, "stale"), at=NOW + hours * HOUR).cleared == 0
    assert state_of(database) == "open"


def test_an_account_that_was_not_covered_is_not_clean(database: Database) -> None:
    sweep(database, failed(finding("CL-1"), finding("CL-2")))
    for hours in (1, 2):
        covered = replace(passed(), accounts=frozenset({"A-CL-2"}))
        sweep(database, covered, at=NOW + hours * HOUR)
    assert states(database) == {"CL-1": "open", "CL-2": "verified"}


def test_what_belongs_to_nobody_is_clean_only_where_all_was_covered(database: Database) -> None:
    sweep(database, failed(finding(account_key=None)))
    for hours in (1, 2):
        sweep(database, replace(passed(), accounts=frozenset({"A-CL-1"})), at=NOW + hours * HOUR)
    assert state_of(database) == "open"
    for hours in (3, 4):
        sweep(database, passed(), at=NOW + hours * HOUR)
    assert state_of(database) == "verified"


def test_a_person_does_not_wait_for_a_sweep(database: Database) -> None:
    sweep(database, failed(finding()))
    with database.session() as sweeping:
        take_in(sweeping, [failed(finding())], context(NOW + HOUR), NOW + HOUR)
        with database.session() as session:
            session.execute(text("SET LOCAL lock_timeout = '20s'"))
            assert acknowledge(Acting(session, OWNERS, "ann", NOW + HOUR), "EXC-1").state == "acknowledged"


def test_a_row_that_waits_is_not_clean_and_does_not_hold_up_the_others(database: Database) -> None:
    sweep(database, failed(finding("CL-1"), finding("CL-2")))
    waits = Waiting("A-CL-1", Record("salesforce", "contract_lines", "CL-1"), None, "the meter is behind")
    partly = Evaluation(SEATS, Outcome.NOT_EVALUATED, "the meter is behind", (), (waits,))
    for hours in (1, 2):
        sweep(database, partly, at=NOW + hours * HOUR)
    assert states(database) == {"CL-1": "open", "CL-2": "verified"}


def test_the_gate_opens_cases_and_counts_no_absence(database: Database) -> None:
    assert sweep(database, failed(finding()), conclusive=False).opened == 1
    for hours in (1, 2, 3):
        sweep(database, passed(), at=NOW + hours * HOUR, conclusive=False)
    sweep(database, failed(finding(amount="5.00")), at=NOW + 4 * HOUR, conclusive=False)
    with database.session() as session:
        case = only_case(session)
        assert (case.state, case.amount, case.seen.occurrences) == ("open", Decimal(900), 1)


def test_the_current_references_are_found_without_a_lock(database: Database) -> None:
    seen = finding()
    sweep(database, failed(seen))
    with database.session() as holder, database.session() as reader:
        holder.execute(text("SELECT * FROM cases FOR UPDATE"))
        assert references(reader, [seen.fingerprint, "other"]) == {seen.fingerprint: "EXC-1"}


def test_disputed_and_overridden_cases_are_not_resolved_by_their_check(database: Database) -> None:
    sweep(database, failed(finding("CL-1"), finding("CL-2")))
    with database.session() as session:
        dispute(Acting(session, OWNERS, "ann", NOW), "EXC-1", "the customer says otherwise")
        session.get_one(Case, 2).overridden = True
    for hours in (1, 2, 3):
        sweep(database, passed(), at=NOW + hours * HOUR)
    assert (state_of(database, 1), state_of(database, 2)) == ("open", "open")


def test_resolved_by_hand_it_is_verified_by_the_next_clean_evaluation(database: Database) -> None:
    sweep(database, failed(finding()))
    by_hand(database, NOW + HOUR)
    assert sweep(database, passed(), at=NOW + 2 * HOUR, data=NOW + HOUR).verified == 0
    assert state_of(database) == "resolved"
    assert sweep(database, passed(), at=NOW + 2 * HOUR).verified == 1
    with database.session() as session:
        assert only_case(session).resolution == "fixed_at_source"


def test_resolved_and_still_there_it_returns_with_a_new_cycle(database: Database) -> None:
    sweep(database, failed(finding()))
    by_hand(database, NOW + HOUR)
    old = sweep(database, failed(finding()), at=NOW + 2 * HOUR, data=NOW + HOUR)
    assert (old.verdicts[Verdict.OLD_NEWS], state_of(database)) == (1, "resolved")
    back = sweep(database, failed(finding(amount="950.00")), at=NOW + DAY)
    assert back.verdicts[Verdict.REGRESSED] == 1
    with database.session() as session:
        case = only_case(session)
        assert (case.number, case.state, case.cycle, case.regressed) == (1, "open", 2, True)
        assert (case.resolution, case.acknowledged_at, case.amount) == (None, None, Decimal(950))
        assert case.ack_due_at == NOW + DAY + 4 * HOUR
        event = session.scalars(select(CaseEvent).where(CaseEvent.move == "regressed")).one()
        assert event.before == {"state": "resolved", "resolution": "fixed_at_source", "cycle": 1}


def test_verified_and_back_within_the_window_it_is_the_same_case(database: Database) -> None:
    sweep(database, failed(finding()))
    for hours in (1, 2):
        sweep(database, passed(), at=NOW + hours * HOUR)
    sweep(database, failed(finding()), at=NOW + 20 * DAY)
    with database.session() as session:
        assert (only_case(session).number, only_case(session).state) == (1, "open")


def test_back_after_the_window_it_is_a_new_case_that_names_the_old(database: Database) -> None:
    sweep(database, failed(finding()))
    for hours in (1, 2):
        sweep(database, passed(), at=NOW + hours * HOUR)
    late = sweep(database, failed(finding()), at=NOW + 40 * DAY)
    assert (late.opened, list(late.references.values())) == (1, ["EXC-2"])
    with database.session() as session:
        case = only_case(session)
        assert (case.number, case.recurrence_of, case.regressed) == (2, 1, False)
        assert session.get_one(Case, 1).state == "verified"


def test_an_accepted_risk_does_not_return_until_it_grows(database: Database) -> None:
    sweep(database, failed(finding()))
    by_hand(database, NOW + HOUR, Resolution.ACCEPTED_RISK, approver="eve", until=NOW + 30 * DAY)
    assert sweep(database, failed(finding()), at=NOW + DAY).verdicts[Verdict.ACCEPTED] == 1
    assert state_of(database) == "resolved"
    assert sweep(database, failed(finding(amount="900.01")), at=NOW + 2 * DAY).verdicts[Verdict.REGRESSED] == 1


def test_a_newer_version_of_the_check_judges_anew(database: Database) -> None:
    sweep(database, failed(finding()))
    newer = check(version=2)
    for hours in (1, 2):
        sweep(database, failed(finding(of=newer, version=2), of=newer), at=NOW + hours * HOUR)
    with database.session() as session:
        states = session.execute(select(Case.number, Case.check_version, Case.state).order_by(Case.number)).all()
        assert [tuple(row) for row in states] == [(1, 1, "verified"), (2, 2, "open")]


def test_the_symptoms_of_a_stale_source_hang_on_its_case(database: Database) -> None:
    stale = finding("metering", of=STALE, record=Record("metering", "usage_events", "*"), account_key=None)
    reads = {SEATS.id: frozenset({"salesforce", "metering"}), "other": frozenset({"zuora"})}
    other = check("other")
    sweep(
        database,
        failed(stale, of=STALE),
        failed(finding("CL-1")),
        failed(finding("CL-2", of=other), of=other),
        reads=reads,
    )
    with database.session() as session:
        parents = dict(session.execute(select(Case.check_id, Case.parent)).all())
        source = session.scalars(select(Case.number).where(Case.check_id == STALE.id)).one()
        assert parents == {STALE.id: None, SEATS.id: source, "other": None}


def test_terms_are_frozen_when_the_case_opens(database: Database) -> None:
    sweep(database, failed(finding()))
    by_hand(database, NOW + HOUR)
    laxer = OWNERS.model_copy(update={"sla": OWNERS.sla.model_copy(update={"S2": OWNERS.sla.S3})})
    with database.session() as session:
        take_in(session, [failed(finding())], context(NOW + DAY, laxer), NOW + DAY)
    with database.session() as session:
        assert only_case(session).ack_due_at == NOW + DAY + 4 * HOUR


def test_the_cut_off_of_a_run_is_kept_with_the_case(database: Database) -> None:
    cut_off = NOW + 2 * HOUR
    sweep(database, failed(finding(severity=Severity.S1)), cut_off=cut_off)
    with database.session() as session:
        case = only_case(session)
        assert (case.cut_off_at, case.resolve_due_at) == (cut_off, cut_off)


def test_two_intakes_at_once_open_one_case(database: Database) -> None:
    with database.session() as first:
        take_in(first, [failed(finding("CL-1"))], context(NOW), NOW)
        with database.session() as second:
            second.execute(text("SET LOCAL lock_timeout = '20s'"))
            assert take_in(second, [failed(finding("CL-2"))], context(NOW), NOW).opened == 1
    assert sweep(database, failed(finding("CL-1"), finding("CL-2")), at=NOW + HOUR).opened == 0


def test_a_rolled_back_intake_leaves_nothing(database: Database) -> None:
    def killed() -> None:
        with database.session() as session:
            take_in(session, [failed(finding())], context(NOW), NOW)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        killed()
    with database.session() as session:
        for table in (Case, CaseEvent, AuditEntry, NoticeItem):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_many_findings_at_once(database: Database) -> None:
    many = failed(*(finding(f"CL-{number}", amount=f"{number}.00") for number in range(3000)))
    assert sweep(database, many).opened == 3000
    assert sweep(database, many, at=NOW + HOUR).verdicts == {Verdict.AGAIN: 3000}
    sweep(database, passed(), at=NOW + 2 * HOUR)
    assert sweep(database, passed(), at=NOW + 3 * HOUR).cleared == 3000
    with database.session() as session:
        total = session.scalar(select(func.sum(Case.amount)))
        assert total == sum(range(3000))
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 9000


def test_s3_and_s4_wait_for_their_digest(database: Database) -> None:
    mild = finding("CL-1", severity=Severity.S3), finding("CL-2", severity=Severity.S4)
    sweep(database, failed(*mild))
    with database.session() as session:
        items = session.scalars(select(NoticeItem).order_by(NoticeItem.severity)).all()
        told = [(item.recipient, item.digest, item.ready_at) for item in items]
    opening = NOW - timedelta(minutes=30)
    assert told == [("person:ann", "daily", opening + DAY), ("person:ann", "weekly", opening + 6 * DAY)]


UNSURE: dict[str, Any] = {"confidence": Decimal("0.65"), "confidence_reasons": ("they only look alike",)}


def told(database: Database) -> list[tuple[str, str, str, str | None]]:
    """(recipient, kind, digest, why it was dropped) of everything to be told, in order."""
    with database.session() as session:
        items = session.scalars(select(NoticeItem).order_by(NoticeItem.id)).all()
        return [(one.recipient, one.kind, one.digest, one.dropped) for one in items]


def test_a_small_unsure_case_waits_in_the_review_queue_and_nobody_is_told(database: Database) -> None:
    sweep(database, failed(finding(severity=Severity.S3, **UNSURE)))
    assert told(database) == []
    with database.session() as session:
        case = only_case(session)
        assert (case.confidence, case.confidence_reasons) == (Decimal("0.65"), ["they only look alike"])
    for hours in (1, 2):
        sweep(database, passed(), at=NOW + hours * HOUR)
    assert told(database) == []


def test_a_large_unsure_case_still_reaches_a_person(database: Database) -> None:
    sweep(database, failed(finding(severity=Severity.S3, amount="1000.00", **UNSURE)))
    assert told(database) == [("person:ann", "opened", "daily", None)]


def test_an_urgent_case_is_told_at_once_however_unsure(database: Database) -> None:
    sweep(database, failed(finding(severity=Severity.S2, **UNSURE)))
    assert {(kind, digest) for _, kind, digest, _ in told(database)} == {("opened", "")}


def test_a_case_that_becomes_sure_is_told(database: Database) -> None:
    sweep(database, failed(finding(severity=Severity.S3, **UNSURE)))
    sweep(database, failed(finding(severity=Severity.S3)), at=NOW + HOUR)
    assert told(database) == [("person:ann", "opened", "daily", None)]
    with database.session() as session:
        assert only_case(session).confidence == 1


def test_a_case_that_becomes_urgent_does_not_wait_for_its_digest(database: Database) -> None:
    sweep(database, failed(finding(severity=Severity.S3)))
    sweep(database, failed(finding(severity=Severity.S1, amount="30000.00")), at=NOW + HOUR)
    withdrawn = "It became urgent before the digest, and was told at once."
    assert told(database) == [
        ("person:ann", "opened", "daily", withdrawn),
        ("team:billing", "opened", "", None),
        ("person:ann", "opened", "", None),
    ]
