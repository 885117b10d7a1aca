"""The source of the contract test, driven by itself: what it says is true, and every mishap is outlived."""

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta

import pytest

from connectors.contract import Connector, Position
from connectors.errors import ConnectorError
from connectors.mapping_file import parse
from connectors.registry import open_connector
from connectors.retries import RetryPolicy
from tests.connectors.conftest import Clock
from tests.connectors.contract.billingplatform_source import BillingPlatformSource
from tests.connectors.contract.source import ContractSource, Place, Said

MISHAPS = (
    "ended session",
    "busy inside a 200",
    "error inside a 200",
    "session ended inside a 200",
    "a 404 that says nothing of rows",
    "lost permission for a moment",
    "page twice",
    "429 with Retry-After",
    "429 without Retry-After",
)


@pytest.fixture
def source(clock: Clock) -> Iterator[ContractSource]:
    made = BillingPlatformSource(clock)
    yield made
    made.close()


@pytest.fixture
def connector(source: ContractSource, clock: Clock, retries: RetryPolicy) -> Iterator[Connector]:
    settings = {**source.settings(), **source.secrets(), "retries": retries}
    with closing(open_connector(source.kind, settings, parse(source.mapping), clock)) as opened:
        yield opened


def _read(source: ContractSource, connector: Connector, since: dict[str, Position | None]) -> dict[Place, Said]:
    """What the pages say, and where each object stands after them."""
    said: dict[Place, Said] = {}
    for name, mapped in parse(source.mapping).objects.items():
        for page in connector.changes(name, since.get(name)):
            since[name] = page.position or since.get(name)
            for row in mapped.book(page.records, "billing", connector.source_time()).rows[0][1]:
                entity = mapped.targets[0].entity.name
                columns = {rule.column for rule in mapped.targets[0].rules} - {"modified_at"}
                said[entity, row["key"]] = {c: row[c] for c in columns if row[c] is not None}
    return said


def _keys(source: ContractSource, connector: Connector) -> set[Place]:
    objects = parse(source.mapping).objects
    return {
        (mapped.targets[0].entity.name, str(mapped.targets[0].key_of(record)))
        for name, mapped in objects.items()
        for page in connector.census(name)
        for record in page
    }


def test_its_truth_is_what_is_read(source: ContractSource, connector: Connector, clock: Clock) -> None:
    since: dict[str, Position | None] = {}
    for number in range(14):
        source.put(number, f"first {number}")
    assert _read(source, connector, since) == source.truth()
    clock.forward(minutes=5)
    source.put(3, "changed")
    source.put(14, "late", late=timedelta(minutes=9))
    source.remove(4)
    source.purge(5)
    found = _read(source, connector, since)
    for place in (("subscription_lines", "4"), ("accounts", "15")):
        assert found[place] == source.truth()[place]
    assert _keys(source, connector) == set(source.truth())
    assert source.over_limit() == 0


@pytest.mark.parametrize("name", MISHAPS)
def test_every_mishap_is_outlived(source: ContractSource, connector: Connector, name: str) -> None:
    for number in range(8):
        source.put(number, f"text {number}")
    assert set(source.mishaps()) == set(MISHAPS)
    source.mishaps()[name]()
    with suppress(ConnectorError):
        assert _read(source, connector, {}) == source.truth(), "a mishap is an error, or nothing is missing"
    source.faults.clear()
    assert _read(source, connector, {}) == source.truth()
    assert _keys(source, connector) == set(source.truth())
