"""The mapping of CPQ on subscriptions as a real org exported them: amendments are rows that carry the difference."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.mapping_file import SHIPPED, load
from connectors.retries import RetryPolicy
from sandbox.company.render_salesforce import OBJECTS
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.conftest import Clock
from tests.connectors.salesforce_org import connected, rows

TEXT = (SHIPPED / "salesforce_cpq.yaml").read_text(encoding="utf-8")
NAME = "SBQQ__Subscription__c"
EXPORTED = (
    Path(__file__).resolve().parents[3]
    / "shared/data/salesforce_cpq_test_framework/contract-00000100/Subscriptions_flat.csv"
)


@pytest.fixture
def org(clock: Clock) -> SalesforceOrg:
    made = SalesforceOrg(clock)
    for name, fields in OBJECTS.items():
        made.define(name, fields)
    return made


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[SalesforceServer]:
    with SalesforceServer(org) as running:
        yield running


def _read(server: SalesforceServer, clock: Clock, retries: RetryPolicy, **more: Any) -> list[dict[str, Any]]:
    with connected(server.url, clock, retries, TEXT, **more) as connector:
        records = [record for page in connector.changes(NAME, None) for record in page.records]
    return rows(TEXT, NAME, records, clock)


@pytest.mark.parametrize("bulk_above", [0, 50_000])
def test_an_amendment_revises_its_base_line(
    server: SalesforceServer, org: SalesforceOrg, clock: Clock, retries: RetryPolicy, bulk_above: int
) -> None:
    dates = {"SBQQ__StartDate__c": date(2026, 1, 1), "SBQQ__EndDate__c": date(2026, 12, 31)}
    base = org.put(NAME, {**dates, "SBQQ__Quantity__c": 10, "SBQQ__BillingFrequency__c": "Quarterly"})
    change = {
        "SBQQ__Quantity__c": -4,
        "SBQQ__RevisedSubscription__c": base,
        "SBQQ__SubscriptionStartDate__c": date(2026, 6, 1),
    }
    org.put(NAME, {**dates, **change, "SBQQ__BillingFrequency__c": "Invoice Plan"})
    first, second = _read(server, clock, retries, bulk_above=bulk_above)
    assert (first["start_date"], first["end_date"], first["billing_months"]) == (date(2026, 1, 1), date(2027, 1, 1), 3)
    assert (second["revises_key"], second["quantity"]) == (base, Decimal(-4))
    assert (second["start_date"], second["billing_months"]) == (date(2026, 6, 1), None)
    assert server.requests["bulk_create"] == (1 if bulk_above == 0 else 0)


def test_formulas_of_cpq_are_read_again() -> None:
    mapped = load(SHIPPED / "salesforce_cpq.yaml").objects
    assert {name for name, of in mapped.items() if "reread_hours" in of.options} == {NAME, "SBQQ__Quote__c"}


@pytest.mark.skipif(not EXPORTED.is_file(), reason="the published records of ../shared are not here")
def test_subscriptions_that_a_real_org_exported(
    server: SalesforceServer, org: SalesforceOrg, clock: Clock, retries: RetryPolicy
) -> None:
    with EXPORTED.open(encoding="utf-8-sig", newline="") as file:
        exported = list(csv.DictReader(file))
    for record in exported:
        org.put(NAME, _row(record))
    booked = _read(server, clock, retries)
    assert [row["key"] for row in booked] == sorted(record["Id"] for record in exported)
    for row, record in zip(booked, sorted(exported, key=lambda record: record["Id"]), strict=True):
        assert row["quantity"] == Decimal(record["SBQQ__Quantity__c"])
        assert row["unit_price"] == Decimal(record["SBQQ__NetPrice__c"])
        assert (row["start_date"], row["end_date"]) == (date(2024, 12, 1), date(2025, 12, 2))
        assert (row["account_id"], row["contract_key"]) == (record["SBQQ__Account__c"], record["SBQQ__Contract__c"])


def _row(record: dict[str, str]) -> dict[str, Any]:
    """The exported cells of the fields that the org has, as its Python values."""
    fields = {"Id": "id", "SystemModstamp": "datetime", **OBJECTS[NAME]}
    return {name: _value(fields[name], cell) for name, cell in record.items() if name in fields and cell}


def _value(kind: str, cell: str) -> Any:
    if kind.startswith("date("):
        return date.fromisoformat(cell)
    converters: dict[str, Any] = {
        "date": date.fromisoformat,
        "datetime": lambda text: datetime.fromisoformat(text).astimezone(UTC),
        "double": Decimal,
        "currency": Decimal,
        "boolean": lambda text: text == "True",
    }
    return converters.get(kind, str)(cell)
