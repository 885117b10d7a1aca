"""Whatever happens at a source, whatever fails and wherever the sync is killed: the books end as the source is.

`TIEOUT_HISTORIES` is how many histories are tried per kind of source.
"""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.db.session import Database
from tests.connectors.contract.history import STRIKES, History
from tests.connectors.contract.sources import SOURCES

EXAMPLES = int(os.environ.get("TIEOUT_HISTORIES", "3"))
# An ordinary day, and two nights on which the clocks of America change within the hour.
STARTS = (
    datetime(2026, 12, 1, 12, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 8, 20, tzinfo=UTC),
    datetime(2026, 3, 8, 9, 20, tzinfo=UTC),
)
# Few records, so that the same one is changed, deleted, restored and changed again.
NUMBERS = st.integers(0, 9)
TEXTS = st.sampled_from(["one", "two", "Ünï, with a comma", "a\nline", "'quoted'"])
EVENT = st.one_of(
    st.tuples(st.just("put"), NUMBERS, TEXTS),
    st.tuples(st.just("late"), NUMBERS, TEXTS),
    st.tuples(st.just("ties"), NUMBERS, TEXTS),
    st.tuples(st.just("spread"), NUMBERS, TEXTS),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("purge"), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 5, 20, 45, 60 * 26, 60 * 24 * 17])),
    st.tuples(st.just("fault"), st.sampled_from(sorted(STRIKES)), st.integers(0, 9), st.integers(1, 3)),
    st.tuples(st.just("mishap"), st.integers(0, 9)),
    st.tuples(st.just("poll")),
    st.tuples(st.just("killed"), st.just("clock"), st.integers(0, 60)),
    st.tuples(st.just("killed"), st.just("progress"), st.integers(0, 5)),
)


@pytest.mark.parametrize("name", SOURCES)
def test_the_books_end_as_the_source_is(name: str, tmp_path: Path, database: Database) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        events=st.lists(EVENT, min_size=5, max_size=25),
        start=st.sampled_from(STARTS),
        ahead=st.sampled_from([-40, 0, 40]),
        census_hours=st.sampled_from([0, 24]),
        loaded=st.booleans(),
    )
    def follow(events: list[tuple[Any, ...]], start: datetime, ahead: int, census_hours: int, loaded: bool) -> None:
        folder = tmp_path / "history"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with database.session() as session:
            session.execute(text("TRUNCATE sync_objects, sync_rejects, snapshots"))
        with History(
            SOURCES[name],
            folder,
            database,
            start=start,
            ahead=timedelta(seconds=ahead),
            census_hours=census_hours,
        ) as history:
            if loaded:
                history.ties(0, "zero")
                history.poll()
            for what, *how in events:
                getattr(history, what)(*how)
            history.settle()

    follow()


@pytest.mark.parametrize("name", SOURCES)
def test_killed_at_every_turn_of_a_life(name: str, tmp_path: Path, database: Database) -> None:
    """First where no look-back would bring back what a position has passed over, then while records go and return."""
    with History(SOURCES[name], tmp_path, database, start=STARTS[0]) as history:
        history.spread(0, "one")
        for left in (0, 1, 0, 1):
            history.killed("progress", left)
        for left in (5, 11, 17):
            history.killed("clock", left)
        history.settle()
        history.remove(0)
        history.purge(1)
        history.remove(3)
        history.late(2, "two")
        history.killed("clock", 9)
        history.settle()
        history.put(0, "three")
        history.put(3, "three")
        history.killed("clock", 6)
        history.settle()
