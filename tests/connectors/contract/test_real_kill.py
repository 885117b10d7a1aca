"""Kill -9 of a sync at every kind of source, then the same command again: the books equal the source."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import yaml

from gateway.db.session import Database
from sandbox.faults import Silent
from tests.connectors.contract.installed import SYSTEM, agrees, environment_of, rows_of, settings_of
from tests.connectors.contract.scene import every, fill
from tests.connectors.contract.source import ContractSource
from tests.connectors.contract.sources import SERVED, SOURCES
from tests.gateway.sync.commands import CommandServer
from tests.gateway.sync.systems import Reader

DEADLINE_S = 60.0


class Live:
    """A source in the machine's time, and the command that reads it, in a process of its own."""

    def __init__(self, source: ContractSource, folder: Path, database: Database, url: str, run: CommandServer) -> None:
        self.source, self.folder = source, folder
        settings = settings_of(source, folder, batch_records=1, census_hours=0)
        self._config = folder / "tieout.yaml"
        self._config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        self._environment = {**environment_of(source), "TIEOUT_DATABASE_URL": url}
        self._commands = run
        self.reader = Reader(self, database, settings)

    def reader_clock(self) -> datetime:
        return datetime.now(UTC)

    def sync(self) -> None:
        status, output = self._commands.run("sync", "-c", str(self._config), environment=self._environment)
        assert status == 0, output

    def killed_when(self, reached: Callable[[], bool]) -> None:
        command = self._commands.start("sync", "-c", str(self._config), environment=self._environment)
        deadline = time.monotonic() + DEADLINE_S
        while not reached():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.002)
        command.kill()

    def commits(self) -> int:
        return len(list((self.folder / "books").glob("*/_delta_log/*.json")))

    def kill_in_mid_walk(self) -> None:
        """While the source is silent about its fifth request; without a server, once a few pages are written."""
        if self.source.kind in SERVED:
            struck = self.source.faults.struck
            self.source.faults.add(Silent(), after=4)
            self.killed_when(lambda: self.source.faults.struck > struck)
            self.source.faults.clear()
        else:
            before = self.commits()
            self.killed_when(lambda: self.commits() > before + 2)


def whole_seconds() -> datetime:
    """The machine's time as every source can stamp it."""
    return datetime.now(UTC).replace(microsecond=0)


@every
def test_a_sync_that_is_killed_ends_in_the_same_books(
    name: str, tmp_path: Path, database: Database, database_url: str, commands: CommandServer
) -> None:
    source = SOURCES[name](whole_seconds, tmp_path)
    try:
        live = Live(source, tmp_path, database, database_url, commands)
        fill(source, 40)
        live.kill_in_mid_walk()
        assert live.reader.installed.ledger.latest() is None
        live.sync()
        agrees(rows_of(live.reader), source)
        published = live.reader.published([SYSTEM])
        source.remove(0)
        fill(source, 80)
        live.kill_in_mid_walk()
        assert live.reader.published([SYSTEM]) == published
        live.sync()
        agrees(rows_of(live.reader), source)
    finally:
        source.close()
