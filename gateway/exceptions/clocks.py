"""The two clocks of a case, as pure functions of its events, its frozen terms, its calendars and now.

The ack clock runs from the opening to the first acknowledgement and never pauses. The resolve clock runs from the
opening to the resolution and pauses while the case waits for the customer, a vendor or an approval; a pause ends
when the case moves on, at the latest at the announced instant, and when the pauses of the cycle have used their
budget, whether or not anybody was there to note it. Both run on business time. A case that comes back starts a
new cycle with both clocks anew; what the earlier cycles showed stays as it was.

A clock is late from the first microsecond after `due_at`. When a case becomes more severe, the tighter of the
old deadline and the new one, counted from the change, holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import chain

from gateway.exceptions.calendar import Business, Calendar, Relay, Without, add, add_days, add_time, days, elapsed
from gateway.exceptions.history import Entry, by_cycle, until_now
from gateway.exceptions.span import Span
from gateway.exceptions.states import PENDING, State
from gateway.exceptions.terms import Policy, Terms

RISK_SHARE = Fraction(3, 4)
RISK_MARGIN = timedelta(minutes=30)

Pauses = tuple[tuple[datetime, datetime], ...]


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"


@dataclass(frozen=True)
class Clock:
    """Lengths are open time. `remaining` is negative once late; a stopped clock keeps what it showed then.

    `due_at` counts a pause under way as lasting until its announced end. `at_risk_at` is when three quarters of
    the time are used or 30 minutes are left (the quarter alone, where the whole is not more than 30 minutes).
    """

    name: str
    state: ClockState
    started_at: datetime
    due_at: datetime
    at_risk_at: datetime
    stopped_at: datetime | None
    elapsed: timedelta
    remaining: timedelta
    paused: timedelta
    at_risk: bool


@dataclass(frozen=True)
class Cycle:
    """From an opening or a return to the resolution. `ack` is None where the policy asks for none."""

    number: int
    started_at: datetime
    ack: Clock | None
    resolve: Clock
    pause_ends_at: datetime | None


def cycles(
    history: Sequence[Entry], terms: Terms, calendars: Mapping[str, Calendar], now: datetime
) -> tuple[Cycle, ...]:
    """All cycles up to now, the last one being the present one. Empty before the opening."""
    known = until_now(history, now)
    if not known:
        return ()
    found: list[Cycle] = []
    parts = by_cycle(known)
    for number, part in enumerate(parts, start=1):
        told = list(chain.from_iterable(parts[:number]))
        end = parts[number][0].at if number < len(parts) else now
        found.append(_cycle(number, part, terms, business_of(told, calendars), end))
    return tuple(found)


def business_of(history: Sequence[Entry], calendars: Mapping[str, Calendar]) -> Relay:
    """The calendars that the case has been on, each from the event that named it."""
    return Relay(tuple((entry.at, calendars[entry.calendar]) for entry in history if entry.calendar is not None))


def policy_of(part: Sequence[Entry], terms: Terms) -> Policy:
    """The policy in force at the end of this part of a history."""
    severity = [entry.severity for entry in part if entry.severity is not None][-1]
    return terms.policies[severity]


def _cycle(number: int, part: Sequence[Entry], terms: Terms, business: Business, end: datetime) -> Cycle:
    opened = part[0]
    policies = [(entry.at, terms.policies[entry.severity]) for entry in part if entry.severity is not None]
    pauses = _pauses(part, business, policies[0][1].pause_budget)
    resolved = next((entry.at for entry in part if entry.state in (State.RESOLVED, State.VERIFIED)), None)
    acked = next((entry.at for entry in part if entry.move == "acknowledged"), resolved)
    resolve = _clock(
        "resolve",
        business,
        pauses,
        [(at, policy.resolve) for at, policy in policies],
        opened.cut_off if policies[-1][1].before_cut_off else None,
        resolved,
        end,
    )
    asked = [(at, policy.ack) for at, policy in policies if policy.ack is not None]
    ack = _clock("ack", business, (), asked, None, acked, end, opened.at) if asked else None
    return Cycle(number, opened.at, ack, resolve, _pause_under_way(part, pauses))


def _clock(
    name: str,
    business: Business,
    pauses: Pauses,
    goals: Sequence[tuple[datetime, Span]],
    cap: datetime | None,
    stopped_at: datetime | None,
    now: datetime,
    started_at: datetime | None = None,
) -> Clock:
    running = Without(business, pauses)
    start = started_at or goals[0][0]
    due_at = min(add(running, begun, span) for begun, span in goals)
    if cap is not None:
        due_at = min(due_at, cap)
    at = stopped_at or now
    used = elapsed(running, start, at)
    at_risk_at = _at_risk_at(running, start, due_at)
    state = _state(stopped_at, at, due_at, pauses)
    return Clock(
        name=name,
        state=state,
        started_at=start,
        due_at=due_at,
        at_risk_at=at_risk_at,
        stopped_at=stopped_at,
        elapsed=used,
        remaining=elapsed(running, at, due_at) if at <= due_at else -elapsed(running, due_at, at),
        paused=elapsed(business, start, at) - used,
        at_risk=state in (ClockState.RUNNING, ClockState.PAUSED) and at >= at_risk_at,
    )


def _state(stopped_at: datetime | None, at: datetime, due_at: datetime, pauses: Pauses) -> ClockState:
    if at > due_at:
        return ClockState.BREACHED
    if stopped_at is not None:
        return ClockState.MET
    paused = any(start <= at < end for start, end in pauses)
    return ClockState.PAUSED if paused else ClockState.RUNNING


def _at_risk_at(running: Business, start: datetime, due_at: datetime) -> datetime:
    whole = elapsed(running, start, due_at)
    used = whole * RISK_SHARE.numerator // RISK_SHARE.denominator
    if whole > RISK_MARGIN:
        used = min(used, whole - RISK_MARGIN)
    return add_time(running, start, used)


def _pauses(part: Sequence[Entry], business: Business, budget: Span) -> Pauses:
    left = Fraction(budget.count)
    pauses: list[tuple[datetime, datetime]] = []
    for number, entry in enumerate(part):
        if entry.until is None or left <= 0:
            continue
        moved_on = next((later.at for later in part[number + 1 :] if later.state not in PENDING), entry.until)
        end = min(entry.until, moved_on)
        if days(business, entry.at, end) > left:
            end = add_days(business, entry.at, left)
        if end > entry.at:
            pauses.append((entry.at, end))
            left -= days(business, entry.at, end)
    return tuple(pauses)


def _pause_under_way(part: Sequence[Entry], pauses: Pauses) -> datetime | None:
    """When the pause that the case is in ends; its own instant where the budget was used up before it began."""
    if part[-1].state not in PENDING:
        return None
    pended = next(entry for entry in reversed(part) if entry.until is not None)
    return next((end for start, end in pauses if start == pended.at), pended.at)
