"""The mapping of Revenue Cloud: assets whose quantity is the sum of their actions, and periods that are rewritten."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Position
from connectors.mapping_file import SHIPPED, load
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.conftest import NOON, Clock
from tests.connectors.salesforce_org import connected, rows

PATH = SHIPPED / "salesforce_revenue_cloud.yaml"
TEXT = PATH.read_text(encoding="utf-8")
OBJECTS: dict[str, dict[str, str]] = {
    "Account": {"Name": "string"},
    "Product2": {"ProductCode": "string"},
    "Contract": {"AccountId": "reference(Account)"},
    "Asset": {
        "AccountId": "reference(Account)",
        "Product2Id": "reference(Product2)",
        "Contract__c": "reference(Contract)",
        "HasLifecycleManagement": "boolean",
        "Price": "currency",
        "CurrencyIsoCode": "picklist",
        "LifecycleStartDate": "datetime",
        "LifecycleEndDate": "datetime",
    },
    "AssetAction": {
        "AssetId": "reference(Asset)",
        "ActionDate": "datetime",
        "Category": "picklist",
        "QuantityChange": "double",
        "MrrChange": "currency",
        "CurrencyIsoCode": "picklist",
    },
    "AssetStatePeriod": {
        "AssetId": "reference(Asset)",
        "StartDate": "datetime",
        "EndDate": "datetime",
        "Quantity": "double",
        "CurrencyIsoCode": "picklist",
    },
}


class Assets:
    """An org with one asset, and the two things that happen to it."""

    def __init__(self, clock: Clock) -> None:
        self.org = SalesforceOrg(clock)
        for name, fields in OBJECTS.items():
            self.org.define(name, fields)
        self.account = self.org.put("Account", {"Name": "Acme"})
        product = self.org.put("Product2", {"ProductCode": "SEAT"})
        self.contract = self.org.put("Contract", {"AccountId": self.account})
        asset = {
            "AccountId": self.account,
            "Product2Id": product,
            "Contract__c": self.contract,
            "HasLifecycleManagement": True,
            "Price": Decimal("12.50"),
            "CurrencyIsoCode": "USD",
            "LifecycleStartDate": datetime(2026, 1, 1, tzinfo=UTC),
            "LifecycleEndDate": datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        }
        self.asset = self.org.put("Asset", asset)
        self.periods: list[str] = []

    def act(self, day: date, category: str, quantity: int) -> str:
        said: dict[str, Any] = {
            "AssetId": self.asset,
            "ActionDate": datetime(day.year, day.month, day.day, tzinfo=UTC),
            "Category": category,
            "QuantityChange": quantity,
            "MrrChange": quantity * Decimal("12.50"),
            "CurrencyIsoCode": "USD",
        }
        return self.org.put("AssetAction", said)

    def rewrite(self, kept: int, quantities: list[int]) -> None:
        """What a change does: all periods but the first ones are deleted, and others written under new ids."""
        for period in self.periods[kept:]:
            self.org.remove("AssetStatePeriod", period)
        self.periods = self.periods[:kept]
        for quantity in quantities:
            month = len(self.periods) + 1
            self.periods.append(self.org.put("AssetStatePeriod", self._period(month, quantity)))

    def _period(self, month: int, quantity: int) -> dict[str, Any]:
        return {
            "AssetId": self.asset,
            "StartDate": datetime(2026, month, 1, tzinfo=UTC),
            "EndDate": datetime(2026, month, 28, 23, 59, 59, tzinfo=UTC),
            "Quantity": quantity,
            "CurrencyIsoCode": "USD",
        }


@pytest.fixture
def assets(clock: Clock) -> Assets:
    return Assets(clock)


@pytest.fixture
def server(assets: Assets) -> Iterator[SalesforceServer]:
    with SalesforceServer(assets.org) as running:
        yield running


@pytest.fixture
def connector(server: SalesforceServer, clock: Clock, retries: RetryPolicy) -> Iterator[Salesforce]:
    with connected(server.url, clock, retries, TEXT) as opened:
        yield opened


def _booked(connector: Salesforce, name: str, clock: Clock) -> list[dict[str, Any]]:
    return rows(TEXT, name, [record for page in connector.changes(name, None) for record in page.records], clock)


def test_an_asset_is_the_base_line_of_its_actions(assets: Assets, connector: Salesforce, clock: Clock) -> None:
    assets.act(date(2026, 1, 1), "Initial Sale", 10)
    later = assets.act(date(2026, 6, 1), "Downsells", -3)
    assets.org.put("Asset", {"AccountId": assets.account, "HasLifecycleManagement": False})
    (base,) = _booked(connector, "Asset", clock)
    assert (base["key"], base["quantity"], base["unit_price"]) == (assets.asset, 0, Decimal("12.50"))
    assert (base["start_date"], base["end_date"]) == (date(2026, 1, 1), date(2027, 1, 1))
    assert (base["contract_key"], base["product_code"], base["account_id"]) == (
        assets.contract,
        "SEAT",
        assets.account,
    )
    booked = _booked(connector, "AssetAction", clock)
    changes = [row for row in booked if "revises_key" in row]
    assert {row["revises_key"] for row in changes} == {assets.asset}
    assert sum(row["quantity"] for row in changes) == 7
    (amendment,) = (row for row in booked if "monthly_delta" in row)
    assert (amendment["key"], amendment["effective_date"]) == (later, date(2026, 6, 1))
    assert (amendment["monthly_delta"], amendment["status"]) == (Decimal("-37.50"), "activated")


def test_every_object_is_mapped_onto_an_entity() -> None:
    mapping = load(PATH)
    assert {"Quote", "QuoteLineItem", "Order", "OrderItem", *OBJECTS} <= set(mapping.objects)
    assert mapping.connector == "salesforce"


class Mirror:
    """The periods as a sync keeps them: what comes is stored, what is listed as deleted is buried."""

    def __init__(self, connector: Salesforce, clock: Clock) -> None:
        self._connector = connector
        self._clock = clock
        self._position: Position | None = None
        self._from = connector.source_time()
        self.quantities: dict[str, Decimal] = {}

    def poll(self) -> None:
        started = self._connector.source_time()
        for page in self._connector.changes("AssetStatePeriod", self._position):
            for row in rows(TEXT, "AssetStatePeriod", page.records, self._clock):
                self.quantities[row["key"]] = row["quantity"]
            self._position = page.position or self._position
        for key in self._connector.deletions("AssetStatePeriod", self._from):
            self.quantities.pop(key, None)
        self._from = started


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(0, 99), max_size=5), st.integers(0, 40)), max_size=5))
def test_rewritten_periods_replace_the_old_ones(
    retries: RetryPolicy, changes: list[tuple[int, list[int], int]]
) -> None:
    clock = Clock()
    assets = Assets(clock)
    with SalesforceServer(assets.org) as server, connected(server.url, clock, retries, TEXT) as connector:
        mirror = Mirror(connector, clock)
        for kept, quantities, minutes in changes:
            assets.rewrite(kept, quantities)
            mirror.poll()
            clock.forward(minutes=minutes)
        held = [row for row in assets.org.rows("AssetStatePeriod") if not row["IsDeleted"]]
        assert mirror.quantities == {row["Id"]: row["Quantity"] for row in held}


def test_periods_that_are_purged_are_missed_by_the_census_alone(
    assets: Assets, connector: Salesforce, clock: Clock
) -> None:
    assets.rewrite(0, [5, 6, 7])
    mirror = Mirror(connector, clock)
    mirror.poll()
    assets.org.purge("AssetStatePeriod", assets.periods[2])
    found = {record["Id"] for records in connector.census("AssetStatePeriod") for record in records}
    assert set(mirror.quantities) - found == {assets.periods[2]}
    assert clock() == NOON
