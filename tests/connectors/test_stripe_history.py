"""Random histories of a Stripe account, with faults and kills: what is read in the end is what the account holds."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Position, Record
from connectors.errors import CursorLost
from connectors.mapping_file import parse
from connectors.registry import open_connector
from connectors.retries import RetryPolicy
from connectors.stripe.connector import Stripe
from sandbox.faults import Cut, Reset, Short, too_many, unavailable
from tests.connectors.conftest import Clock
from tests.connectors.contract.source import Place, Said
from tests.connectors.contract.stripe_source import MAPPING, StripeSource

Step = tuple[Any, ...]
NUMBERS = st.integers(0, 11)
FAULTS = st.sampled_from([Cut(), Short(), Reset(), Reset(done=True), too_many(), too_many(1), unavailable()])
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("put"), NUMBERS, st.text("abc", max_size=3), st.sampled_from([0, 0, 1, 300, 599])),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("purge"), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([0.4, 1, 60, 3_600, 100_000, 3_000_000])),
    st.tuples(st.just("fault"), FAULTS, st.integers(0, 3)),
    st.tuples(st.just("mishap"), st.integers(0, 3)),
    st.tuples(st.just("poll"), st.integers(0, 4)),
)


class Killed(Exception):
    """The process ended."""


class Reading:
    """What is left of the sync without its database: positions, rows and tombstones."""

    def __init__(self, connector: Stripe, clock: Clock) -> None:
        self.rows: dict[Place, Said] = {}
        self._connector = connector
        self._clock = clock
        self._mapping = parse(MAPPING)
        self._positions: dict[str, Position | None] = dict.fromkeys(self._mapping.walked)
        self._buried_from: dict[str, datetime] = {}

    def poll(self, pages: int) -> None:
        """Read every object; killed after so many pages, unless that is 0. A census follows what is not listed."""
        left = iter(range(pages - 1)) if pages else None
        try:
            for name in self._mapping.walked:
                self._object(name, left)
        except Killed:
            return

    def count(self) -> None:
        """Bury what no census shows."""
        for name in self._mapping.walked:
            self._census(name)

    def _object(self, name: str, left: Iterator[int] | None) -> None:
        started = self._connector.source_time()
        buried_from = self._buried_from.setdefault(name, started)
        since = self._positions[name]
        whole = since is None
        for page in self._connector.changes(name, since):
            self._store(name, page.records)
            if left is not None and next(left, None) is None:
                raise Killed
            self._positions[name] = page.position or self._positions[name]
        try:
            for key in self._connector.deletions(name, buried_from):
                self.rows.pop((self._entity(name), key), None)
        except CursorLost:
            whole = True
        if whole or name == "product":
            self._census(name)
        self._buried_from[name] = started

    def _store(self, name: str, records: Sequence[Record]) -> None:
        for target, rows in self._mapping.objects[name].book(records, "stripe", self._clock()).rows:
            said = [rule.column for rule in target.columns]
            self.rows.update(
                {(target.entity.name, row["key"]): {column: row[column] for column in said} for row in rows}
            )

    def _census(self, name: str) -> None:
        held = {str(record["id"]) for records in self._connector.census(name) for record in records}
        entity = self._entity(name)
        for place in [place for place in self.rows if place[0] == entity and place[1] not in held]:
            del self.rows[place]

    def _entity(self, name: str) -> str:
        return self._mapping.objects[name].targets[0].entity.name


@contextmanager
def _opened() -> Iterator[tuple[StripeSource, Reading, Clock]]:
    clock = Clock()
    with closing(StripeSource(clock)) as source:
        retries = RetryPolicy(attempts=8, sleep=lambda _: None)
        config = {**source.settings(), **source.secrets(), "retries": retries}
        connector = open_connector("stripe", config, parse(MAPPING), clock)
        assert isinstance(connector, Stripe)
        with closing(connector):
            yield source, Reading(connector, clock), clock


def _do(source: StripeSource, reading: Reading, clock: Clock, step: Step) -> None:
    """Take one step of a history; what it asks of a record that is not there is nothing."""
    word, *rest = step
    if word == "put":
        source.put(rest[0], rest[1], late=timedelta(seconds=rest[2]))
    elif word in ("remove", "purge"):
        if any(key.endswith(f"_{rest[0]}") for _, key in source.truth()):
            getattr(source, word)(rest[0])
    elif word == "wait":
        clock.forward(seconds=rest[0])
    elif word == "fault":
        source.faults.add(rest[0], after=rest[1])
    elif word == "mishap":
        list(source.mishaps().values())[rest[0]]()
    else:
        reading.poll(rest[0])


@settings(max_examples=15, deadline=None)
@given(st.lists(STEPS, max_size=20))
def test_in_the_end_the_rows_are_those_of_the_account(steps: list[Step]) -> None:
    with _opened() as (source, reading, clock):
        for step in steps:
            _do(source, reading, clock, step)
        source.faults.clear()
        reading.poll(0)
        if any(step[0] == "purge" for step in steps):
            reading.count()
        expected = {place: {**said, "name": said["name"] or None} for place, said in source.truth().items()}
        assert reading.rows == expected
        assert source.over_limit() == 0
