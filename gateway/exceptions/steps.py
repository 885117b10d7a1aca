"""Which reminders, breaches and rungs of the ladder are due. Pure; run again, it names nothing twice.

A rung counts from the planned instant of the rung before it, so a late job changes no plan. An acknowledgement
stops the ladder; one that expires starts it again from the first rung. After the last loop the case is orphaned.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.exceptions.calendar import Business, Calendar, add
from gateway.exceptions.clocks import Clock, business_of, cycles, policy_of
from gateway.exceptions.history import Entry, by_cycle, until_now
from gateway.exceptions.span import Span
from gateway.exceptions.states import ACTIVE, State
from gateway.exceptions.terms import Ladder, Terms

_LATE = timedelta(microseconds=1)


class StepKind(StrEnum):
    AT_RISK = "at_risk"
    BREACHED = "breached"
    RUNG = "rung"
    ORPHANED = "orphaned"
    ACK_EXPIRED = "ack_expired"
    PAUSE_OVER = "pause_over"


@dataclass(frozen=True)
class Step:
    """Something to do at `at`. `key` is unique within its case; `to` is whom a rung reaches, `clock` whose alarm."""

    key: str
    kind: StepKind
    at: datetime
    to: str | None = None
    clock: str | None = None


def due_steps(
    history: Sequence[Entry], terms: Terms, calendars: Mapping[str, Calendar], now: datetime
) -> tuple[Step, ...]:
    """The steps that are due by now and not yet recorded in the history, in order of their instants."""
    return tuple(step for step in _open_steps(history, terms, calendars, now) if step.at <= now)


def next_step_at(
    history: Sequence[Entry], terms: Terms, calendars: Mapping[str, Calendar], now: datetime
) -> datetime | None:
    """When the next step is due if nothing happens before; it may lie in the past. None for a closed case."""
    return min((step.at for step in _open_steps(history, terms, calendars, now)), default=None)


def _open_steps(history: Sequence[Entry], terms: Terms, calendars: Mapping[str, Calendar], now: datetime) -> list[Step]:
    known = until_now(history, now)
    if not known or known[-1].state not in ACTIVE:
        return []
    done = {entry.step for entry in known if entry.step is not None}
    steps = [step for step in _all_steps(known, terms, calendars, now) if step.key not in done]
    return sorted(steps, key=lambda step: (step.at, step.key))


def _all_steps(
    known: Sequence[Entry], terms: Terms, calendars: Mapping[str, Calendar], now: datetime
) -> Iterator[Step]:
    cycle = cycles(known, terms, calendars, now)[-1]
    part = by_cycle(known)[-1]
    policy = policy_of(part, terms)
    business = business_of(known, calendars)
    mark = f"c{cycle.number}"
    for clock in (cycle.ack, cycle.resolve):
        if clock is not None and clock.stopped_at is None:
            yield from _alarms(mark, clock, now)
    if part[-1].state is State.OPEN:
        yield from _ladder(mark, part, policy.ladder, business, now)
    if part[-1].state is State.ACKNOWLEDGED and policy.ack_timeout is not None:
        active = max(entry.at for entry in part if not entry.by_system)
        expires = add(business, active, policy.ack_timeout)
        yield Step(f"{mark}.expired.{active:%Y%m%dT%H%M%S%f}", StepKind.ACK_EXPIRED, expires)
    if cycle.pause_ends_at is not None:
        pended = max(entry.at for entry in part if entry.until is not None)
        yield Step(f"{mark}.pause.{pended:%Y%m%dT%H%M%S%f}", StepKind.PAUSE_OVER, cycle.pause_ends_at)


def _alarms(mark: str, clock: Clock, now: datetime) -> Iterator[Step]:
    """A breach makes the warning before it pointless."""
    if now <= clock.due_at:
        yield Step(f"{mark}.{clock.name}.at_risk", StepKind.AT_RISK, clock.at_risk_at, clock=clock.name)
    yield Step(f"{mark}.{clock.name}.breached", StepKind.BREACHED, clock.due_at + _LATE, clock=clock.name)


def _ladder(mark: str, part: Sequence[Entry], ladder: Ladder, business: Business, now: datetime) -> Iterator[Step]:
    """The rungs since the case was last open without an acknowledgement, and one more that lies ahead."""
    starts = [part[0].at, *(entry.at for entry in part if entry.move == "ack_expired")]
    at = starts[-1]
    for loop in range(1, ladder.loops + 1):
        for number, rung in enumerate(ladder.rungs, start=1):
            at = _later(business, at, rung.after, ladder.wall_clock)
            yield Step(f"{mark}.r{len(starts)}.l{loop}.s{number}", StepKind.RUNG, at, to=rung.to)
            if at > now:
                return
    if ladder.rungs:
        at = _later(business, at, ladder.rungs[-1].after, ladder.wall_clock)
        yield Step(f"{mark}.r{len(starts)}.orphaned", StepKind.ORPHANED, at)


def _later(business: Business, at: datetime, span: Span, wall_clock: bool) -> datetime:
    return at + timedelta(minutes=span.minutes) if wall_clock else add(business, at, span)
