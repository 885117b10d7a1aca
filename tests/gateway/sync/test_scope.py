"""`--entity` and `--since`: part of the sources, and again from an instant on, with every mark left truthful."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.db.session import Database
from gateway.errors import ConfigError, GatewayError, Refused, Unavailable
from gateway.sync.lock import SYNC_LOCK
from tests.gateway.lock_holders import end_holders
from tests.gateway.sync.memory import NOW, MemoryInstallation, filled, is_down


@pytest.fixture
def installed(tmp_path: Path, database: Database) -> MemoryInstallation:
    opened = MemoryInstallation(tmp_path, database, filled())
    opened.sync()
    return opened


def standing(installed: MemoryInstallation) -> dict[str, tuple[object, ...]]:
    """Position and marks of every object."""
    columns = "object, stamp, record_id, watermark, deletions_from, census_at"
    with installed.database.session() as session:
        return {row[0]: tuple(row[1:]) for row in session.execute(text(f"SELECT {columns} FROM sync_objects"))}


def test_an_entity_reads_the_objects_that_fill_it_and_no_other(installed: MemoryInstallation) -> None:
    installed.memory.forward(hours=1)
    installed.memory.asked.clear()
    report = installed.sync(entities=["accounts"])
    assert {asked.partition(" ")[2] for asked in installed.memory.asked} == {"", "Customer"}
    assert report.snapshot is not None
    assert (installed.watermark("accounts"), installed.watermark("invoices")) == (NOW + timedelta(hours=1), NOW)


def test_part_of_a_group_buries_nothing_of_the_rest(installed: MemoryInstallation) -> None:
    """Bills and notes are both credit memos: the keys of one alone say nothing about the other's."""
    installed.memory.put("Note", "N1", Number="CM-1")
    installed.sync()
    installed.memory.forward(days=3)
    installed.sync(entities=["invoices"])
    installed.sync(entities=["invoices"], full=True)
    assert set(installed.rows("credit_memos")) == {"B4", "N1"}
    assert installed.watermark("credit_memos") == NOW
    assert installed.watermark("invoices") == installed.memory.now


def test_since_reads_again_what_changed_and_moves_nothing(installed: MemoryInstallation) -> None:
    memory = installed.memory
    installed.store.bury("invoices", "mem", ["B1"], memory.now)
    before = standing(installed)
    memory.forward(hours=2)
    memory.put("Bill", "B9", Number="INV-9", Customer="C0", Total="9.00", Kind="Invoice")
    report = installed.sync(since=NOW - timedelta(minutes=1))
    assert report.sources["mem"].records == {"Customer": 3, "Bill": 6, "Note": 0}
    assert {"B1", "B9"} <= set(installed.rows("invoices"))
    assert standing(installed) == before
    assert installed.sync().sources["mem"].records["Bill"] == 1, "the walk goes on where it would have"


def test_since_buries_what_was_deleted_since(installed: MemoryInstallation) -> None:
    installed.memory.forward(hours=1)
    installed.memory.remove("Bill", "B0")
    installed.sync(since=NOW)
    assert set(installed.rows("invoices", deleted=True)) == {"B0"}


def test_since_before_the_first_read_promises_nothing(tmp_path: Path, database: Database) -> None:
    installed = MemoryInstallation(tmp_path, database, filled())
    installed.sync(since=NOW)
    assert installed.watermark("invoices") is None
    assert installed.sync().sources["mem"].records["Bill"] == 5


def test_a_since_that_fails_is_told_and_moves_nothing(installed: MemoryInstallation) -> None:
    before = standing(installed)
    installed.memory.down = is_down()
    report = installed.sync(since=NOW)
    assert report.sources["mem"].failures["Bill"] == "mem: the system gave no answer."
    assert standing(installed) == before


@pytest.mark.parametrize(
    ("how", "kind", "sentence"),
    [
        (
            {"entities": ["bills"]},
            ConfigError,
            "mem fills no entity 'bills'; it fills: accounts, credit_memos, invoices.",
        ),
        ({"names": ["men"]}, ConfigError, "tieout.yaml has no source 'men'; it has: mem."),
        (
            {"full": True, "since": NOW},
            Refused,
            "--full reads everything, so --since says nothing beside it. Leave one of them out.",
        ),
        (
            {"since": NOW, "accept_deletions": True},
            Refused,
            "--since compares no keys, so there are no deletions to accept. Use --full --accept-deletions.",
        ),
        ({"since": NOW + timedelta(days=1)}, Refused, "--since lies in the future: it is 2026-12-01T09:30Z now."),
        ({"since": datetime(2026, 11, 1)}, Refused, "--since needs a time zone, such as 2026-11-01T00:00:00Z."),  # noqa: DTZ001 the mistake itself
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_read(
    installed: MemoryInstallation, how: dict[str, object], kind: type[GatewayError], sentence: str
) -> None:
    installed.memory.asked.clear()
    with pytest.raises(kind) as refused:
        installed.sync(**how)
    assert str(refused.value) == sentence
    assert installed.memory.asked == []


def test_a_cycle_that_loses_its_lock_stops_before_the_next_object(installed: MemoryInstallation) -> None:
    published = installed.ledger.latest_id()
    installed.memory.asked.clear()

    def lose(_source: str, name: str, _records: int) -> None:
        if name == "Customer":
            assert end_holders(installed.database, SYNC_LOCK) == 1

    with pytest.raises(Unavailable, match="let go of this sync"):
        installed.sync(full=True, progress=lose)
    assert not any("Bill" in asked for asked in installed.memory.asked)
    assert installed.ledger.latest_id() == published
