"""CSV of a bulk job, cell by cell, and pages that are not whole."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import TransientError
from connectors.salesforce.bulk_rows import BulkRows

TYPES = {"Id": "id", "Name": "string", "Parent__r.Code": "string", "Parent__r.Owner.Rate": "double"}


def _csv(*rows: list[str]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return file.getvalue().encode()


def _one(kind: str, cell: str) -> Any:
    (record,) = BulkRows("crm", {"F": kind}).records(_csv(["F"], [cell]), 1)
    return record["F"]


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("int", "0.0", 0),
        ("int", "12", 12),
        ("int", "1.2E3", 1200),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("double", "500", "500.0"),
        ("currency", "0.10", "0.10"),
        ("double", "1.0E7", "1.0E7"),
        ("datetime", "2026-05-07T22:07:19.000Z", "2026-05-07T22:07:19.000+0000"),
        ("date", "2026-05-07", "2026-05-07"),
        ("string", "a\0b", "ab"),
        ("picklist", "", None),
        ("boolean", "", None),
        ("double", "", None),
    ],
)
def test_a_cell_becomes_what_rest_gives(kind: str, cell: str, value: Any) -> None:
    found = _one(kind, cell)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("kind", "cell"), [("int", "1.5"), ("int", "x"), ("boolean", "yes"), ("double", "1,000")])
def test_a_cell_that_is_not_of_its_type(kind: str, cell: str) -> None:
    with pytest.raises(TransientError, match="cannot be read"):
        _one(kind, cell)


def test_parents_are_nested_and_null_where_nothing_is_known() -> None:
    content = _csv(list(TYPES), ["1", "a", "", ""], ["2", "", "C", ""], ["3", "c", "", "0.5"])
    records = BulkRows("crm", TYPES).records(content, 3)
    assert records == [
        {"Id": "1", "Name": "a", "Parent__r": None},
        {"Id": "2", "Name": None, "Parent__r": {"Code": "C", "Owner": None}},
        {"Id": "3", "Name": "c", "Parent__r": {"Owner": {"Rate": "0.5"}}},
    ]


@pytest.mark.parametrize(
    ("content", "count", "why"),
    [
        (_csv(["Id", "Name"], ["1", "a"]), 2, "holds 1 of the 2 rows"),
        (_csv(["Id", "Name"], ["1", "a"], ["2", "b"]), 1, "holds 2 of the 1 rows"),
        (_csv(["Id", "Name"], ["1"]), 1, "cannot be read"),
        (_csv(["Id", "Other"], ["1", "a"]), 1, "other columns"),
        (b'"Id","Name"\n"1","a', 1, "cannot be read"),
        (b'"Id","Name"\n"1","\xff"\n', 1, "cannot be read"),
        (b"", 1, "holds 0 of the 1 rows"),
    ],
)
def test_a_page_that_is_not_whole(content: bytes, count: int, why: str) -> None:
    with pytest.raises(TransientError, match=why):
        BulkRows("crm", {"Id": "id", "Name": "string"}).records(content, count)


def test_nothing_found_is_no_record() -> None:
    rows = BulkRows("crm", {"Id": "id"})
    assert rows.records(_csv(["Id"]), 0) == []
    assert rows.records(b"", 0) == []


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.booleans()), max_size=8))
def test_any_text_comes_back(values: list[tuple[str, bool]]) -> None:
    content = _csv(["T", "B"], *[[text, str(flag).lower()] for text, flag in values])
    records = BulkRows("crm", {"T": "string", "B": "boolean"}).records(content, len(values))
    assert [(record["T"], record["B"]) for record in records] == [(text or None, flag) for text, flag in values]
