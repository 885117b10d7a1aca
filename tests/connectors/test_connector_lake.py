"""A lake read in place: every change of a table once it is committed, deletions too, and nothing that is not mapped."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Page, Position
from connectors.errors import CursorLost, MappingError, PermanentError, SchemaChanged, TransientError
from connectors.lake.connector import Lake, LakeConfig
from connectors.mapping_file import parse
from tests.connectors.conftest import NOON, Clock

MAPPING = """
connector: lake
objects:
  rates:
    table: finance/rates
    MORE
    key: KEY
    targets:
      - entity: fx_rates
        columns: {from_currency: a, rate: rate, rate_date: day}
"""
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "a": pa.string(),
        "rate": pa.decimal128(20, 8),
        "day": pa.date32(),
        "at": pa.timestamp("us", "UTC"),
        "unmapped": pa.string(),
    }
)
FEED = {"delta.enableChangeDataFeed": "true"}
LONG_AGO = NOON - timedelta(days=3_650)
# After every commit that a test makes, whose stamps are those of the real clock.
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


def _row(key: str, rate: str = "1.1", **more: Any) -> dict[str, Any]:
    return {"id": key, "a": "EUR", "rate": Decimal(rate), "day": date(2026, 11, 30), "at": NOON, **more}


def _rows(*rows: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], SCHEMA)


class Lakehouse:
    """A folder with one Delta table, which the tests write as others would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = str(root / "finance" / "rates")

    def append(self, *rows: Mapping[str, Any], **how: Any) -> None:
        write_deltalake(self.path, _rows(*rows), mode="append", **how)

    def merge(self, *rows: Mapping[str, Any]) -> None:
        merger = self.table.merge(_rows(*rows), "t.id = s.id", source_alias="s", target_alias="t")
        merger.when_matched_update_all().when_not_matched_insert_all().execute()

    @property
    def table(self) -> DeltaTable:
        return DeltaTable(self.path)

    def vacuum(self) -> None:
        self.table.vacuum(0, dry_run=False, enforce_retention_duration=False)

    def connector(self, clock: Clock, more: str = "", key: str = "id", page_rows: int = 2) -> Lake:
        text = MAPPING.replace("MORE", more).replace("KEY", key)
        return Lake(LakeConfig(self.root, page_rows=page_rows), parse(text), clock)


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    return Lakehouse(tmp_path)


def _read(pages: Iterable[Page]) -> tuple[list[Mapping[str, Any]], Position]:
    found = list(pages)
    positions = [page.position for page in found if page.position]
    return [record for page in found for record in page.records], positions[-1]


def _keys(records: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(record["id"] for record in records)


def test_a_first_walk_hands_over_everything_exactly(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1", "0.00000001", unmapped="not asked for"), _row("2", "123456789012.12345678"), _row("3"))
    connector = lake.connector(clock, "modified: at")
    pages = list(connector.changes("rates", None))
    assert [len(page.records) for page in pages] == [2, 1, 0]
    records, position = _read(pages)
    assert sorted(records, key=lambda record: record["id"])[:2] == [
        {"id": "1", "at": "2026-12-01T12:00:00+00:00", "a": "EUR", "rate": "0.00000001", "day": "2026-11-30"},
        {
            "id": "2",
            "at": "2026-12-01T12:00:00+00:00",
            "a": "EUR",
            "rate": "123456789012.12345678",
            "day": "2026-11-30",
        },
    ]
    assert list(connector.changes("rates", position)) == []
    assert connector.count("rates") == 3


@pytest.mark.parametrize("feed", [{}, FEED])
def test_what_changed_between_two_versions(lake: Lakehouse, clock: Clock, feed: dict[str, str]) -> None:
    lake.append(_row("1"), _row("2"), _row("3"), configuration=feed)
    connector = lake.connector(clock)
    _, position = _read(connector.changes("rates", None))
    lake.append(_row("4"))
    lake.merge(_row("2", "2.2"), _row("5"))
    lake.table.delete("id = '3'")
    lake.table.optimize.compact()
    records, after = _read(connector.changes("rates", position))
    last = {record["id"]: record["rate"] for record in records}
    assert {key: last[key] for key in ("2", "4", "5")} == {"2": "2.20000000", "4": "1.10000000", "5": "1.10000000"}
    assert list(connector.deletions("rates", LONG_AFTER)) == ["3"]
    assert list(connector.changes("rates", after)) == []
    if feed:
        assert _keys(records) == ["2", "4", "5"]


@pytest.mark.parametrize("feed", [{}, FEED])
def test_a_walk_goes_on_after_any_version(lake: Lakehouse, clock: Clock, feed: dict[str, str]) -> None:
    lake.append(_row("1"), configuration=feed)
    _, position = _read(lake.connector(clock).changes("rates", None))
    for key in "234":
        lake.append(_row(key))
    pages = list(lake.connector(clock).changes("rates", position))
    middle = next(page.position for page in pages if page.position)
    assert _keys(_read(lake.connector(clock).changes("rates", middle))[0]) == ["3", "4"]


@pytest.mark.parametrize("feed", [{}, FEED])
def test_deletions_reach_back_past_the_position_of_a_walk_that_was_killed(
    lake: Lakehouse, clock: Clock, feed: dict[str, str]
) -> None:
    lake.append(_row("1"), _row("2"), _row("3"), configuration=feed)
    lake.table.delete("id = '2'")
    lake.append(_row("4"))
    lake.table.delete("id = '4'")
    lake.append(_row("4", "4"))
    connector = lake.connector(clock)
    _, position = _read(connector.changes("rates", None))
    assert list(lake.connector(clock).deletions("rates", LONG_AGO)) == ["2"]
    list(connector.changes("rates", position))
    assert list(connector.deletions("rates", LONG_AFTER)) == []
    assert list(connector.deletions("rates", None)) == []


def test_a_key_that_changes_leaves_its_old_row(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"), configuration=FEED)
    connector = lake.connector(clock)
    _, position = _read(connector.changes("rates", None))
    lake.table.update({"id": "'9'"}, predicate="id = '1'")
    assert _keys(_read(connector.changes("rates", position))[0]) == ["9"]
    assert list(connector.deletions("rates", LONG_AFTER)) == ["1"]


@pytest.mark.parametrize("feed", [{}, FEED])
def test_a_vacuumed_version_is_a_lost_cursor(lake: Lakehouse, clock: Clock, feed: dict[str, str]) -> None:
    lake.append(_row("1"), configuration=feed)
    _, position = _read(lake.connector(clock).changes("rates", None))
    lake.merge(_row("1", "2"), _row("2"))
    lake.table.delete("id = '1'")
    lake.vacuum()
    if feed:
        for path in Path(lake.path).glob("_change_data/*"):
            path.unlink()
    connector = lake.connector(clock)
    with pytest.raises(CursorLost, match="vacuumed"):
        list(connector.changes("rates", position))
    with pytest.raises(CursorLost):
        list(connector.deletions("rates", LONG_AGO))
    assert _keys(_read(connector.changes("rates", None))[0]) == ["2"]


def test_a_log_that_was_cleaned_is_a_lost_cursor(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"))
    _, position = _read(lake.connector(clock).changes("rates", None))
    lake.append(_row("2"))
    lake.append(_row("3"))
    lake.table.create_checkpoint()
    for version in (0, 1):
        Path(lake.path, "_delta_log", f"{version:020}.json").unlink()
    with pytest.raises(CursorLost, match="does not reach back to version 1"):
        list(lake.connector(clock).changes("rates", position))
    assert _keys(_read(lake.connector(clock).changes("rates", None))[0]) == ["1", "2", "3"]


def test_a_table_that_was_made_anew_is_a_lost_cursor(lake: Lakehouse, tmp_path: Path, clock: Clock) -> None:
    lake.append(_row("1"))
    _, position = _read(lake.connector(clock).changes("rates", None))
    Path(lake.path).rename(tmp_path / "old")
    lake.append(_row("2"))
    lake.append(_row("3"))
    with pytest.raises(CursorLost, match="made anew"):
        list(lake.connector(clock).changes("rates", position))


def test_a_column_that_is_gone_and_one_that_is_new(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"), configuration=FEED)
    connector = lake.connector(clock)
    _, position = _read(connector.changes("rates", None))
    more = _rows(_row("2")).append_column("new", pa.array(["x"]))
    write_deltalake(lake.path, more, mode="append", schema_mode="merge")
    assert _keys(_read(connector.changes("rates", position))[0]) == ["2"]
    assert [field.name for field in connector.fields("rates")] == [*SCHEMA.names, "new"]
    write_deltalake(lake.path, _rows(_row("1")).drop(["rate"]), mode="overwrite", schema_mode="overwrite")
    with pytest.raises(SchemaChanged, match="finance/rates has no column rate"):
        list(connector.changes("rates", position))


def test_a_mapped_column_that_is_newer_than_the_change(lake: Lakehouse, clock: Clock) -> None:
    bare = _rows(_row("1")).drop(["rate"])
    write_deltalake(lake.path, bare, configuration=FEED)
    identity = lake.table.metadata().id
    lake.table.delete("id = 'none'")
    lake.table.update({"a": "'GBP'"}, predicate="id = '1'")
    lake.append(_row("2"), schema_mode="merge")
    records, _ = _read(lake.connector(clock).changes("rates", Position(token=f"{identity}:0")))
    assert {record["id"]: record["rate"] for record in records} == {"1": None, "2": "1.10000000"}


def test_partitions_are_columns(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"), partition_by=["day", "a"])
    _, position = _read(lake.connector(clock).changes("rates", None))
    lake.append(_row("2", a="a b/c%"))
    (record,), _ = _read(lake.connector(clock).changes("rates", position))
    assert (record["day"], record["a"]) == ("2026-11-30", "a b/c%")
    lake.table.delete("id = '2'")
    connector = lake.connector(clock)
    list(connector.changes("rates", position))
    assert list(connector.deletions("rates", LONG_AFTER)) == ["2"]


def test_a_table_whose_files_mean_nothing_by_themselves_is_read_in_full(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"))
    _, position = _read(lake.connector(clock).changes("rates", None))
    lake.append(_row("2"))
    lake.table.delete("id = '1'")
    lake.append(_row("3"))
    feature: dict[str, int | list[str]] = {"minReaderVersion": 3, "minWriterVersion": 7}
    feature |= {kind: ["deletionVectors"] for kind in ("readerFeatures", "writerFeatures")}
    first = Path(lake.path, "_delta_log", f"{0:020}.json")
    actions = [json.loads(line) for line in first.read_text().splitlines()]
    first.write_text("".join(json.dumps(a if "protocol" not in a else {"protocol": feature}) + "\n" for a in actions))
    connector = lake.connector(clock)
    records, after = _read(connector.changes("rates", position))
    assert _keys(records) == ["2", "3"]
    assert list(connector.changes("rates", after)) == []
    with pytest.raises(CursorLost, match="do not tell which rows were removed"):
        list(lake.connector(clock).deletions("rates", LONG_AGO))


def test_files_that_nobody_committed_are_not_there(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"))
    pq.write_table(_rows(_row("2")), f"{lake.path}/part-9.parquet")
    Path(lake.path, "half.parquet").write_bytes(b"PAR1 and no more")
    assert _keys(_read(lake.connector(clock).changes("rates", None))[0]) == ["1"]


@pytest.mark.parametrize("key", ["id", "[id, a]", "[id, day]", "[rate, id]"])
def test_rows_by_their_keys(lake: Lakehouse, clock: Clock, key: str) -> None:
    lake.append(_row("1"), _row("2"), _row("it's", "1.1"))
    connector = lake.connector(clock, key=key)
    every = {connector_key(record, key): record for record in _read(connector.changes("rates", None))[0]}
    wanted = sorted(every)[:2]
    found = [record for records in connector.fetch("rates", [*wanted, "none", "9/9/9"]) for record in records]
    assert sorted(connector_key(record, key) for record in found) == wanted
    assert list(connector.fetch("rates", [])) == []


def connector_key(record: Mapping[str, Any], key: str) -> str:
    return "/".join(str(record[name]) for name in key.strip("[]").split(", "))


def test_whole_numbers_as_keys(lake: Lakehouse, clock: Clock) -> None:
    table = pa.table({"n": pa.array([1, -2, 3]), "a": ["x"] * 3, "rate": ["1"] * 3, "day": ["2026-11-30"] * 3})
    write_deltalake(lake.path, table)
    wanted = ["-2", "3", "three", "9" * 30]
    found = [r["n"] for records in lake.connector(clock, key="n").fetch("rates", wanted) for r in records]
    assert sorted(found) == [-2, 3]


def test_a_census_reads_no_more_than_the_keys(lake: Lakehouse, clock: Clock) -> None:
    lake.append(_row("1"), _row("2"))
    lake.table.delete("id = '1'")
    assert list(lake.connector(clock).census("rates")) == [[{"id": "2"}]]


def test_a_table_that_is_not_there_is_not_an_empty_one(lake: Lakehouse, clock: Clock) -> None:
    for more in ("", "format: parquet"):
        with pytest.raises(PermanentError, match=r"finance/rates|does not exist"):
            list(lake.connector(clock, more).changes("rates", None))


@pytest.mark.parametrize("more", ["format: iceberg", "filter: a = 1"])
def test_what_a_lake_does_not_understand(lake: Lakehouse, clock: Clock, more: str) -> None:
    with pytest.raises(MappingError):
        lake.connector(clock, more)


@pytest.fixture
def folder(lake: Lakehouse) -> Callable[..., None]:
    """Writes a file of the folder that is read as a table."""

    def write(name: str, *rows: Mapping[str, Any], schema: pa.Schema = SCHEMA) -> None:
        path = Path(lake.path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema), path)

    return write


def test_a_folder_of_parquet_files(lake: Lakehouse, clock: Clock, folder: Callable[..., None]) -> None:
    folder("month=2026-10/1.parquet", _row("1", at=NOON - timedelta(days=1)))
    folder("month=2026-11/2.parquet", _row("2"), _row("3", at=NOON - timedelta(minutes=30)))
    folder("_temporary/3.parquet", _row("not yet"))
    connector = lake.connector(clock, "format: parquet\n    modified: at")
    records, position = _read(connector.changes("rates", None))
    assert (_keys(records), position) == (["1", "2", "3"], Position(stamp=NOON))
    clock.forward(minutes=1)
    folder("month=2026-11/4.parquet", _row("4", at=NOON + timedelta(minutes=1)))
    records, position = _read(connector.changes("rates", position))
    assert (_keys(records), position.stamp) == (["2", "3", "4"], NOON + timedelta(minutes=1))
    assert list(connector.deletions("rates", LONG_AGO)) == []
    assert (_keys(r for rows in connector.census("rates") for r in rows), connector.count("rates")) == (list("1234"), 4)
    assert _keys(r for rows in connector.fetch("rates", ["4", "2"]) for r in rows) == ["2", "4"]
    assert "month" in [field.name for field in connector.fields("rates")]


def test_a_stamp_in_the_future_hides_nothing_that_comes_after_it(
    lake: Lakehouse, clock: Clock, folder: Callable[..., None]
) -> None:
    folder("1.parquet", _row("1", at=LONG_AFTER))
    connector = lake.connector(clock, "format: parquet\n    modified: at")
    _, position = _read(connector.changes("rates", None))
    assert position == Position(NOON)
    folder("2.parquet", _row("2", at=NOON + timedelta(minutes=1)))
    assert _keys(_read(connector.changes("rates", position))[0]) == ["1", "2"]


def test_rows_without_a_stamp_are_read_every_time(lake: Lakehouse, clock: Clock, folder: Callable[..., None]) -> None:
    folder("1.parquet", _row("1"))
    connector = lake.connector(clock, "format: parquet\n    modified: at")
    _, position = _read(connector.changes("rates", None))
    folder("2.parquet", _row("2", at=None), _row("old", at=NOON - timedelta(days=9)))
    assert _keys(_read(connector.changes("rates", position))[0]) == ["1", "2"]


def test_stamps_without_a_zone_lose_nothing(lake: Lakehouse, clock: Clock, folder: Callable[..., None]) -> None:
    naive = SCHEMA.set(SCHEMA.get_field_index("at"), pa.field("at", pa.timestamp("ns")))
    noon = NOON.replace(tzinfo=None)
    folder("1.parquet", _row("1", at=noon), _row("2", at=noon - timedelta(days=2)), schema=naive)
    more = "format: parquet\n    modified: {from: at, zone: Pacific/Kiritimati}"
    _, position = _read(lake.connector(clock, more).changes("rates", None))
    assert position.stamp == NOON - timedelta(hours=14)
    folder("2.parquet", _row("3", at=noon - timedelta(minutes=59)), schema=naive)
    assert _keys(_read(lake.connector(clock, more).changes("rates", position))[0]) == ["1", "3"]


def test_a_parquet_file_that_is_half_written_is_transient(
    lake: Lakehouse, clock: Clock, folder: Callable[..., None]
) -> None:
    folder("1.parquet", _row("1"))
    Path(lake.path, "2.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(TransientError, match="could not be read"):
        list(lake.connector(clock, "format: parquet").changes("rates", None))


def test_a_column_that_is_gone_from_the_newest_parquet_file(
    lake: Lakehouse, clock: Clock, folder: Callable[..., None]
) -> None:
    folder("1.parquet", _row("1"))
    folder("2.parquet", {"id": "2"}, schema=pa.schema({"id": pa.string()}))
    with pytest.raises(SchemaChanged, match="no column a, day, rate"):
        list(lake.connector(clock, "format: parquet").changes("rates", None))


STEP = st.tuples(
    st.sampled_from(["put", "delete", "compact"]), st.sampled_from("abcd"), st.integers(1, 9), st.booleans()
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=1, max_size=6), st.booleans())
def test_whatever_happens_the_reader_ends_with_what_the_table_holds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int, bool]], feed: bool
) -> None:
    lake = Lakehouse(tmp_path_factory.mktemp("lake"))
    lake.append(_row("a"), configuration=FEED if feed else {})
    connector = lake.connector(Clock())
    position: Position | None = None
    read: dict[str, str] = {}
    for kind, key, rate, poll in [*steps, ("compact", "a", 1, True)]:
        if kind == "put":
            lake.merge(_row(key, str(rate)))
        elif kind == "delete":
            lake.table.delete(f"id = '{key}'")
        else:
            lake.table.optimize.compact()
        if poll:
            for page in connector.changes("rates", position):
                read.update({record["id"]: record["rate"] for record in page.records})
                position = page.position or position
            for gone in connector.deletions("rates", LONG_AFTER):
                read.pop(gone, None)
    held = lake.table.to_pyarrow_table().to_pylist()
    assert read == {row["id"]: format(row["rate"], "f") for row in held}
