"""What happened to a case, as far as clocks and ladders need it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.exceptions.states import State


@dataclass(frozen=True)
class Entry:
    """One event. `state` is the state after it.

    `severity` and `calendar` stand on the opening, on a return, and where they change; `until` on a pause;
    `cut_off` on an opening; `step` is the key of the escalation step that the event records.
    """

    at: datetime
    move: str
    state: State
    by_system: bool = False
    severity: str | None = None
    calendar: str | None = None
    until: datetime | None = None
    cut_off: datetime | None = None
    step: str | None = None


def until_now(history: Iterable[Entry], now: datetime) -> list[Entry]:
    """What had happened by `now`, in order of time."""
    return sorted((entry for entry in history if entry.at <= now), key=lambda entry: entry.at)


def by_cycle(history: Sequence[Entry]) -> list[list[Entry]]:
    """Cut where a case opens or comes back. Entries in order of time."""
    cycles: list[list[Entry]] = []
    for entry in history:
        if entry.move in ("opened", "regressed") or not cycles:
            cycles.append([])
        cycles[-1].append(entry)
    return cycles
