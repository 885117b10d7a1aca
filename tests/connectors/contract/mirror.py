"""The least that a reader must do to follow a source, by the connectors' contract alone: no books, no database.

The contract test reads with it, and so tests the promise apart from the sync that relies on it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.contract import Connector, Page, Position
from connectors.errors import ConnectorError, CursorLost
from connectors.mapping_file import parse
from connectors.registry import kind_of, needs, open_connector
from connectors.retries import RetryPolicy
from tests.connectors.conftest import Clock
from tests.connectors.contract.source import ContractSource, Place, Said

# A walk with more pages than this goes round in circles.
MOST_PAGES = 200


class Endless(AssertionError):
    """A walk did not come to its end."""


@dataclass
class Mirror:
    """What has been read of a source. `handed` are the records of the last poll, by object."""

    source: ContractSource
    clock: Clock
    retries: RetryPolicy
    stack: ExitStack
    rows: dict[Place, Said] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    handed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mapped = parse(self.source.mapping)
        self._begun: dict[str, datetime] = {}

    @property
    def objects(self) -> tuple[str, ...]:
        return tuple(self.mapped.walked)

    def connector(self) -> Connector:
        """A new one, as a process that has just started has it."""
        kind = self.source.kind
        said: dict[str, Any] = {**self.source.settings(), **self.source.secrets()}
        if "retries" in needs(kind):
            said["retries"] = self.retries
        return self.stack.enter_context(closing(open_connector(kind, said, self.mapped, self.clock)))

    def poll(self, connector: Connector | None = None) -> None:
        """Read what changed and bury what is gone. Raises ConnectorError; what was read before that is kept."""
        connector = connector or self.connector()
        self.handed.clear()
        for name in self.objects:
            started = connector.source_time()
            self._begun.setdefault(name, started)
            self.read(connector, name)
            self._bury(connector, name)
            self._begun[name] = started

    def walk(self, connector: Connector, name: str, pages: int = MOST_PAGES) -> None:
        """Take so many pages of one object at most, from the last position on."""
        for number, page in enumerate(connector.changes(name, self.positions.get(name)), 1):
            self._take(name, page)
            if number == pages:
                return

    def read(self, connector: Connector, name: str, after_a_page: Callable[[], None] = lambda: None) -> None:
        """Take all pages of one object from the last position on; something may happen after the first of them."""
        try:
            self._take_all(name, connector.changes(name, self.positions.get(name)), after_a_page)
        except CursorLost:
            self._take_all(name, connector.changes(name, self.positions.get(name)))

    def _take_all(self, name: str, pages: Iterator[Page], after_a_page: Callable[[], None] = lambda: None) -> None:
        for number, page in enumerate(pages, 1):
            if number > MOST_PAGES:
                raise Endless(f"{name} gave more than {MOST_PAGES} pages")
            self._take(name, page)
            if number == 1:
                after_a_page()

    def _take(self, name: str, page: Page) -> None:
        """The rows of a page, and after them its position."""
        self.handed[name] = self.handed.get(name, 0) + len(page.records)
        for target, rows in self.mapped.objects[name].book(page.records, self.source.kind, self.clock()).rows:
            self.rows.update({(target.entity.name, row["key"]): row for row in rows})
        if page.position is not None:
            self.positions[name] = page.position

    def _bury(self, connector: Connector, name: str) -> None:
        entities = {target.entity.name for target in self.mapped.objects[name].targets}
        try:
            for key in connector.deletions(name, self._begun[name]):
                for entity in entities:
                    self.rows.pop((entity, key), None)
        except CursorLost:
            pass  # the census below finds what the list does not tell
        if kind_of(self.source.kind).absence_counts:
            held = self.census(connector, name)
            self.rows = {place: row for place, row in self.rows.items() if place[0] not in entities or place in held}

    def census(self, connector: Connector, name: str) -> set[Place]:
        """The places of the rows that the source's present records fill."""
        return {
            (target.entity.name, key)
            for records in connector.census(name)
            for target in self.mapped.objects[name].targets
            for record in records
            if target.takes(record) and (key := target.key_of(record))
        }

    def tells(self, truth: Mapping[Place, Said]) -> dict[Place, Said]:
        """The rows, with no more columns than the truth names: to be compared with it."""
        return {place: {name: row[name] for name in truth.get(place, row)} for place, row in self.rows.items()}

    def agrees(self, *names: str) -> None:
        """Row for row, value for value: all objects, or the named ones."""
        entities = {target.entity.name for n in names or self.objects for target in self.mapped.objects[n].targets}
        truth = {place: said for place, said in self.source.truth().items() if place[0] in entities}
        assert {place: row for place, row in self.tells(truth).items() if place[0] in entities} == truth

    def forget(self) -> None:
        """As before the first poll."""
        self.rows.clear()
        self.positions.clear()
        self._begun.clear()

    def poll_until_well(self, polls: int = 4) -> list[ConnectorError]:
        """Poll until all is read; the errors on the way, which are at most one fewer than `polls`."""
        errors: list[ConnectorError] = []
        for _ in range(polls):
            try:
                self.poll()
            except ConnectorError as error:
                errors.append(error)
            else:
                return errors
        raise errors[-1]
