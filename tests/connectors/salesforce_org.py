"""A small org of lines with products, and connectors to it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from connectors.contract import Page, Record
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from sandbox.salesforce import SalesforceOrg
from tests.connectors.conftest import Clock

LINES = """
connector: salesforce
objects:
  Line__c:
    key: Id
    modified: SystemModstamp
    targets:
      - entity: contract_lines
        columns:
          quantity: Quantity__c
          unit_price: Price__c
          billing_months: Months__c
          product_code: Product__r.ProductCode
          quote_line_key: Note__c
          billable: Billable__c
          start_date: Start__c
"""


def line_org(clock: Clock) -> SalesforceOrg:
    """The objects Product2 and Line__c, empty."""
    org = SalesforceOrg(clock)
    org.define("Product2", {"ProductCode": "string"})
    fields = {
        "Quantity__c": "double",
        "Price__c": "currency",
        "Months__c": "int",
        "Product__c": "reference(Product2)",
        "Note__c": "string",
        "Billable__c": "boolean",
        "Start__c": "date",
    }
    org.define("Line__c", fields)
    return org


@contextmanager
def connected(url: str, clock: Clock, retries: RetryPolicy, text: str = LINES, **more: Any) -> Iterator[Salesforce]:
    """A connector that logs in by client credentials unless told otherwise."""
    settings = {"consumer_secret": "simulator-secret", "retries": retries, **more}
    config = SalesforceConfig(url, "simulator-client", **settings)
    with closing(Salesforce(config, parse(text), clock)) as connector:
        yield connector


def ids(pages: Sequence[Page]) -> list[str]:
    return [record["Id"] for page in pages for record in page.records]


def rows(text: str, name: str, records: Sequence[Record], clock: Clock) -> list[dict[str, Any]]:
    """The rows that the books get of the records, by key, all targets together."""
    booked = parse(text).objects[name].book(records, "crm", clock())
    assert not booked.rejects
    found = [row for _, rows in booked.rows for row in rows]
    return sorted(found, key=lambda row: str(row["key"]))
