"""Files: taken once, again when changed, not while somebody writes them, and no row ever lost."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Page, Position
from connectors.errors import MappingError, PermanentError, SchemaChanged
from connectors.files.connector import Files, FilesConfig
from connectors.files.formats import LARGEST_JSON
from connectors.files.lines import LONGEST
from connectors.mapping_file import parse
from tests.connectors.conftest import NOON, Clock

TEXT = """
connector: files
objects:
  rates:
    pattern: "**/rates*.*"
    MORE
    key: [_file, _line]
    targets:
      - entity: fx_rates
        columns: {from_currency: a, to_currency: b, rate: rate, rate_date: day}
"""
HEADER = "a,b,rate,day\n"
GOOD = {"a": "EUR", "b": "USD", "rate": "1.10", "day": "2026-11-30"}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file that was last changed `age` seconds before noon."""

    def written(name: str, content: str | bytes, age: float = 7_200) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (NOON.timestamp() - age,) * 2)
        return path

    return written


def _files(folder: Path, clock: Callable[[], datetime], more: str = "") -> Files:
    return Files(FilesConfig(folder), parse(TEXT.replace("MORE", more)), clock)


def _records(pages: list[Page]) -> list[Mapping[str, Any]]:
    return [record for page in pages for record in page.records]


def _read(folder: Path, clock: Callable[[], datetime], more: str = "") -> list[Mapping[str, Any]]:
    return _records(list(_files(folder, clock, more).changes("rates", None)))


def _rejects(records: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    mapped = parse(TEXT.replace("MORE", "")).objects["rates"]
    return [(reject.key, reject.reason) for reject in mapped.book(records, "reference", NOON).rejects]


def test_csv(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.csv", "\ufeff" + HEADER + 'EUR,USD,1.10,2026-11-30\n\n"GBP, old",USD,1.25,2026-11-30\n')
    assert _read(tmp_path, clock) == [
        {**GOOD, "_file": "rates.csv", "_line": 2},
        {**GOOD, "a": "GBP, old", "rate": "1.25", "_file": "rates.csv", "_line": 4},
    ]


def test_a_row_of_several_lines_is_named_by_its_first(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.csv", HEADER + '"EUR\nold",USD,1,2026-11-30\nGBP,USD,1,2026-11-30\n')
    assert [record["_line"] for record in _read(tmp_path, clock)] == [2, 4]


def test_another_delimiter(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.csv", HEADER.replace(",", ";") + "EUR;USD;1.10;2026-11-30\n")
    assert _read(tmp_path, clock, 'delimiter: ";"') == [{**GOOD, "_file": "rates.csv", "_line": 2}]


def test_csv_rows_that_do_not_parse(tmp_path: Path, write: Write, clock: Clock) -> None:
    rows = b'EUR,USD,1\nE\xffR,USD,1,2026-11-30\n"EUR"x,USD,1,2026-11-30\nGBP,USD,1.25,2026-11-30\n"open,USD,1,2026\n'
    write("rates.csv", HEADER.encode() + rows)
    records = _read(tmp_path, clock)
    assert len(records) == 5
    assert [key for key, _ in _rejects(records)] == [f"rates.csv:{line}" for line in (2, 3, 4, 6)]
    reasons = [reason for _, reason in _rejects(records)]
    assert reasons[0] == "The row has 3 fields, and the header 4."
    assert reasons[1] == "The row is not UTF-8 text."
    assert all("does not parse as CSV" in reason for reason in reasons[2:])


@pytest.mark.parametrize(("header", "sentence"), [("a,b,rate\n", "no column day"), ("a,b,rate,day,day\n", "day twice")])
def test_a_column_that_is_missing_or_double(
    tmp_path: Path, write: Write, clock: Clock, header: str, sentence: str
) -> None:
    write("rates.csv", header)
    with pytest.raises(SchemaChanged, match=sentence):
        _read(tmp_path, clock)


def test_json_lines(tmp_path: Path, write: Write, clock: Clock) -> None:
    lines = [json.dumps(GOOD), "", '{"a": "EUR", "rate": 1.10}', "nonsense", "[1]", '{"a": "\xff"}']
    write("rates.jsonl", "\n".join(lines).encode("latin-1") + b"\n")
    records = _read(tmp_path, clock)
    assert records[0] == {**GOOD, "_file": "rates.jsonl", "_line": 1}
    assert records[1] == {"a": "EUR", "rate": "1.10", "_file": "rates.jsonl", "_line": 3}
    assert [(record["_line"], "_unreadable" in record) for record in records[2:]] == [(4, True), (5, True), (6, True)]


@pytest.mark.parametrize(("more", "wrap"), [("", False), ("list: rates", True)])
def test_json(tmp_path: Path, write: Write, clock: Clock, more: str, wrap: bool) -> None:
    rows = [GOOD, {"rate": 2.5}, 7]
    write("rates.json", json.dumps({"rates": rows} if wrap else rows))
    records = _read(tmp_path, clock, more)
    assert records[:2] == [
        {**GOOD, "_file": "rates.json", "_line": 1},
        {"rate": "2.5", "_file": "rates.json", "_line": 2},
    ]
    assert _rejects(records[2:]) == [("rates.json:3", "The element is not a JSON object.")]


@pytest.mark.parametrize(("more", "content"), [("", '{"rates": []}'), ("list: rates", "[]"), ("list: x", '{"x": 1}')])
def test_json_of_another_shape(tmp_path: Path, write: Write, clock: Clock, more: str, content: str) -> None:
    write("rates.json", content)
    ((key, reason),) = _rejects(_read(tmp_path, clock, more))
    assert key == "rates.json:1"
    assert reason.startswith("The file is not an")


def test_parquet(tmp_path: Path, write: Write, clock: Clock) -> None:
    table = pa.table(
        {
            "a": ["EUR", None],
            "b": ["USD", "USD"],
            "rate": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
            "day": [date(2026, 11, 30), None],
            "unmapped": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
        }
    )
    path = write("rates.parquet", b"")
    pq.write_table(table, path)
    os.utime(path, (NOON.timestamp() - 60,) * 2)
    assert _read(tmp_path, clock) == [
        {**GOOD, "_file": "rates.parquet", "_line": 1},
        {"a": None, "b": "USD", "rate": None, "day": None, "_file": "rates.parquet", "_line": 2},
    ]


def test_a_float_in_parquet_is_read_as_the_text_it_shows(tmp_path: Path, write: Write, clock: Clock) -> None:
    path = write("rates.parquet", b"")
    pq.write_table(
        pa.table({"a": ["E"] * 2, "b": ["U"] * 2, "rate": [1.1, 0.1 + 0.2], "day": ["2026-11-30"] * 2}), path
    )
    os.utime(path, (NOON.timestamp() - 60,) * 2)
    records = _read(tmp_path, clock)
    assert [record["rate"] for record in records] == ["1.1", "0.30000000000000004"]
    assert [key for key, _ in _rejects(records)] == ["rates.parquet/2"]


def test_a_file_is_taken_once_and_again_when_it_changed(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("a/rates.csv", HEADER + "EUR,USD,1.10,2026-11-30\n", age=300)
    write("rates.csv", HEADER + "GBP,USD,1.25,2026-11-30\n", age=600)
    connector = _files(tmp_path, clock)
    pages = list(connector.changes("rates", None))
    assert [record["_file"] for record in _records(pages)] == ["rates.csv", "a/rates.csv"]
    last = pages[-1].position
    assert list(connector.changes("rates", last)) == []
    assert [page.records[0]["_file"] for page in connector.changes("rates", pages[0].position)] == ["a/rates.csv"]
    write("rates.csv", HEADER + "GBP,USD,1.26,2026-11-30\n", age=10)
    assert [record["rate"] for record in _records(list(connector.changes("rates", last)))] == ["1.26"]


def test_the_position_forgets_files_that_are_gone(tmp_path: Path, write: Write, clock: Clock) -> None:
    path = write("rates1.csv", HEADER, age=900)
    connector = _files(tmp_path, clock)
    before = list(connector.changes("rates", None))[-1].position
    path.unlink()
    write("rates2.csv", HEADER)
    after = list(connector.changes("rates", before))[-1].position
    assert before is not None
    assert after is not None
    assert len(after.token.split()) == 1
    assert list(connector.deletions("rates", NOON)) == []


def test_a_large_file_comes_in_pages_and_goes_on_after_any_of_them(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.csv", HEADER + "EUR,USD,1.10,2026-11-30\n" * 4_001)
    pages = list(_files(tmp_path, clock).changes("rates", None))
    assert [len(page.records) for page in pages] == [2_000, 2_000, 1]
    again = list(_files(tmp_path, clock).changes("rates", pages[0].position))
    assert [page.records for page in again] == [page.records for page in pages[1:]]
    assert all(page.position for page in pages)


def test_a_file_that_changes_while_it_is_read_has_no_position(tmp_path: Path, write: Write, clock: Clock) -> None:
    path = write("rates.csv", HEADER + "EUR,USD,1.10,2026-11-30\n" * 2_001)
    walk = _files(tmp_path, clock).changes("rates", None)
    next(walk)
    os.utime(path, (NOON.timestamp() - 6,) * 2)
    assert next(walk).position is None


@pytest.mark.parametrize("name", ["rates.csv.part", "rates.csv.tmp"])
def test_an_unfinished_name_waits(tmp_path: Path, write: Write, clock: Clock, name: str) -> None:
    write(name, HEADER + "EUR,USD,1.10,2026-11-30\n")
    assert list(_files(tmp_path, clock).changes("rates", None)) == []


def test_a_file_that_changed_a_moment_ago_waits(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.csv", HEADER, age=3)
    connector = _files(tmp_path, clock)
    assert list(connector.changes("rates", None)) == []
    clock.forward(seconds=2)
    assert len(list(connector.changes("rates", None))) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rates.jsonl", b'{"a": "EUR"}\n{"a": "US'),
        ("rates.json", b'[{"a": "EUR"}, {"a"'),
        ("rates.parquet", b"PAR1 but not all of it"),
    ],
)
def test_a_broken_end_waits_an_hour_and_is_then_a_reject(
    tmp_path: Path, write: Write, clock: Clock, name: str, content: bytes
) -> None:
    write(name, content, age=60)
    connector = _files(tmp_path, clock)
    assert list(connector.changes("rates", None)) == []
    clock.forward(hours=1)
    pages = list(connector.changes("rates", None))
    assert "does not parse" in _rejects(_records(pages))[-1][1]
    assert pages[-1].position is not None


def test_a_last_line_without_a_newline_is_whole_when_it_parses(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.jsonl", '{"a": "EUR"}\n{"a": "USD"}', age=60)
    assert [record["a"] for record in _read(tmp_path, clock)] == ["EUR", "USD"]


def test_an_empty_file_is_taken(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.jsonl", "")
    (page,) = _files(tmp_path, clock).changes("rates", None)
    assert page.records == ()
    assert isinstance(page.position, Position)


def test_a_missing_folder_is_not_an_empty_one(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(PermanentError, match="does not exist"):
        _read(tmp_path / "gone", clock)


def test_a_file_that_nothing_reads(tmp_path: Path, write: Write, clock: Clock) -> None:
    write("rates.xlsx", b"PK")
    with pytest.raises(MappingError, match=r"finds rates\.xlsx, which is none of \.csv"):
        _read(tmp_path, clock)


def test_absence_of_a_record_means_nothing(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(PermanentError, match="do not say what no longer exists"):
        _files(tmp_path, clock).census("rates")


LINE = st.one_of(
    st.binary(max_size=20),
    st.just(json.dumps(GOOD).encode()),
    st.dictionaries(st.sampled_from("ab"), st.text(max_size=3)).map(lambda d: json.dumps(d).encode()),
)


@given(st.lists(LINE.filter(lambda line: b"\n" not in line), max_size=8))
def test_every_line_is_a_record(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("lines")
    path = folder / "rates.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    records = _read(folder, lambda: datetime.fromtimestamp(path.stat().st_mtime + 60, UTC))
    assert len(records) == sum(1 for line in lines if line.strip())
    rows = parse(TEXT.replace("MORE", "")).objects["rates"].book(records, "reference", NOON)
    assert len(rows.rows[0][1]) + len(rows.rejects) == len(records)


def test_a_thousand_files_one_poll_each_way(tmp_path: Path, write: Write, clock: Clock) -> None:
    for number in range(1_000):
        write(f"{number % 7}/rates{number}.jsonl", json.dumps({**GOOD, "rate": str(number)}), age=7_200 + 900 * number)
    pages = list(_files(tmp_path, clock).changes("rates", None))
    assert {int(record["rate"]) for record in _records(pages)} == set(range(1_000))
    late = write("late/rates.csv", HEADER + "GBP,USD,1.25,2026-11-30\n", age=400_000)
    again = list(_files(tmp_path, clock).changes("rates", pages[-1].position))
    assert [record["_file"] for record in _records(again)] == [late.relative_to(tmp_path).as_posix()]


@pytest.mark.parametrize("content", ["a,b,ra", HEADER + "EUR,USD,1.1", HEADER + 'EUR,USD,1.1,"2026-1'])
def test_a_csv_file_whose_last_row_is_not_whole_waits(tmp_path: Path, write: Write, clock: Clock, content: str) -> None:
    write("rates.csv", content, age=60)
    assert _read(tmp_path, clock) == []
    write("rates.csv", HEADER + "EUR,USD,1.1,2026-11-30", age=60)
    assert len(_read(tmp_path, clock)) == 1


def test_a_line_that_is_too_long_is_a_reject_and_the_next_one_is_read(
    tmp_path: Path, write: Write, clock: Clock
) -> None:
    endless = "x" * (LONGEST + 10)
    write("rates.jsonl", f'{{"a": "{endless}"}}\n{json.dumps(GOOD)}\n')
    write("rates.csv", f"{HEADER}{endless},USD,1,2026-11-30\nGBP,USD,1.25,2026-11-30\n")
    records = _read(tmp_path, clock)
    assert [(record["_file"], record["_line"]) for record in records] == [
        ("rates.csv", 2),
        ("rates.csv", 3),
        ("rates.jsonl", 1),
        ("rates.jsonl", 2),
    ]
    assert [key for key, _ in _rejects(records)] == ["rates.csv:2", "rates.jsonl:1"]


def test_a_json_document_has_a_largest_size(tmp_path: Path, write: Write, clock: Clock) -> None:
    path = write("rates.json", "[]")
    os.truncate(path, LARGEST_JSON + 1)
    os.utime(path, (NOON.timestamp() - 60,) * 2)
    with pytest.raises(PermanentError, match=r"rates\.json has 67,108,865 bytes.*Deliver it as JSON Lines"):
        _read(tmp_path, clock)


def test_the_fields_of_an_object_are_those_of_its_newest_file(tmp_path: Path, write: Write, clock: Clock) -> None:
    connector = _files(tmp_path, clock)
    assert connector.fields("rates") == ()
    pq.write_table(
        pa.table({"a": ["E"], "rate": pa.array([Decimal("1.10")], pa.decimal128(10, 2))}), tmp_path / "rates"
    )
    write("rates.parquet", (tmp_path / "rates").read_bytes(), age=900)
    assert [(f.name, f.type) for f in connector.fields("rates")] == [("a", "string"), ("rate", "decimal128(10, 2)")]
    write("rates.csv", "a,more\n", age=800)
    assert [(f.name, f.type) for f in connector.fields("rates")] == [("a", "text"), ("more", "text")]
    write("rates.jsonl", '{"a": "E", "n": 1, "m": true}\n{"m": "no", "k": null}\n', age=700)
    assert [(f.name, f.type) for f in connector.fields("rates")] == [
        ("a", "text"),
        ("n", "number"),
        ("m", "mixed"),
        ("k", "null"),
    ]


def test_files_are_not_asked_for_single_records_and_count_nothing(tmp_path: Path, clock: Clock) -> None:
    connector = _files(tmp_path, clock)
    with pytest.raises(PermanentError, match="cannot be asked for single records"):
        connector.fetch("rates", ["1"])
    assert (connector.count("rates"), list(connector.limits())) == (None, [])
