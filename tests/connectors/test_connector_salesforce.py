"""The Salesforce connector against the simulated org, over a real socket."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any, Protocol

import pytest

from connectors.contract import Page, Position
from connectors.errors import CursorLost, LoginRefused, PermanentError, SchemaChanged, TransientError
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.conftest import NOON, Clock

LINES = """
connector: salesforce
objects:
  Line__c:
    key: Id
    modified: SystemModstamp
    targets:
      - entity: contract_lines
        columns: {quantity: Quantity__c, product_code: Product__r.ProductCode}
"""
SNAPSHOT = LINES.replace("    modified: SystemModstamp\n", "")


class Connect(Protocol):
    def __call__(self, url: str, text: str = LINES, **more: Any) -> Salesforce: ...


@pytest.fixture
def org(clock: Clock) -> SalesforceOrg:
    made = SalesforceOrg(clock)
    made.define("Product2", {"ProductCode": "string"})
    made.define("Line__c", {"Quantity__c": "double", "Product__c": "reference(Product2)"})
    return made


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[SalesforceServer]:
    with SalesforceServer(org) as running:
        yield running


@pytest.fixture
def connect(clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors that are closed after the test."""
    with ExitStack() as stack:

        def opened(url: str, text: str = LINES, **more: Any) -> Salesforce:
            settings = {"consumer_secret": "simulator-secret", "retries": retries, **more}
            config = SalesforceConfig(url, "simulator-client", **settings)
            return stack.enter_context(closing(Salesforce(config, parse(text), clock)))

        yield opened


def _lines(org: SalesforceOrg, count: int, **more: Any) -> list[str]:
    return [org.put("Line__c", {"Quantity__c": n, **more}) for n in range(count)]


def _ids(pages: Sequence[Page]) -> list[str]:
    return [record["Id"] for page in pages for record in page.records]


def test_thousands_of_equal_stamps_cross_pages(server: SalesforceServer, org: SalesforceOrg, connect: Connect) -> None:
    ids = _lines(org, 4_500)
    pages = list(connect(server.url).changes("Line__c", None))
    assert _ids(pages) == sorted(ids)
    assert [page.position for page in pages] == [Position(NOON, sorted(ids)[n]) for n in (1999, 3999, 4499)]
    assert server.requests["query"] == 3
    assert server.requests["query_more"] == 0


def test_a_server_that_gives_less_than_asked_for_is_not_at_its_end(org: SalesforceOrg, connect: Connect) -> None:
    ids = _lines(org, 950)
    with SalesforceServer(org, page_size=300) as server:
        pages = list(connect(server.url).changes("Line__c", None))
    assert [len(page.records) for page in pages] == [300, 300, 300, 50]
    assert _ids(pages) == sorted(ids)


def test_the_next_poll_looks_ten_minutes_back(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect, clock: Clock
) -> None:
    old, kept = _lines(org, 2)
    org.put("Line__c", {"Id": old, "SystemModstamp": NOON - timedelta(minutes=11)})
    connector = connect(server.url)
    position = list(connector.changes("Line__c", None))[-1].position
    clock.forward(minutes=5)
    new = org.put("Line__c", {})
    late = org.put("Line__c", {"SystemModstamp": NOON - timedelta(minutes=9)})
    assert _ids(list(connector.changes("Line__c", position))) == [late, kept, new]


def test_numbers_arrive_as_they_were_written(server: SalesforceServer, org: SalesforceOrg, connect: Connect) -> None:
    product = org.put("Product2", {"ProductCode": "SEAT"})
    org.put("Line__c", {"Quantity__c": 500, "Product__c": product})
    (page,) = connect(server.url).changes("Line__c", None)
    row = parse(LINES).objects["Line__c"].book(page.records, "crm", NOON).rows[0][1][0]
    assert (row["quantity"], row["product_code"], row["modified_at"]) == (500, "SEAT", NOON)
    assert page.records[0]["Quantity__c"] == "500.0"


def test_an_object_without_a_stamp_is_read_in_full(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect
) -> None:
    ids = _lines(org, 2_100)
    pages = list(connect(server.url, SNAPSHOT).changes("Line__c", Position(NOON)))
    assert _ids(pages) == sorted(ids)
    assert [page.position for page in pages] == [None, None]


def test_deletions_come_from_the_bin_and_from_the_list(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect, clock: Clock
) -> None:
    first, second, _ = _lines(org, 3)
    org.remove("Line__c", first)
    clock.forward(days=2)
    org.remove("Line__c", second)
    clock.forward(minutes=5)
    connector = connect(server.url)
    assert set(connector.deletions("Line__c", NOON + timedelta(days=1))) == {second}
    assert set(connector.deletions("Line__c", NOON)) == {first, second}
    assert set(connector.deletions("Line__c", None)) == {first, second}


def test_deletions_out_of_reach_are_said_to_be_lost(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect, clock: Clock
) -> None:
    gone = _lines(org, 2)[0]
    org.purge("Line__c", gone)
    clock.forward(hours=1)
    connector = connect(server.url)
    with pytest.raises(CursorLost, match="no longer knows what was deleted of Line__c before 2026-12-01 12:00"):
        list(connector.deletions("Line__c", NOON - timedelta(hours=1)))
    clock.forward(days=20)
    with pytest.raises(CursorLost):
        list(connector.deletions("Line__c", NOON + timedelta(hours=2)))
    assert gone not in {record["Id"] for records in connector.census("Line__c") for record in records}


def test_the_census_names_every_live_record(server: SalesforceServer, org: SalesforceOrg, connect: Connect) -> None:
    ids = _lines(org, 2_100)
    org.remove("Line__c", ids[7])
    found = [record["Id"] for records in connect(server.url).census("Line__c") for record in records]
    assert found == sorted({*ids} - {ids[7]})


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"Product__c": "reference(Product2)"}, "Quantity__c"),
        ({"Quantity__c": "double"}, r"Product__r\.ProductCode"),
        ({"quantity__c": "double", "Product__c": "reference(Product2)"}, "Quantity__c"),
    ],
)
def test_a_hidden_field_is_named_before_anything_is_read(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect, fields: dict[str, str], missing: str
) -> None:
    org.define("Line__c", fields)
    with pytest.raises(SchemaChanged, match=f"does not show {missing} of Line__c"):
        list(connect(server.url).changes("Line__c", None))
    assert server.requests["query"] == 0


def test_a_field_hidden_behind_a_lookup(server: SalesforceServer, org: SalesforceOrg, connect: Connect) -> None:
    org.define("Product2", {"Name": "string"})
    with pytest.raises(SchemaChanged, match=r"Product__r\.ProductCode"):
        list(connect(server.url).changes("Line__c", None))


def test_a_hidden_object(server: SalesforceServer, connect: Connect) -> None:
    with pytest.raises(SchemaChanged, match="NOT_FOUND"):
        list(connect(server.url, LINES.replace("Line__c", "Gone__c")).changes("Gone__c", None))


def test_a_field_that_is_hidden_during_the_walk(server: SalesforceServer, org: SalesforceOrg, connect: Connect) -> None:
    _lines(org, 2_100)
    walk = connect(server.url).changes("Line__c", None)
    next(walk)
    org.define("Line__c", {"Product__c": "reference(Product2)"})
    with pytest.raises(SchemaChanged, match="INVALID_FIELD"):
        next(walk)


def test_an_ended_session_is_renewed(server: SalesforceServer, org: SalesforceOrg, connect: Connect) -> None:
    ids = _lines(org, 2_100)
    walk = connect(server.url).changes("Line__c", None)
    first = next(walk)
    server.expire_sessions()
    assert _ids([first, *walk]) == sorted(ids)
    assert server.requests["token"] == 2


@pytest.mark.parametrize("status", [406, 408, 420, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect, waits: list[float], status: int
) -> None:
    ids = _lines(org, 1)
    server.fail_next(2, status)
    assert _ids(list(connect(server.url).changes("Line__c", None))) == ids
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "MALFORMED_QUERY", PermanentError),
        (400, None, PermanentError),
        (403, "API_DISABLED_FOR_ORG", PermanentError),
        (403, None, PermanentError),
        (400, "QUERY_TIMEOUT", TransientError),
        (403, "REQUEST_LIMIT_EXCEEDED", TransientError),
        (401, "INVALID_SESSION_ID", LoginRefused),
        (401, None, LoginRefused),
    ],
)
def test_refusals_with_and_without_a_readable_body(
    server: SalesforceServer, org: SalesforceOrg, connect: Connect, status: int, code: str | None, kind: type[Exception]
) -> None:
    _lines(org, 2_100)
    walk = connect(server.url).changes("Line__c", None)
    next(walk)
    server.fail_next(20, status, code)
    with pytest.raises(kind) as caught:
        next(walk)
    assert type(caught.value) is kind


def test_the_daily_limit_is_not_hammered(org: SalesforceOrg, connect: Connect, waits: list[float]) -> None:
    _lines(org, 2_100)
    with SalesforceServer(org, daily_limit=3) as server:
        walk = connect(server.url).changes("Line__c", None)
        with pytest.raises(TransientError, match="TotalRequests") as caught:
            list(walk)
        asked = server.requests.total()
    assert caught.value.retry_after == 3_600
    assert waits == []
    assert asked <= 5


def test_a_wrong_secret(server: SalesforceServer, connect: Connect) -> None:
    with pytest.raises(LoginRefused) as caught:
        connect(server.url, consumer_secret="hush").source_time()
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(SalesforceConfig(server.url, "key", "hush"))


def test_a_server_that_is_not_there(org: SalesforceOrg, connect: Connect, waits: list[float]) -> None:
    with SalesforceServer(org) as server:
        url = server.url
    with pytest.raises(TransientError, match=r"got no whole answer \(ConnectionError\)"):
        connect(url).source_time()
    assert len(waits) == 3
