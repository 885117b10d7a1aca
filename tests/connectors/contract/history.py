"""A source to which things happen, and an installation that follows it and is killed on the way."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from connectors.registry import kind_of
from gateway.db.session import Database
from sandbox.faults import Cut, Reset, Short, Slow, Strike, too_many, unavailable
from tests.connectors.conftest import Clock
from tests.connectors.contract.installed import SYSTEM, agrees, environment_of, live, rows_of, settings_of
from tests.connectors.contract.source import ContractSource, Place
from tests.connectors.contract.sources import Make
from tests.gateway.sync.systems import Reader, Row

STRIKES: Mapping[str, Strike] = {
    "busy": too_many(),
    "busy for a while": too_many(retry_after=1),
    "closed for the day": too_many(retry_after=40_000),
    "down": unavailable(),
    "cut": Cut(),
    "short": Short(),
    "slow": Slow(pause_s=0.001),
    "reset": Reset(),
    "reset after the work": Reset(done=True),
}
# Of every object more than the largest page of the sources holds.
TIES = 14
# A reader may need so many polls to outlive all that has been prepared for it.
MOST_POLLS = 12


class Killed(BaseException):
    """The process ends here. No code of the product expects it."""


class Executioner:
    """Looks on at a sync, by its clock or by its progress, and ends it at the `left`-th look."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._left: dict[str, int] = {}

    def come(self, by: str, left: int) -> None:
        self._left = {by: left}

    def leave(self) -> None:
        self._left = {}

    def time(self) -> datetime:
        self._look("clock")
        return self._clock()

    def progress(self, _source: str, _object: str, _records: int) -> None:
        self._look("progress")

    def _look(self, by: str) -> None:
        if by in self._left:
            self._left[by] -= 1
            if self._left[by] < 0:
                self.leave()
                raise Killed


class History:
    """One source with its clock, and the books of one installation. Use it as a context manager.

    `ahead`: how far the installation's clock is ahead of the source's. `census_hours` as in tieout.yaml.
    """

    def __init__(
        self,
        make: Make,
        folder: Path,
        database: Database,
        *,
        start: datetime,
        ahead: timedelta = timedelta(0),
        census_hours: int = 0,
        batch_records: int = 1,
    ) -> None:
        self.folder = folder
        self._clock = Clock(start)
        self._ahead = ahead
        self._census_hours = census_hours
        self._stack = ExitStack()
        self._executioner = Executioner(lambda: self._clock() + self._ahead)
        self.source: ContractSource = make(self._clock, folder)
        self._stack.callback(self.source.close)
        environment = self._stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in environment_of(self.source).items():
            environment.setenv(name, value)
        self._reader = Reader(self, database, self._settings(batch_records))
        self._shown: dict[Place, Row] = {}
        self._snapshot: str | None = None
        self._live: set[int] = set()
        self.seen: set[Place] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def reader_clock(self) -> datetime:
        return self._executioner.time()

    def _settings(self, batch_records: int) -> dict[str, Any]:
        more = {"census_hours": self._census_hours, "batch_records": batch_records}
        said = settings_of(self.source, self.folder, **more)
        retries = said["sources"][SYSTEM]["settings"].get("retries", {})
        retries |= {"sleep": lambda _: None} if retries else {}
        return said

    # What may happen.

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        self.source.put(number, text, late)
        self._live.add(number)

    def late(self, number: int, text: str) -> None:
        """Committed now, with a stamp from nine minutes ago."""
        self.put(number, text, timedelta(minutes=9))

    def ties(self, number: int, text: str) -> None:
        """More records of one stamp than a page holds."""
        for other in range(number, number + TIES):
            self.put(other, text)

    def remove(self, number: int) -> None:
        if number in self._live:
            self._live.remove(number)
            self.source.remove(number)

    def purge(self, number: int) -> None:
        if number in self._live:
            self._live.remove(number)
            self.source.purge(number)

    def wait(self, minutes: float) -> None:
        self._clock.forward(minutes=minutes)

    def fault(self, name: str, after: int, times: int) -> None:
        self.source.faults.add(STRIKES[name], after=after, times=times)

    def mishap(self, number: int) -> None:
        mishaps = list(self.source.mishaps().values())
        mishaps[number % len(mishaps)]()

    def poll(self) -> bool:
        """A sync to its end; whether it went well."""
        report = self._reader.sync(progress=self._executioner.progress)
        self._publish()
        well = report.sources[SYSTEM].failure is None
        if well and self._census_hours == 0:
            self.agrees()
        elif well:
            self._lacks_nothing()
        return well

    def killed(self, by: str, left: int) -> None:
        """A sync that is killed, unless it ends before; readers then see what they saw."""
        self._executioner.come(by, left)
        try:
            self.poll()
        except Killed:
            self._is_as_published()
        finally:
            self._executioner.leave()

    def settle(self) -> None:
        """No more faults; what is still to come of them is outlived, and all keys are compared once more."""
        self.source.faults.clear()
        for _ in range(MOST_POLLS):
            if self.poll():
                break
        self._clock.forward(hours=self._census_hours + 1)
        assert self.poll(), "without any fault a sync did not go well"
        self.agrees()

    # What must hold.

    def _publish(self) -> None:
        self._snapshot = self._reader.installed.ledger.latest_id()
        self._shown = rows_of(self._reader)
        self.seen |= live(self._shown).keys()

    def _is_as_published(self) -> None:
        assert self._reader.installed.ledger.latest_id() == self._snapshot
        if self._snapshot is not None:
            assert rows_of(self._reader) == self._shown

    def _lacks_nothing(self) -> None:
        """Only what went without a trace may still be there."""
        truth = self.source.truth()
        agrees({place: row for place, row in self._shown.items() if place in truth}, self.source)

    def agrees(self) -> None:
        """What is there is as the source says; what is gone is a tombstone, and nothing was ever taken out."""
        agrees(self._shown, self.source)
        assert self._shown.keys() >= self.seen
        if kind_of(self.source.kind).absence_counts:
            assert self.seen - self.source.truth().keys() <= self._shown.keys() - live(self._shown).keys()
