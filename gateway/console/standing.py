"""Where each case stands with its deadlines: the clock that matters now, and what is to be said of it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, literal, select
from sqlalchemy.orm import Session

from gateway.exceptions.clocks import Clock, ClockState, Cycle, cycles
from gateway.exceptions.events import histories
from gateway.exceptions.history import Entry
from gateway.exceptions.promise import frozen_terms
from gateway.exceptions.states import ACTIVE
from gateway.exceptions.tables import Case
from gateway.exceptions.terms import Terms
from gateway.owners.model import Owners

Row = TypeVar("Row")


class Standing(StrEnum):
    """`ok` includes paused clocks; `met` and `missed` are what a stopped clock showed last."""

    OK = "ok"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    MISSED = "missed"


BATCH = 5_000
_URGENCY = (Standing.BREACHED, Standing.AT_RISK, Standing.OK)


@dataclass(frozen=True)
class Shown:
    """A standing with the clock that it comes from."""

    standing: Standing
    clock: Clock

    @property
    def paused(self) -> bool:
        return self.clock.state is ClockState.PAUSED


def of_cycle(cycle: Cycle) -> Shown:
    """The worst clock that still runs, of equals the earlier due one; the resolve clock where none runs."""
    running = [clock for clock in (cycle.ack, cycle.resolve) if clock is not None and clock.stopped_at is None]
    shown = [of_clock(clock) for clock in running]
    return min(shown, key=lambda one: (_URGENCY.index(one.standing), one.clock.due_at), default=of_clock(cycle.resolve))


def of_clock(clock: Clock) -> Shown:
    """What one clock says."""
    late = clock.state is ClockState.BREACHED
    if clock.stopped_at is not None:
        return Shown(Standing.MISSED if late else Standing.MET, clock)
    if late:
        return Shown(Standing.BREACHED, clock)
    return Shown(Standing.AT_RISK if clock.at_risk else Standing.OK, clock)


class Standings:
    """All active cases by where they stand. A sweep opens many cases with one history, which is worked out once."""

    def __init__(self, session: Session, owners: Owners, now: datetime) -> None:
        self._owners = owners
        self._now = now
        self._known: dict[tuple[str, tuple[Entry, ...]], Standing] = {}
        self._numbers = self._sorted(session)

    def numbers(self, standing: Standing) -> Collection[int]:
        return self._numbers[standing]

    def holds(self, standing: Standing) -> ColumnElement[bool]:
        """The condition on a case to be one of these; the numbers travel as one parameter."""
        return Case.number == any_(literal(sorted(self.numbers(standing)), ARRAY(BigInteger)))

    def _sorted(self, session: Session) -> Mapping[Standing, list[int]]:
        rows = session.execute(select(Case.number, Case.sla_terms).where(Case.state.in_(ACTIVE))).all()
        terms = frozen_terms(session, {digest for _, digest in rows})
        found: dict[Standing, list[int]] = defaultdict(list)
        for some in batched(rows, BATCH):
            known = histories(session, [number for number, _ in some])
            for number, digest in some:
                found[self._of(tuple(known[number]), digest, terms[digest])].append(number)
        return found

    def _of(self, history: tuple[Entry, ...], digest: str, terms: Terms) -> Standing:
        if (digest, history) not in self._known:
            at = max(self._now, history[0].at)
            told = cycles(history, terms, self._owners.business_calendars, at)
            self._known[digest, history] = of_cycle(told[-1]).standing
        return self._known[digest, history]


def batched(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """The rows in portions that fit into one statement's parameters."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
