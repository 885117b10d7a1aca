"""What every connector offers beside walks: records by key, fields, counts and limits (connectors/contract.py)."""

from collections.abc import Sequence
from typing import Any

import pytest

from connectors.contract import Record, SourceField
from connectors.errors import PermanentError, SchemaChanged
from connectors.registry import kind_of
from tests.connectors.conftest import Clock
from tests.connectors.contract.mirror import Mirror
from tests.connectors.contract.scene import every, fill, is_a_sentence
from tests.connectors.contract.source import ContractSource, Restrictable, Said


def keys_of(mirror: Mirror, name: str) -> list[str]:
    """The keys of the object's records, by the truth."""
    entities = {target.entity.name for target in mirror.mapped.objects[name].targets}
    return sorted({key for entity, key in mirror.source.truth() if entity in entities})


def booked(mirror: Mirror, name: str, records: Sequence[Record]) -> dict[tuple[str, str], Said]:
    made = mirror.mapped.objects[name].book(records, mirror.source.kind, mirror.clock())
    return {(target.entity.name, row["key"]): row for target, rows in made.rows for row in rows}


def fetched(mirror: Mirror, name: str, keys: Sequence[str]) -> dict[tuple[str, str], Said]:
    pages = mirror.connector().fetch(name, keys)
    return {place: row for records in pages for place, row in booked(mirror, name, records).items()}


def as_changed(mirror: Mirror, name: str) -> dict[tuple[str, str], Said]:
    pages = mirror.connector().changes(name, None)
    return {place: row for page in pages for place, row in booked(mirror, name, page.records).items()}


def fetchable(mirror: Mirror) -> list[str]:
    """The objects whose records can be asked for one by one; of the others the connector says that they cannot.

    Where absence means nothing, as in files, there is none; everywhere else there is one.
    """
    found = []
    for name in mirror.objects:
        try:
            fetched(mirror, name, keys_of(mirror, name)[:1])
        except PermanentError as error:
            is_a_sentence(error, mirror.source)
        else:
            found.append(name)
    assert bool(found) is kind_of(mirror.source.kind).absence_counts
    return found


@every
def test_records_by_key_are_those_that_a_walk_gives(source: ContractSource, mirror: Mirror) -> None:
    fill(source)
    for name in fetchable(mirror):
        keys = keys_of(mirror, name)
        everything = as_changed(mirror, name)
        assert fetched(mirror, name, keys) == everything
        some = keys[1:4]
        assert fetched(mirror, name, some) == {place: row for place, row in everything.items() if place[1] in some}


@every
def test_a_key_of_no_record_brings_nothing(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill(source)
    gone = {name: keys_of(mirror, name)[0] for name in fetchable(mirror)}
    clock.forward(minutes=5)
    for number in range(14):
        source.purge(number)
    fill(source, 8)
    for name, key in gone.items():
        live = set(keys_of(mirror, name))
        assert {found for _, found in fetched(mirror, name, sorted({key, *live}))} == live
        assert fetched(mirror, name, []) == {}


@every
def test_what_lies_deleted_is_not_fetched(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill(source)
    names = fetchable(mirror)
    before = {name: keys_of(mirror, name) for name in names}
    clock.forward(minutes=5)
    for number in range(5):
        source.remove(number)
    for name in names:
        after = set(keys_of(mirror, name))
        assert after < set(before[name])
        assert {key for _, key in fetched(mirror, name, before[name])} == after


@every
def test_every_mapped_field_is_described(source: ContractSource, mirror: Mirror) -> None:
    fill(source, 2)
    for name in mirror.objects:
        described: dict[str, SourceField] = {field.name: field for field in mirror.connector().fields(name)}
        if described:
            mapped = {field.partition(".")[0].lower() for field in mirror.mapped.objects[name].fields}
            assert mapped <= {known.partition(".")[0].lower() for known in described}
            assert all(field.type for field in described.values())


@every
def test_a_field_that_is_hidden_is_described_no_more(source: ContractSource, mirror: Mirror) -> None:
    if not isinstance(source, Restrictable):
        pytest.skip("the source does not say how its user's rights shrink")
    fill(source, 2)

    def described() -> dict[str, set[str]]:
        return {name: {field.name for field in mirror.connector().fields(name)} for name in mirror.objects}

    before = described()
    with source.hidden_field():
        try:
            hidden = described()
        except SchemaChanged as error:
            is_a_sentence(error, source)
        else:
            assert hidden != before or not any(before.values())
    assert described() == before


@every
def test_an_object_that_is_not_visible_is_an_error_when_it_is_described(source: ContractSource, mirror: Mirror) -> None:
    if not isinstance(source, Restrictable):
        pytest.skip("the source does not say how its user's rights shrink")
    fill(source, 2)
    with source.lost_permission():
        told: list[Any] = []
        for name in mirror.objects:
            try:
                told.append(mirror.connector().fields(name))
            except PermanentError as error:
                is_a_sentence(error, source)
                told.append(error)
        assert any(isinstance(said, PermanentError) or not said for said in told)


@every
def test_a_count_is_the_truth_or_none(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill(source, 11)
    clock.forward(minutes=5)
    source.remove(2)
    source.put(3, "changed")
    for name in mirror.objects:
        assert mirror.connector().count(name) in (None, len(keys_of(mirror, name)))


@every
def test_limits_are_within_what_they_are_limits_of(source: ContractSource, mirror: Mirror) -> None:
    fill(source)
    connector = mirror.connector()
    mirror.poll(connector)
    first = {limit.name: limit for limit in connector.limits()}
    assert all(limit.name and 0 <= limit.used <= limit.most for limit in first.values())
    mirror.poll(connector)
    again = {limit.name: limit for limit in connector.limits()}
    assert first.keys() == again.keys()
    assert all(first[name].most == again[name].most for name in first)
