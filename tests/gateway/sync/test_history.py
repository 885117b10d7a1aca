"""Whatever happens in a CRM between polls, after each of them the books hold what it holds."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.db.session import Database
from tests.gateway.sync.systems import Reader, Systems, deal, held, mapped

# Few records, so that the same one is changed, deleted, restored and changed again.
NUMBERS = st.integers(0, 5)
KINDS = st.sampled_from(["New", "Amendment"])
EVENT = st.one_of(
    st.tuples(st.just("put"), NUMBERS, KINDS),
    st.tuples(st.just("late"), NUMBERS, KINDS),
    st.tuples(st.just("remove"), NUMBERS, KINDS),
    st.tuples(st.just("restore"), NUMBERS, KINDS),
    st.tuples(st.just("wait"), st.integers(1, 40), KINDS),
    st.tuples(st.just("expire"), NUMBERS, KINDS),
    st.tuples(st.just("fail"), st.integers(1, 2), KINDS),
    st.tuples(st.just("poll"), NUMBERS, KINDS),
)


class History:
    """A CRM to which things happen, and a reader that follows."""

    def __init__(self, systems: Systems, reader: Reader) -> None:
        self.systems, self.reader = systems, reader
        self._account = systems.org.put("Account", {"Name": "A"})
        self._keys: dict[int, str] = {}
        self._count = 0

    def happen(self, what: str, number: int, kind: str) -> None:
        handler: Callable[[int, str], None] = getattr(self, what)
        handler(number, kind)

    def put(self, number: int, kind: str) -> None:
        self._write(number, kind, timedelta(0))

    def late(self, number: int, kind: str) -> None:
        """Committed now, with a stamp from up to ten minutes ago."""
        self._write(number, kind, timedelta(minutes=9))

    def _write(self, number: int, kind: str, behind: timedelta) -> None:
        self._count += 1
        row = deal(self._account, f"Q-{number}-{self._count}", kind) | {"SystemModstamp": self.systems.now - behind}
        known = self._keys.get(number)
        if known is None:
            self._keys[number] = self.systems.org.put("Deal__c", row)
        elif not self._deleted(known):
            self.systems.org.put("Deal__c", {"Id": known, **row})

    def remove(self, number: int, _kind: str) -> None:
        known = self._keys.get(number)
        if known is not None and not self._deleted(known):
            self.systems.org.remove("Deal__c", known)

    def restore(self, number: int, _kind: str) -> None:
        known = self._keys.get(number)
        if known is not None and self._deleted(known):
            self.systems.org.restore("Deal__c", known)

    def wait(self, minutes: int, _kind: str) -> None:
        self.systems.forward(minutes=minutes)

    def expire(self, _number: int, _kind: str) -> None:
        self.systems.salesforce.expire_sessions()

    def fail(self, times: int, _kind: str) -> None:
        """The next requests fail; the retry gets over one of them, not over two."""
        self.systems.salesforce.fail_next(times, 500)

    def poll(self, _number: int, _kind: str) -> None:
        report = self.reader.sync()
        if not report.sources["crm"].failures:
            self.check()

    def check(self) -> None:
        assert held(self.reader, "crm") == mapped(self.reader.installed, "crm")

    def _deleted(self, key: str) -> bool:
        return any(row["Id"] == key and row["IsDeleted"] for row in self.systems.org.rows("Deal__c"))


@pytest.mark.usefixtures("database")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENT, min_size=3, max_size=25))
def test_the_books_follow_the_source(events: list[tuple[str, int, str]], tmp_path: Path, database: Database) -> None:
    folder = tmp_path / "history"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with database.session() as session:
        session.execute(text("TRUNCATE sync_objects, sync_rejects, snapshots"))
    with Systems(folder, page_size=2) as systems, pytest.MonkeyPatch.context() as environment:
        for name, value in systems.environment().items():
            environment.setenv(name, value)
        history = History(systems, Reader(systems, database, systems.settings(["crm"], batch_records=3)))
        for what, number, kind in events:
            history.happen(what, number, kind)
        while history.reader.sync().sources["crm"].failures:
            pass
        history.check()
