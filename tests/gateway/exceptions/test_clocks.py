"""The two clocks: worked examples, and every history against the minute-by-minute oracle."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exceptions.calendar import Calendar, Hours, elapsed
from gateway.exceptions.clocks import ClockState, Cycle, business_of, cycles
from gateway.exceptions.history import Entry, by_cycle
from gateway.exceptions.span import Span
from gateway.exceptions.states import State
from gateway.exceptions.terms import Ladder, Policy, Terms
from tests.gateway.exceptions.clock_oracle import SlowClock, slow_cycles
from tests.gateway.exceptions.minute_oracle import MINUTE, SlowCalendar

WEEK = (((9 * 60, 17 * 60),),) * 5 + ((),) * 2
UTC_HOURS = Hours(date(2020, 1, 1), "UTC", WEEK)
CALENDARS = {"office": Calendar([UTC_HOURS]), "night": Calendar([Hours(date(2020, 1, 1), "UTC", (((0, 540),),) * 7)])}
LADDER = Ladder(())
TERMS = Terms(
    {
        "S1": Policy(Span.parse("1h"), Span.parse("8h"), None, LADDER, before_cut_off=True),
        "S2": Policy(Span.parse("4h"), Span.parse("2bd"), None, LADDER, pause_budget=Span.parse("3bd")),
        "S4": Policy(None, Span.parse("15bd"), None, LADDER),
    }
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def opened(when: datetime, severity: str = "S2", move: str = "opened") -> Entry:
    return Entry(when, move, State.OPEN, by_system=True, severity=severity, calendar="office")


def present(history: list[Entry], now: datetime) -> Cycle:
    return cycles(history, TERMS, CALENDARS, now)[-1]


def test_both_clocks_run_from_the_opening_on_business_time() -> None:
    cycle = present([opened(at(1, 15))], at(2, 10))
    assert cycle.ack is not None
    assert (cycle.ack.due_at, cycle.ack.elapsed, cycle.ack.remaining) == (
        at(2, 11),
        timedelta(hours=3),
        timedelta(hours=1),
    )
    assert (cycle.resolve.state, cycle.resolve.due_at) == (ClockState.RUNNING, at(3, 15))


def test_an_acknowledgement_stops_the_ack_clock_and_not_the_other() -> None:
    history = [opened(at(1, 9)), Entry(at(1, 10), "acknowledged", State.ACKNOWLEDGED)]
    cycle = present(history, at(1, 16))
    assert cycle.ack is not None
    assert (cycle.ack.state, cycle.ack.elapsed) == (ClockState.MET, timedelta(hours=1))
    assert cycle.resolve.elapsed == timedelta(hours=7)


def test_met_at_the_very_instant_and_breached_after_it() -> None:
    history = [opened(at(1, 9))]
    due = present(history, at(1, 9)).resolve.due_at
    on_time = present([*history, Entry(due, "resolved", State.RESOLVED)], at(9, 9)).resolve
    late = present([*history, Entry(due + MINUTE, "resolved", State.RESOLVED)], at(9, 9)).resolve
    assert (on_time.state, on_time.remaining) == (ClockState.MET, timedelta())
    assert late.state is ClockState.BREACHED


def test_a_breach_counts_on_below_zero_and_is_never_erased() -> None:
    history = [opened(at(1, 9))]
    running = present(history, at(3, 12)).resolve
    assert (running.state, running.remaining) == (ClockState.BREACHED, -timedelta(hours=3))
    resolved = present([*history, Entry(at(3, 12), "resolved", State.RESOLVED)], at(20, 12)).resolve
    assert (resolved.state, resolved.remaining) == (ClockState.BREACHED, -timedelta(hours=3))


def pended(when: datetime, until: datetime) -> Entry:
    return Entry(when, "pended", State.PENDING_CUSTOMER, until=until)


def test_waiting_pauses_the_resolve_clock_until_the_expected_instant() -> None:
    history = [opened(at(1, 9)), pended(at(1, 13), at(2, 13))]
    paused = present(history, at(2, 9))
    assert (paused.resolve.state, paused.resolve.elapsed) == (ClockState.PAUSED, timedelta(hours=4))
    assert paused.resolve.due_at == at(4, 9) - timedelta(hours=16) == at(3, 17)
    assert paused.pause_ends_at == at(2, 13)
    later = present(history, at(2, 15)).resolve  # nobody has resumed it, and the clock runs again all the same
    assert (later.state, later.elapsed, later.paused) == (
        ClockState.RUNNING,
        timedelta(hours=6),
        timedelta(hours=8),
    )


def test_the_deadline_moves_when_it_is_resumed_early() -> None:
    history = [
        opened(at(1, 9)),
        pended(at(1, 13), at(4, 13)),
        Entry(at(1, 15), "resumed", State.IN_PROGRESS),
    ]
    assert present(history, at(1, 16)).resolve.due_at == at(3, 11)


def test_the_budget_of_pauses_is_one_for_the_whole_cycle() -> None:
    history = [
        opened(at(1, 9)),
        pended(at(1, 9), at(3, 9)),  # two business days
        Entry(at(3, 9), "resumed", State.IN_PROGRESS),
        pended(at(3, 13), at(14, 9)),  # only one is left
    ]
    cycle = present(history, at(14, 9))
    assert cycle.pause_ends_at == at(4, 13)
    assert cycle.resolve.paused == timedelta(hours=24)


def test_at_risk_from_three_quarters_or_from_half_an_hour_before() -> None:
    history = [opened(at(1, 9), "S1")]
    cycle = present(history, at(1, 9, 29))
    assert cycle.ack is not None
    assert (cycle.ack.at_risk_at, cycle.ack.at_risk) == (at(1, 9, 30), False)
    assert cycle.resolve.at_risk_at == at(1, 15)
    assert present(history, at(1, 15)).resolve.at_risk


def test_the_cut_off_of_the_run_is_a_deadline_where_it_comes_earlier() -> None:
    entry = Entry(at(1, 9), "opened", State.OPEN, True, "S1", "office", cut_off=at(1, 12))
    cycle = present([entry], at(1, 13))
    assert (cycle.resolve.due_at, cycle.resolve.state) == (at(1, 12), ClockState.BREACHED)
    later = Entry(at(1, 9), "opened", State.OPEN, True, "S1", "office", cut_off=at(5, 12))
    assert present([later], at(1, 13)).resolve.due_at == at(1, 17)


def test_no_ack_is_asked_for_where_the_policy_has_none() -> None:
    assert present([opened(at(1, 9), "S4")], at(1, 10)).ack is None


def test_more_severe_means_the_tighter_of_both_deadlines() -> None:
    worse = Entry(at(1, 12), "changed", State.OPEN, True, severity="S1")
    assert present([opened(at(1, 9)), worse], at(1, 13)).resolve.due_at == at(2, 12)
    late = Entry(at(2, 16), "changed", State.OPEN, True, severity="S1")
    assert present([opened(at(1, 9)), late], at(2, 16)).resolve.due_at == at(2, 17)


def test_a_return_is_a_new_cycle_and_leaves_the_old_one_as_it_was() -> None:
    history = [
        opened(at(1, 9)),
        Entry(at(1, 12), "acknowledged", State.ACKNOWLEDGED),
        Entry(at(1, 13), "resolved", State.RESOLVED),
    ]
    once = cycles(history, TERMS, CALENDARS, at(2, 8))
    again = cycles([*history, opened(at(2, 9), move="regressed")], TERMS, CALENDARS, at(2, 10))
    assert again[0] == once[0]
    assert again[1].ack is not None
    assert (again[1].number, again[1].ack.state, again[1].resolve.due_at) == (2, ClockState.RUNNING, at(3, 17))
    handed_over = Entry(at(2, 9), "assigned", State.OPEN, calendar="night")
    moved = cycles([*history, opened(at(2, 9), move="regressed"), handed_over], TERMS, CALENDARS, at(2, 10))
    assert moved[0] == once[0]


def test_another_calendar_changes_only_what_is_still_to_come() -> None:
    handed_over = Entry(at(1, 13), "assigned", State.OPEN, calendar="night")
    cycle = present([opened(at(1, 9)), handed_over], at(2, 3))
    assert cycle.resolve.elapsed == timedelta(hours=4 + 3)


def test_what_happens_later_is_not_known_yet() -> None:
    history = [opened(at(1, 9)), Entry(at(1, 12), "resolved", State.RESOLVED)]
    assert present(history, at(1, 11)).resolve.state is ClockState.RUNNING
    assert cycles(history, TERMS, CALENDARS, at(1, 8)) == ()


# --- against the oracle ---

MOMENTS = st.sampled_from(
    [
        datetime(2026, 3, 6, tzinfo=UTC),
        datetime(2026, 3, 27, tzinfo=UTC),
        datetime(2026, 10, 23, tzinfo=UTC),
        datetime(2026, 10, 30, tzinfo=UTC),
    ]
)
ZONES = st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])


@st.composite
def versions(draw: st.DrawFn, moment: datetime) -> list[Hours]:
    """Hours on most days, around a change of the clocks; a holiday, a short day, and perhaps a new version."""
    found = []
    for begins in (date(2015, 1, 1), moment.date() + timedelta(days=draw(st.integers(0, 4)))):
        opens, length = draw(st.integers(0, 12)) * 60, draw(st.integers(4, 11)) * 60
        day = moment.date() + timedelta(days=draw(st.integers(0, 4)))
        found.append(
            Hours(
                begins,
                draw(ZONES),
                (((opens, opens + length),),) * 6 + ((),),
                holidays=frozenset({moment.date() + timedelta(days=draw(st.integers(0, 4)))}),
                days={day: ((opens, opens + 135),)},
            )
        )
    return found[: draw(st.integers(1, 2))]


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    def policy() -> Policy:
        return Policy(
            ack=Span.parse(f"{draw(st.integers(5, 300))}m"),
            resolve=Span.parse(draw(st.sampled_from(["90m", "5h", "1bd", "2bd", "9h"]))),
            ack_timeout=None,
            ladder=LADDER,
            pause_budget=Span.parse(draw(st.sampled_from(["1bd", "2bd"]))),
        )

    return Terms({"S1": policy(), "S2": policy()})


_NEXT = {
    State.OPEN: ["acknowledged", "resolved", "changed", "assigned"],
    State.ACKNOWLEDGED: ["started", "ack_expired", "resolved", "assigned"],
    State.IN_PROGRESS: ["pended", "pended", "pended", "resolved", "changed"],
    State.PENDING_VENDOR: ["resumed", "resumed", "assigned", "resolved"],
    State.RESOLVED: ["verified", "regressed"],
    State.VERIFIED: ["regressed"],
}
_STATES = {
    "acknowledged": State.ACKNOWLEDGED,
    "ack_expired": State.OPEN,
    "started": State.IN_PROGRESS,
    "pended": State.PENDING_VENDOR,
    "resumed": State.IN_PROGRESS,
    "resolved": State.RESOLVED,
    "verified": State.VERIFIED,
    "regressed": State.OPEN,
}


@st.composite
def histories(draw: st.DrawFn, moment: datetime) -> list[Entry]:
    minute = moment + draw(st.integers(0, 1440)) * MINUTE
    history = [
        Entry(minute, "opened", State.OPEN, True, severity=draw(st.sampled_from("12").map("S".__add__)), calendar="a")
    ]
    for _ in range(draw(st.integers(0, 8))):
        minute += draw(st.integers(0, 900)) * MINUTE
        state = history[-1].state
        move = draw(st.sampled_from(_NEXT[state]))
        history.append(
            Entry(
                minute,
                move,
                _STATES.get(move, state),
                severity="S1" if move in ("changed", "regressed") else None,
                calendar="b" if move == "assigned" else None,
                until=minute + draw(st.integers(1, 3000)) * MINUTE if move == "pended" else None,
            )
        )
    return history


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Entry], Terms, Mapping[str, list[Hours]], datetime]:
    moment = draw(MOMENTS)
    history = draw(histories(moment))
    now = history[-1].at + draw(st.integers(-600, 2000)) * MINUTE
    now = max(now, history[0].at)
    return history, draw(terms()), {"a": draw(versions(moment)), "b": draw(versions(moment))}, now


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_clocks_agree_with_the_oracle(
    world: tuple[list[Entry], Terms, Mapping[str, list[Hours]], datetime],
) -> None:
    history, promised, hours, now = world
    calendars = {name: Calendar(found) for name, found in hours.items()}
    slow = {name: SlowCalendar(found) for name, found in hours.items()}
    fast = cycles(history, promised, calendars, now)
    expected = slow_cycles(history, promised, slow.__getitem__, now)
    parts = by_cycle([entry for entry in history if entry.at <= now])
    assert len(fast) == len(expected)
    for cycle, slow_cycle in zip(fast, expected, strict=True):
        assert cycle.ack is not None
        business = business_of([entry for part in parts[: cycle.number] for entry in part], calendars)
        for clock, slow_clock in ((cycle.ack, slow_cycle.ack), (cycle.resolve, slow_cycle.resolve)):
            _same_due(clock.due_at, slow_clock)
            assert clock.stopped_at == slow_clock.stopped_at
            assert abs(clock.elapsed - slow_clock.elapsed * MINUTE) < MINUTE
            assert clock.elapsed + clock.paused == elapsed(
                business, clock.started_at, clock.stopped_at or _end(fast, cycle, now)
            )


def _same_due(due_at: datetime, slow: SlowClock) -> None:
    """A budget or a day that ends within a minute ends a part of that minute earlier."""
    assert slow.due is not None
    assert slow.due - 2 * MINUTE < due_at <= slow.due + MINUTE


def _end(found: tuple[Cycle, ...], cycle: Cycle, now: datetime) -> datetime:
    return found[cycle.number].started_at if cycle.number < len(found) else now
