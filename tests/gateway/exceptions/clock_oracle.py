"""Both clocks of a case the slow way: minute after minute, each asked whether it counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from gateway.exceptions.history import Entry
from gateway.exceptions.span import Span, Unit
from gateway.exceptions.states import CLOSED, PENDING
from gateway.exceptions.terms import Terms
from tests.gateway.exceptions.minute_oracle import MINUTE, SlowCalendar

HORIZON_MINUTES = 60 * 24 * 60


@dataclass
class Goal:
    """A deadline under way: how much of it is used, in its own unit."""

    span: Span
    used: Fraction = Fraction(0)

    def count(self, share: Fraction) -> bool:
        """Whether the goal is used up by the end of a minute that brings this share of a day."""
        self.used += share if self.span.unit is Unit.DAY else Fraction(int(share > 0))
        target = self.span.count if self.span.unit is Unit.DAY else self.span.minutes
        return self.used >= target


@dataclass
class SlowClock:
    """`due` and `elapsed` in minutes of the simulation; `stopped_at` where it was stopped."""

    goals: list[Goal]
    due: datetime | None = None
    stopped_at: datetime | None = None
    elapsed: int = 0

    def tick(self, minute: datetime, share: Fraction, now: datetime) -> None:
        reached = [goal.count(share) for goal in self.goals]
        if any(reached) and self.due is None:
            self.due = minute + MINUTE
        if minute < (self.stopped_at or now):
            self.elapsed += share > 0


@dataclass
class SlowCycle:
    ack: SlowClock
    resolve: SlowClock


def slow_cycles(
    history: Sequence[Entry],
    terms: Terms,
    calendar_of: Callable[[str], SlowCalendar],
    now: datetime,
) -> list[SlowCycle]:
    """Every cycle by itself, from its opening on until both deadlines are known."""
    known = [entry for entry in history if entry.at <= now]
    starts = [index for index, entry in enumerate(known) if entry.move in ("opened", "regressed")]
    ends = [*starts[1:], len(known)]
    return [
        _cycle(known[:start], known[start:end], terms, calendar_of, known[end].at if end < len(known) else now)
        for start, end in zip(starts, ends, strict=True)
    ]


def _cycle(
    before: Sequence[Entry],
    part: Sequence[Entry],
    terms: Terms,
    calendar_of: Callable[[str], SlowCalendar],
    now: datetime,
) -> SlowCycle:
    ack, resolve = SlowClock([]), SlowClock([])
    calendar = next((entry.calendar for entry in reversed(before) if entry.calendar), None)
    first = terms.policies[part[0].severity or ""]
    budget = Fraction(first.pause_budget.count)
    state, until = part[0].state, None
    waiting = list(part)
    minute = part[0].at
    for _ in range(HORIZON_MINUTES):
        while waiting and waiting[0].at <= minute:
            entry = waiting.pop(0)
            state, until = entry.state, entry.until if entry.until is not None else until
            calendar = entry.calendar or calendar
            if entry.severity is not None:
                policy = terms.policies[entry.severity]
                ack.goals += [Goal(policy.ack)] if policy.ack else []
                resolve.goals.append(Goal(policy.resolve))
            if (entry.move == "acknowledged" or state in CLOSED) and ack.stopped_at is None:
                ack.stopped_at = entry.at
            if state in CLOSED and resolve.stopped_at is None:
                resolve.stopped_at = entry.at
        assert calendar is not None
        share = calendar_of(calendar).share(minute)
        ack.tick(minute, share, now)
        if state in PENDING and until is not None and minute < until and budget > 0:
            budget -= share
        else:
            resolve.tick(minute, share, now)
        minute += MINUTE
        if ack.due and resolve.due and minute > now:
            return SlowCycle(ack, resolve)
    raise AssertionError("the slow clocks found no deadline")
