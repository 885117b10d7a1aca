"""Batches, keys that nobody holds any more, objects that belong together."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Page, Position, Record
from connectors.errors import TransientError
from connectors.mapping import Mapping
from connectors.mapping_file import parse
from gateway.sync.source import OpenSource
from gateway.sync.walk import batches, no_longer
from tests.gateway.sync.systems import MAPPINGS

START = datetime(2026, 12, 1, tzinfo=UTC)


def at(number: int) -> Position:
    return Position(START + timedelta(seconds=number), str(number))


@st.composite
def walks(draw: st.DrawFn) -> list[Page]:
    """Pages of records 0, 1, 2, …, some of which can be resumed from: their position is that of their last record."""
    pages, count = [], 0
    for size, resumable in draw(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=20)):
        records: Sequence[Record] = [{"n": n} for n in range(count, count + size)]
        count += size
        pages.append(Page(records, at(count) if resumable else None))
    return pages


@given(walks(), st.integers(1, 12))
def test_batches_hold_every_record_in_order_and_no_more_than_asked_and_a_page(pages: list[Page], size: int) -> None:
    made = list(batches(iter(pages), size))
    assert [r for batch in made for r in batch.records] == [r for page in pages for r in page.records]
    assert all(len(batch.records) < size + 5 for batch in made)
    assert all(len(batch.records) >= size for batch in made[:-1])


@given(walks(), st.integers(1, 12))
def test_a_position_is_kept_only_when_all_up_to_it_is_written(pages: list[Page], size: int) -> None:
    written = 0
    for batch in batches(iter(pages), size):
        written += len(batch.records)
        if batch.position is not None:
            assert int(batch.position.id) <= written


@given(walks(), st.integers(1, 12))
def test_the_last_position_is_kept(pages: list[Page], size: int) -> None:
    last = [page.position for page in pages if page.position][-1:]
    assert [batch.position for batch in batches(iter(pages), size) if batch.position][-1:] == last


def test_pages_are_not_read_ahead() -> None:
    read: list[int] = []

    def pages() -> Iterator[Page]:
        for n in range(10):
            read.append(n)
            yield Page([{"n": n}], None)

    next(iter(batches(pages(), 3)))
    assert read == [0, 1, 2]


def deals(targets: str) -> Mapping:
    return parse(f"connector: salesforce\nobjects:\n  Deal:\n    key: Id\n    modified: At\n    targets:\n{targets}")


QUOTE = "      - {entity: quotes, where: {Type: [New, Renewal]}, columns: {number: Name}}\n"
AMENDMENT = "      - {entity: amendments, where: {Type: Amendment}, columns: {number: Name}}\n"
SHARED = "      - {entity: amendments, key: Line, where: {Type: Amendment}, columns: {number: Name}}\n"
RENEWED = "      - {entity: quotes, where: {Type: Amendment}, columns: {number: Name}}\n"


def gone(mapping: Mapping, *records: dict[str, Any]) -> dict[str, list[str]]:
    return dict(no_longer(mapping.objects["Deal"], records))


def test_a_record_is_of_one_kind_and_no_longer_of_the_other() -> None:
    records = ({"Id": "1", "Type": "New"}, {"Id": "2", "Type": "Amendment"})
    assert gone(deals(QUOTE + AMENDMENT), *records) == {"quotes": ["2"], "amendments": ["1"]}


def test_what_a_record_is_last_counts() -> None:
    records = ({"Id": "1", "Type": "Amendment"}, {"Id": "1", "Type": "New"})
    assert gone(deals(AMENDMENT), *records) == {"amendments": ["1"]}
    assert gone(deals(AMENDMENT), *reversed(records)) == {"amendments": []}


def test_another_target_of_the_entity_may_take_it() -> None:
    assert gone(deals(QUOTE + RENEWED), {"Id": "1", "Type": "Amendment"}, {"Id": "2", "Type": "?"}) == {"quotes": ["2"]}


def test_a_shared_key_is_left_to_the_census() -> None:
    assert gone(deals(SHARED), {"Id": "1", "Line": "L", "Type": "New"}) == {}


def test_a_target_without_a_condition_keeps_all() -> None:
    assert gone(deals("      - {entity: quotes, columns: {number: Name}}\n"), {"Id": "1"}) == {}


@pytest.mark.parametrize(
    ("entities", "groups"),
    [
        (["quotes", "orders", "contracts"], [["A"], ["B"], ["C"]]),
        (["quotes", "orders", "quotes"], [["B"], ["A", "C"]]),
        (["quotes", "quotes", "quotes"], [["A", "B", "C"]]),
    ],
)
def test_objects_that_fill_an_entity_together_are_read_together(
    entities: list[str], groups: list[list[str]], no_connector: Callable[[], Any]
) -> None:
    text = "connector: salesforce\nobjects:\n"
    for name, entity in zip("ABC", entities, strict=True):
        target = f"{{entity: {entity}, columns: {{number: Name}}}}"
        text += f"  {name}:\n    key: Id\n    targets:\n      - {target}\n"
    assert OpenSource("crm", parse(text), no_connector()).groups() == groups


def test_what_is_read_in_full(no_connector: Callable[[], Any]) -> None:
    def source(name: str) -> OpenSource:
        return OpenSource(name, parse(MAPPINGS[name]), no_connector())

    erp, meter = source("erp"), source("meter")
    assert [name for name, o in erp.mapping.objects.items() if erp.reads_in_full(o)] == ["accountingperiod"]
    assert erp.absence_counts
    assert not meter.absence_counts


@pytest.fixture
def no_connector() -> Callable[[], Any]:
    """A source that is never asked."""
    return object


def test_what_came_before_a_failure_is_passed_on_first() -> None:
    def pages() -> Iterator[Page]:
        yield Page([{"n": 1}], Position(id="1"))
        yield Page([], Position(token="job"))
        raise TransientError("no answer")

    walk = batches(pages(), 100)
    assert next(walk) == Page([{"n": 1}], Position(token="job"))
    with pytest.raises(TransientError, match="no answer"):
        next(walk)
