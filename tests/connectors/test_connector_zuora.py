"""The Zuora connector against the simulated tenant, and against answers that the simulator does not give."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

import httpx
import pytest
import respx

from connectors.contract import Page, Position, Record
from connectors.errors import (
    ConnectorError,
    CursorLost,
    LoginRefused,
    MappingError,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.http import Answer
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from connectors.zuora.connector import Zuora, ZuoraConfig
from connectors.zuora.zoql import refusal
from sandbox.zuora import ZuoraServer, ZuoraTenant
from tests.connectors.conftest import NOON, Clock

ACCOUNTS = """
connector: zuora
objects:
  Account:
    key: Id
    modified: UpdatedDate
    targets:
      - {entity: accounts, account: Id, columns: {name: Name, number: AccountNumber}}
"""
CHARGES = """
connector: zuora
objects:
  RatePlanCharge:
    key: Id
    modified: UpdatedDate
    look_ups:
      - {object: RatePlan, by: RatePlanId}
      - {object: RatePlanChargeTier, as: FirstTier, by: Id, match: RatePlanChargeId, first_by: Tier}
    targets:
      - entity: billing_schedules
        columns: {subscription_key: RatePlan.SubscriptionId, unit_price: FirstTier.Price, quantity: Quantity}
"""
SECRET = "a-secret"
BASE = "https://rest.zuora.test"


@pytest.fixture
def tenant(clock: Clock) -> ZuoraTenant:
    return ZuoraTenant(clock)


@pytest.fixture
def server(tenant: ZuoraTenant) -> Iterator[ZuoraServer]:
    with ZuoraServer(tenant, client_id="tieout", client_secret=SECRET, page_size=10) as running:
        yield running


class Connect(Protocol):
    def __call__(self, url: str, text: str = ACCOUNTS, *, secret: str = SECRET, **more: Any) -> Zuora: ...


@pytest.fixture
def connect(clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors that are closed after the test."""
    with ExitStack() as stack:

        def opened(url: str, text: str = ACCOUNTS, *, secret: str = SECRET, **more: Any) -> Zuora:
            config = ZuoraConfig(url, "tieout", secret, **{"retries": retries, **more})
            return stack.enter_context(closing(Zuora(config, parse(text), clock)))

        yield opened


def _names(pages: Sequence[Page]) -> list[str]:
    return sorted(record["Name"] for page in pages for record in page.records)


def _accounts(tenant: ZuoraTenant, count: int) -> list[str]:
    return [tenant.put("Account", {"Name": f"A{n:03}"}) for n in range(count)]


def test_a_first_load_reads_everything_and_only_its_end_is_a_position(
    server: ZuoraServer, tenant: ZuoraTenant, clock: Clock, connect: Connect
) -> None:
    for _ in range(25):
        clock.forward(seconds=1)
        _accounts(tenant, 1)
    pages = list(connect(server.url).changes("Account", None))
    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert [page.position for page in pages] == [None, None, Position(NOON + timedelta(seconds=25))]


def test_the_next_poll_reads_what_changed_and_looks_back(
    server: ZuoraServer, tenant: ZuoraTenant, clock: Clock, connect: Connect
) -> None:
    connector = connect(server.url)
    old, kept = _accounts(tenant, 2)
    tenant.put("Account", {"Id": old, "Name": "old", "UpdatedDate": NOON - timedelta(hours=1)})
    position = list(connector.changes("Account", None))[-1].position
    clock.forward(minutes=5)
    tenant.put("Account", {"Name": "new"})
    # It committed now, with a stamp from before the position: the look-back finds it.
    tenant.put("Account", {"Name": "late", "UpdatedDate": NOON - timedelta(minutes=9)})
    pages = list(connector.changes("Account", position))
    assert _names(pages) == [tenant.records.get("Account", kept)["Name"], "late", "new"]
    assert pages[-1].position == Position(NOON + timedelta(minutes=5))


def test_an_empty_poll_stays_where_it_is(server: ZuoraServer, connect: Connect) -> None:
    connector = connect(server.url)
    assert list(connector.changes("Account", None)) == []
    assert list(connector.changes("Account", Position(NOON))) == [Page([], Position(NOON))]


def test_a_first_load_in_windows_is_resumable(server: ZuoraServer, tenant: ZuoraTenant, connect: Connect) -> None:
    for days in (400, 95, 65, 35, 1):
        tenant.put("Account", {"Name": f"{days:03}", "UpdatedDate": NOON - timedelta(days=days)})
    start = NOON - timedelta(days=100)
    connector = connect(server.url, history_start=start, window_days=30)
    pages = list(connector.changes("Account", None))
    assert _names(pages) == ["001", "035", "065", "095", "400"]
    ends = [page.position.stamp for page in pages if page.position]
    assert ends == [start + timedelta(days=30 * n) for n in range(4)] + [NOON - timedelta(days=1)]
    assert _names(list(connector.changes("Account", Position(ends[3])))) == ["001"]


def test_looked_up_records_come_nested(server: ZuoraServer, tenant: ZuoraTenant, connect: Connect) -> None:
    plan = tenant.put("RatePlan", {"SubscriptionId": "s1"})
    charge = tenant.put("RatePlanCharge", {"RatePlanId": plan, "Quantity": Decimal("2.5")})
    for tier, price in ((2, "8"), (1, "9.99"), (3, "7")):
        tenant.put("RatePlanChargeTier", {"RatePlanChargeId": charge, "Tier": tier, "Price": Decimal(price)})
    tenant.put("RatePlanCharge", {"RatePlanId": "gone", "Quantity": 1})
    connector = connect(server.url, CHARGES)
    records = [record for page in connector.changes("RatePlanCharge", None) for record in page.records]
    rows = parse(CHARGES).objects["RatePlanCharge"].book(records, "zuora", NOON).rows[0][1]
    found = {(row["quantity"], row["subscription_key"], row["unit_price"]) for row in rows}
    assert found == {(Decimal("2.5"), "s1", Decimal("9.99")), (Decimal(1), None, None)}


def test_look_ups_ask_for_200_values_at_a_time(tenant: ZuoraTenant, connect: Connect) -> None:
    for n in range(450):
        plan = tenant.put("RatePlan", {"SubscriptionId": f"s{n}"})
        tenant.put("RatePlanCharge", {"RatePlanId": plan, "Quantity": n})
    with ZuoraServer(tenant, client_id="tieout", client_secret=SECRET) as server:
        pages = list(connect(server.url, CHARGES).changes("RatePlanCharge", None))
        assert server.requests["POST /v1/action/query"] == 1 + 3 + 3
    records: list[Record] = [record for page in pages for record in page.records]
    assert {record["RatePlan"]["SubscriptionId"] for record in records} == {f"s{n}" for n in range(450)}


def test_a_forgotten_locator_starts_the_window_again(
    server: ZuoraServer, tenant: ZuoraTenant, clock: Clock, connect: Connect
) -> None:
    _accounts(tenant, 25)
    walk = connect(server.url).changes("Account", None)
    first = next(walk)
    clock.forward(minutes=16)
    rest = list(walk)
    assert _names([first]) == _names(rest[:1])
    assert len(set(_names(rest))) == 25
    assert rest[-1].position is not None


def test_a_window_that_always_loses_its_locator_is_given_up(
    server: ZuoraServer, tenant: ZuoraTenant, clock: Clock, connect: Connect
) -> None:
    _accounts(tenant, 25)
    pages = 0
    with pytest.raises(CursorLost):  # noqa: PT012 - the clock moves between pages
        for _ in connect(server.url).changes("Account", None):
            pages += 1
            clock.forward(minutes=16)
    assert pages == 3


def test_revoked_tokens_and_maintenance_are_survived(
    server: ZuoraServer, tenant: ZuoraTenant, waits: list[float], connect: Connect
) -> None:
    _accounts(tenant, 25)

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        server.set_maintenance(False)

    walk = connect(server.url, retries=RetryPolicy(sleep=sleep)).changes("Account", None)
    next(walk)
    server.revoke_tokens()
    server.set_maintenance(True)
    assert sum(len(page.records) for page in walk) == 15
    assert len(waits) == 1


def test_the_rate_limit_is_waited_for(tenant: ZuoraTenant, clock: Clock, waits: list[float], connect: Connect) -> None:
    _accounts(tenant, 25)

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.forward(seconds=seconds)

    with ZuoraServer(tenant, client_id="tieout", client_secret=SECRET, page_size=10, per_minute=2) as server:
        pages = list(connect(server.url, retries=RetryPolicy(sleep=sleep)).changes("Account", None))
    assert sum(len(page.records) for page in pages) == 25
    assert waits
    assert min(waits) >= 1


def test_a_lost_field_or_object_is_a_changed_schema(server: ZuoraServer, tenant: ZuoraTenant, connect: Connect) -> None:
    tenant.drop_field("Account", "AccountNumber")
    with pytest.raises(SchemaChanged, match="AccountNumber"):
        list(connect(server.url).changes("Account", None))
    with pytest.raises(SchemaChanged, match="Akkount"):
        list(connect(server.url, ACCOUNTS.replace("Account:", "Akkount:")).changes("Akkount", None))


def test_a_field_spelt_in_another_case_is_not_read_as_empty(
    server: ZuoraServer, tenant: ZuoraTenant, connect: Connect
) -> None:
    _accounts(tenant, 1)
    with pytest.raises(SchemaChanged, match="'Name'; spell it so"):
        list(connect(server.url, ACCOUNTS.replace("Name,", "name,")).changes("Account", None))


def test_the_census_finds_what_was_deleted(server: ZuoraServer, tenant: ZuoraTenant, connect: Connect) -> None:
    ids = _accounts(tenant, 25)
    tenant.remove("Account", ids[3])
    connector = connect(server.url)
    assert list(connector.deletions("Account", NOON)) == []
    target = parse(ACCOUNTS).objects["Account"].targets[0]
    keys = {target.key_of(record) for records in connector.census("Account") for record in records}
    assert keys == set(ids) - {ids[3]}


def test_a_wrong_secret(server: ZuoraServer, connect: Connect) -> None:
    with pytest.raises(LoginRefused, match="invalid_client"):
        connect(server.url, secret="wrong").source_time()


def test_a_filter_with_or_is_refused(connect: Connect) -> None:
    text = ACCOUNTS.replace("    key: Id", "    filter: Status = 'Active' OR Status = 'Draft'\n    key: Id")
    with pytest.raises(MappingError, match="says 'or'"):
        connect(BASE, text)


def test_a_filter_narrows_the_walk(server: ZuoraServer, tenant: ZuoraTenant, connect: Connect) -> None:
    for status in ("Active", "Draft"):
        tenant.put("Account", {"Name": status, "Status": status})
    text = ACCOUNTS.replace("    key: Id", "    filter: Status = 'Active'\n    key: Id")
    connector = connect(server.url, text)
    assert _names(list(connector.changes("Account", Position(NOON)))) == ["Active"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"success": False, "reasons": [{"code": 53100040, "message": "Cannot find"}]}, UnknownRecord),
        (200, {"success": False, "reasons": [{"code": 53100050, "message": "locked"}]}, TransientError),
        (200, {"success": False, "reasons": [{"code": 53100061, "message": "too many"}]}, TransientError),
        (200, {"success": False, "reasons": [{"code": 90000011, "message": "who?"}]}, LoginRefused),
        (200, {"success": False, "reasons": [{"code": 53100030, "message": "rule"}]}, PermanentError),
        (200, {"success": False}, PermanentError),
        (200, {"Success": False, "Errors": [{"Code": "INVALID_VALUE", "Message": "bad"}]}, PermanentError),
        (200, {"Success": False, "Errors": [{"Code": "LOCK_COMPETITION", "Message": "bad"}]}, TransientError),
        (400, {"faultCode": "INVALID_QUERY_LOCATOR", "faultMessage": "gone"}, CursorLost),
        (200, {"faultcode": "fns:INVALID_FIELD", "faultstring": "gone"}, SchemaChanged),
        (400, {"FaultCode": "INVALID_TYPE", "FaultMessage": "gone"}, SchemaChanged),
        (400, {"faultCode": "MALFORMED_QUERY", "faultMessage": "oops"}, PermanentError),
        (400, {"code": "REQUEST_EXCEEDED_LIMIT", "message": "slow down"}, TransientError),
        (403, None, LoginRefused),
        (404, {"message": "nothing here"}, UnknownRecord),
        (400, [], PermanentError),
    ],
)
def test_every_way_of_saying_no(status: int, body: Any, kind: type[ConnectorError]) -> None:
    error = refusal("zuora: GET /x", Answer(status, body))
    assert type(error) is kind
    assert str(error).startswith(f"zuora: GET /x was refused with HTTP {status}")


@pytest.mark.parametrize(
    "body", [{"records": [], "done": True, "size": 0}, {"success": True, "id": "1"}, {"records": [{"Code": "A-1"}]}]
)
def test_a_yes_is_not_taken_for_a_no(body: dict[str, Any]) -> None:
    assert refusal("zuora", Answer(200, body)) is None


@respx.mock(base_url=BASE)
def test_a_page_without_the_way_to_the_next(respx_mock: respx.MockRouter, connect: Connect) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    respx_mock.post("/v1/action/query").respond(200, json={"records": [], "size": 9, "done": False})
    with pytest.raises(TransientError, match="left out the way"):
        list(connect(BASE).changes("Account", None))


@pytest.mark.parametrize("reply", [{}, {"success": True}, {"records": []}, {"size": 3}])
@respx.mock(base_url=BASE)
def test_an_answer_that_is_no_page_is_not_an_empty_one(
    respx_mock: respx.MockRouter, connect: Connect, reply: dict[str, Any]
) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    respx_mock.post("/v1/action/query").respond(200, json=reply)
    with pytest.raises(TransientError, match="without a page"):
        list(connect(BASE).census("Account"))
    respx_mock.post("/v1/action/query").respond(200, json={"size": 0})
    assert list(connect(BASE).census("Account")) == []


@respx.mock(base_url=BASE)
def test_a_cut_off_answer_is_asked_for_again(
    respx_mock: respx.MockRouter, waits: list[float], connect: Connect
) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    whole = {"records": [{"Id": "1", "Name": "A", "UpdatedDate": "2026-12-01T04:00:00.000-08:00"}], "done": True}
    respx_mock.post("/v1/action/query").mock(
        side_effect=[httpx.Response(200, content=b'{"records": [{"Id'), httpx.Response(200, json=whole)]
    )
    assert _names(list(connect(BASE).changes("Account", None))) == ["A"]
    assert len(waits) == 1
