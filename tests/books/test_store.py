"""The Delta tables behave like a dictionary keyed by (system, key), whatever is written and how often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from books.engine import Engine
from books.entities import entity
from books.errors import PermanentError
from books.snapshots import Snapshot
from books.store import FILES_TO_CLUSTER, Store, table_from

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def row(key: str, amount: str = "1", system: str = "crm", **more: Any) -> dict[str, Any]:
    amounts = {"amount": Decimal(amount), "raw": f'{{"amount": "{amount}"}}'}
    return {"system": system, "key": key, "modified_at": NOW, "synced_at": NOW, "deleted": False} | amounts | more


def held(store: Store, columns: str = "system, key, amount, deleted") -> list[tuple[Any, ...]]:
    snapshot = Snapshot("s", NOW, store.versions(), {})
    with Engine.over(store, snapshot) as engine:
        rows = engine.rows(f"SELECT {columns} FROM opportunities ORDER BY ALL")
    return [tuple(found.values()) for found in rows]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "books"))


def merge(store: Store, *rows: dict[str, Any], system: str = "crm") -> None:
    store.merge("opportunities", system, table_from("opportunities", rows))


def test_writing_the_same_rows_again_changes_nothing(store: Store) -> None:
    merge(store, row("1"), row("2"))
    version = store.version("opportunities")
    merge(store, row("1", synced_at=datetime(2026, 12, 2, tzinfo=UTC)), row("2"))
    assert store.version("opportunities") == version
    assert [r[1] for r in held(store)] == ["1", "2"]


def test_of_a_repeated_key_the_last_row_wins(store: Store) -> None:
    merge(store, row("1", "10"), row("2", "5"), row("1", "20"))
    assert held(store) == [("crm", "1", Decimal("20.0000"), False), ("crm", "2", Decimal("5.0000"), False)]


def test_systems_stand_side_by_side(store: Store) -> None:
    merge(store, row("1", "10"))
    merge(store, row("1", "99", system="other"), system="other")
    assert [(r[0], r[2]) for r in held(store)] == [("crm", Decimal(10)), ("other", Decimal(99))]


def test_a_deleted_record_becomes_a_tombstone_and_may_come_back(store: Store) -> None:
    merge(store, row("1"), row("2"))
    store.bury("opportunities", "crm", ["1", "never seen"], NOW)
    assert [(r[1], r[3]) for r in held(store)] == [("1", True), ("2", False)]
    merge(store, row("1"))
    assert [(r[1], r[3]) for r in held(store)] == [("1", False), ("2", False)]


def test_what_is_not_among_the_rows_that_replace_others_is_over(store: Store) -> None:
    merge(store, row("a/1"), row("a/2"), row("b/1"))
    merge(store, row("a/1", system="erp"), system="erp")
    rows = table_from("opportunities", [row("a/2", "5"), row("a/3")])
    store.replace("opportunities", "crm", rows, NOW, beginning="a/")
    assert set(store.live("opportunities", "crm").to_pylist()) == {"a/2", "a/3", "b/1"}
    assert store.live("opportunities", "erp").to_pylist() == ["a/1"], "of another system"
    store.replace("opportunities", "crm", rows.slice(0, 0), NOW)
    assert store.live("opportunities", "crm").to_pylist() == []


def test_an_amount_that_does_not_fit_is_refused_not_rounded(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)precision|decimal|rescal"):
        merge(store, row("1", "0.00001"))


def test_a_row_of_another_shape_is_refused_with_the_table(store: Store) -> None:
    with pytest.raises(PermanentError, match="opportunities"):
        store.merge("opportunities", "crm", table_from("accounts", [row("1")]))


def test_two_systems_may_be_written_at_once(store: Store) -> None:
    merge(store, row("0"))
    merge(store, row("0", system="other"), system="other")

    def write(system: str) -> None:
        for n in range(8):
            merge(store, row(str(n), str(n + 1), system=system), system=system)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["crm", "other"]))
    assert [(r[0], r[1]) for r in held(store)] == [(s, str(n)) for s in ("crm", "other") for n in range(8)]


def test_two_writers_of_one_system_do_not_both_add_a_key(store: Store) -> None:
    merge(store, row("0"))

    def write(first: int) -> None:
        for n in range(first, first + 6):
            merge(store, row(str(n), str(first)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, [1, 3]))
    assert [r[1] for r in held(store)] == [str(n) for n in range(9)]


def test_a_write_says_how_many_rows_it_changed(store: Store) -> None:
    rows = [row("1"), row("2")]
    assert store.merge("opportunities", "crm", table_from("opportunities", rows)) == 2
    assert store.merge("opportunities", "crm", table_from("opportunities", rows)) == 0
    rows = [row("1", "7"), row("2"), row("3")]
    assert store.merge("opportunities", "crm", table_from("opportunities", rows)) == 2
    assert store.bury("opportunities", "crm", ["1", "3", "5"], NOW) == 2
    assert store.bury("opportunities", "crm", ["1", "3", "5"], NOW) == 0
    assert store.live("opportunities", "crm").to_pylist() == ["2"]


def test_any_column_that_differs_is_written_though_the_source_says_the_same(store: Store) -> None:
    merge(store, row("1", stage="won"))
    merge(store, row("1", stage="lost"))
    assert held(store, "stage") == [("lost",)]
    merge(store, row("1", stage=None))
    assert held(store, "stage") == [(None,)]


def test_a_changed_row_keeps_its_owner_while_its_account_stays(store: Store) -> None:
    merge(store, row("1", account_id="a"))
    store.assign_accounts("opportunities", "crm", pa.table({"key": ["1"], "account_key": ["A"]}))
    merge(store, row("1", "5", account_id="a"))
    assert held(store, "amount, account_key") == [(Decimal(5), "A")]
    merge(store, row("1", "5", account_id="b"))
    assert held(store, "account_key") == [(None,)]


def test_many_files_become_few_and_old_versions_stay_as_long_as_they_are_named(store: Store) -> None:
    for n in range(FILES_TO_CLUSTER):
        merge(store, row(str(n)))
    before = store.version("opportunities")
    assert before is not None
    assert store.cluster("opportunities")
    assert not store.cluster("opportunities"), "nothing is left to do"
    assert len(held(store)) == FILES_TO_CLUSTER
    assert store.forget("opportunities", 0, [before]) == 0
    with Engine.over(store, Snapshot("old", NOW, {"opportunities": before}, {})) as engine:
        assert engine.rows("SELECT count(*) AS n FROM opportunities") == [{"n": FILES_TO_CLUSTER}]
    assert store.forget("opportunities", 0, []) == FILES_TO_CLUSTER
    assert len(held(store)) == FILES_TO_CLUSTER


def test_a_partition_that_cannot_be_sorted_in_memory_becomes_few_files_all_the_same(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "books"), sort_memory=1024)
    for n in range(FILES_TO_CLUSTER):
        merge(store, row(str(n)))
    assert store.cluster("opportunities")
    version = store.version("opportunities")
    assert version is not None
    assert len(store.files("opportunities", version)) == 1
    assert len(held(store)) == FILES_TO_CLUSTER
    merge(store, row("0", "7"))
    assert ("crm", "0", Decimal(7), False) in held(store)


KEYS = st.sampled_from("abcde")
CHANGE = st.one_of(
    st.tuples(st.just("write"), st.lists(st.tuples(KEYS, st.integers(0, 9)), min_size=1, max_size=4)),
    st.tuples(st.just("bury"), st.lists(KEYS, min_size=1, max_size=3)),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGE, min_size=1, max_size=5))
def test_any_sequence_of_writes_ends_like_a_dictionary(
    changes: list[tuple[str, list[Any]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(str(tmp_path_factory.mktemp("books")))
    expected: dict[str, tuple[Decimal, bool]] = {}
    for what, said in changes:
        if what == "write":
            merge(store, *(row(key, str(amount)) for key, amount in said))
            expected |= {key: (Decimal(amount), False) for key, amount in said}
        else:
            store.bury("opportunities", "crm", said, NOW)
            expected |= {key: (expected[key][0], True) for key in said if key in expected}
    assert {r[1]: (r[2], r[3]) for r in held(store)} == expected


def test_an_older_version_is_still_read_whole(store: Store) -> None:
    merge(store, row("1", "10"))
    before = store.versions()
    merge(store, row("1", "20"), row("2", "5"))
    with Engine.over(store, Snapshot("old", NOW, before, {})) as engine:
        assert engine.rows("SELECT key, amount FROM opportunities") == [{"key": "1", "amount": Decimal("10.0000")}]


@pytest.fixture(autouse=True)
def no_lock_files(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list(tmp_path.glob("**/*.lock"))


def test_books_of_an_earlier_version_are_read_and_written(store: Store, tmp_path: Path) -> None:
    """Their table lacks columns that the entity has by now, as do all files until the next row is written."""
    whole = entity("opportunities").arrow
    old = pa.schema([field for field in whole if field.name not in ("amount", "close_date")])
    path = str(tmp_path / "books" / "opportunities")
    DeltaTable.create(path, old, partition_by=["system"])
    rows = table_from("opportunities", [row("1"), row("2"), row("3")])
    write_deltalake(path, rows.select(old.names), mode="append")
    columns = "key, amount, deleted"
    assert held(store, columns) == [("1", None, False), ("2", None, False), ("3", None, False)]
    assert store.bury("opportunities", "crm", ["3"], NOW) == 1
    assert store.differences("opportunities", "crm", rows.slice(0, 1)) == {"amount": 1, "": 1}
    assert held(store, columns) == [("1", None, False), ("2", None, False), ("3", None, True)]
    assert store.merge("opportunities", "crm", table_from("opportunities", [row("1", "7"), row("4", "9")])) == 2
    assert store.merge("opportunities", "crm", table_from("opportunities", [row("1", "7")])) == 0
    for n in range(FILES_TO_CLUSTER):
        merge(store, row(f"9{n}", "3"))
    assert store.cluster("opportunities")
    assert [found for found in held(store, columns) if not found[0].startswith("9")] == [
        ("1", Decimal(7), False),
        ("2", None, False),
        ("3", None, True),
        ("4", Decimal(9), False),
    ]
