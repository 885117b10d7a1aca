"""Reminders, breaches, ladders: what is due, in order, and never twice."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exceptions.calendar import Calendar, Hours
from gateway.exceptions.history import Entry
from gateway.exceptions.span import Span
from gateway.exceptions.states import State
from gateway.exceptions.steps import Step, StepKind, due_steps, next_step_at
from gateway.exceptions.terms import Ladder, Policy, Rung, Terms

WEEK = (((9 * 60, 17 * 60),),) * 5 + ((),) * 2
CALENDARS = {"office": Calendar([Hours(date(2020, 1, 1), "UTC", WEEK)])}


def span(text: str) -> Span:
    return Span.parse(text)


QUICK = Ladder((Rung("lead", span("1h")), Rung("person:eve", span("2h"))), loops=2, wall_clock=True)
CALM = Ladder((Rung("lead", span("1bd")), Rung("person:eve", span("1bd"))))
TERMS = Terms(
    {
        "S1": Policy(span("1h"), span("8h"), span("2h"), QUICK),
        "S3": Policy(span("1bd"), span("5bd"), span("2bd"), CALM),
    }
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def opened(when: datetime, severity: str = "S1") -> Entry:
    return Entry(when, "opened", State.OPEN, True, severity=severity, calendar="office")


def due(history: list[Entry], now: datetime) -> list[tuple[StepKind, str | None]]:
    return [(step.kind, step.to or step.clock) for step in due_steps(history, TERMS, CALENDARS, now)]


def test_nothing_is_due_at_the_opening() -> None:
    history = [opened(at(1, 9))]
    assert due(history, at(1, 9)) == []
    assert next_step_at(history, TERMS, CALENDARS, at(1, 9)) == at(1, 9, 30)


def test_the_first_hour_of_an_urgent_case() -> None:
    history = [opened(at(1, 9))]
    assert due(history, at(1, 9, 30)) == [(StepKind.AT_RISK, "ack")]
    assert due(history, at(1, 10)) == [(StepKind.AT_RISK, "ack"), (StepKind.RUNG, "lead")]
    assert due(history, at(1, 10, 1)) == [(StepKind.RUNG, "lead"), (StepKind.BREACHED, "ack")]


def test_a_wall_clock_ladder_runs_through_the_night_and_the_other_does_not() -> None:
    friday = at(4, 16, 30)
    saturday = at(5, 12)
    assert (StepKind.RUNG, "person:eve") in due([opened(friday)], saturday)
    assert due([opened(friday, "S3")], saturday) == []


def test_rungs_count_from_the_planned_instant_of_the_rung_before() -> None:
    late_job = due_steps([opened(at(1, 9))], TERMS, CALENDARS, at(1, 13))
    assert [step.at for step in late_job if step.kind is StepKind.RUNG] == [at(1, 10), at(1, 12), at(1, 13)]


def test_after_the_last_loop_it_is_orphaned() -> None:
    steps = due_steps([opened(at(1, 9))], TERMS, CALENDARS, at(1, 17))
    assert [step.to for step in steps if step.kind is StepKind.RUNG] == ["lead", "person:eve"] * 2
    assert [step.at for step in steps if step.kind is StepKind.ORPHANED] == [at(1, 17)]


def test_an_acknowledgement_stops_the_ladder_and_its_expiry_starts_it_again() -> None:
    acked = [opened(at(1, 9)), Entry(at(1, 9, 20), "acknowledged", State.ACKNOWLEDGED)]
    assert due(acked, at(1, 11, 20)) == [(StepKind.ACK_EXPIRED, None)]
    assert due(acked, at(1, 11, 19)) == []
    expired = [*acked, Entry(at(1, 11, 20), "ack_expired", State.OPEN, True, step="x")]
    assert due(expired, at(1, 12, 20)) == [(StepKind.RUNG, "lead")]


def test_activity_pushes_the_expiry_back_and_the_system_is_no_activity() -> None:
    acked = [opened(at(1, 9)), Entry(at(1, 9, 20), "acknowledged", State.ACKNOWLEDGED)]
    spoken = [*acked, Entry(at(1, 11), "commented", State.ACKNOWLEDGED)]
    changed = [*acked, Entry(at(1, 11), "changed", State.ACKNOWLEDGED, True)]
    assert (StepKind.ACK_EXPIRED, None) not in due(spoken, at(1, 12, 59))
    assert (StepKind.ACK_EXPIRED, None) in due(spoken, at(1, 13))
    assert (StepKind.ACK_EXPIRED, None) in due(changed, at(1, 11, 20))


def test_a_pause_ends_by_itself() -> None:
    history = [opened(at(1, 9), "S3"), Entry(at(1, 10), "acknowledged", State.ACKNOWLEDGED)]
    history += [Entry(at(1, 10), "started", State.IN_PROGRESS)]
    history += [Entry(at(1, 11), "pended", State.PENDING_VENDOR, until=at(3, 9))]
    assert due(history, at(2, 17)) == []
    assert due(history, at(3, 9)) == [(StepKind.PAUSE_OVER, None)]


def test_a_closed_case_has_no_steps() -> None:
    history = [opened(at(1, 9)), Entry(at(1, 9, 10), "auto_resolved", State.RESOLVED, True)]
    assert due(history, at(9, 9)) == []
    assert next_step_at(history, TERMS, CALENDARS, at(9, 9)) is None


def test_a_return_begins_the_ladder_anew() -> None:
    history = [opened(at(1, 9)), Entry(at(1, 9, 10), "resolved", State.RESOLVED)]
    history += [Entry(at(7, 9), "regressed", State.OPEN, True, severity="S1", calendar="office")]
    steps = due_steps(history, TERMS, CALENDARS, at(7, 10))
    assert [step.key for step in steps] == ["c2.ack.at_risk", "c2.r1.l1.s1"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.sampled_from(["S1", "S3"]))
def test_however_often_the_job_runs_each_step_happens_once(gaps: list[int], severity: str) -> None:
    history = [opened(at(1, 9), severity)]
    now, done = at(1, 9), list[Step]()
    for gap in gaps:
        now += timedelta(minutes=gap)
        for step in due_steps(history, TERMS, CALENDARS, now):
            done.append(step)
            history.append(Entry(now, "escalated", State.OPEN, True, step=step.key))
        assert due_steps(history, TERMS, CALENDARS, now) == ()
    keys = [step.key for step in done]
    assert len(keys) == len(set(keys))
    at_once = due_steps([opened(at(1, 9), severity)], TERMS, CALENDARS, now)
    assert {step.key for step in at_once} == {key for key in keys if not _overtaken(key, keys)}


def _overtaken(key: str, keys: list[str]) -> bool:
    """A warning is pointless once the breach is known."""
    return key.endswith("at_risk") and key.replace("at_risk", "breached") in keys
