"""NetSuite's two logins, its pool of requests, and what SuiteQL tells beside rows."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature as referee

from connectors.contract import Connector, Limit, Position
from connectors.errors import LoginRefused, NotVisible, PermanentError, TransientError
from connectors.mapping_file import parse, shipped
from connectors.netsuite import open_netsuite
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.governor import Governor
from connectors.netsuite.signing import TokenKeys, authorization, passport
from connectors.retries import RetryPolicy
from sandbox.netsuite import STANDARD_TABLES, SUITE_BILLING, NetSuiteAccount, NetSuiteServer, make_key_pair
from sandbox.netsuite import TokenKeys as AccountKeys
from sandbox.netsuite.soap.definition import FOLDER
from tests.connectors.conftest import NOON, Clock

PRIVATE, PUBLIC = make_key_pair("ES256")
OAUTH: Mapping[str, Any] = {"client_id": "client", "certificate_id": "cert", "private_key_pem": PRIVATE}
TOKENS: Mapping[str, Any] = {
    "consumer_key": "consumer-key",
    "consumer_secret": "consumer&secret",
    "token_id": "token-id",
    "token_secret": "token=secret",
}
CUSTOMERS = """
connector: netsuite
objects:
  customer:
    key: id
    modified: lastmodifieddate
    targets:
      - {entity: accounts, account: id, columns: {name: companyname, currency: BUILTIN.DF(currency)}}
"""


class Connect(Protocol):
    def __call__(self, **more: Any) -> Connector: ...


@pytest.fixture
def account(clock: Clock) -> NetSuiteAccount:
    return NetSuiteAccount(clock)


@pytest.fixture
def server(account: NetSuiteAccount, clock: Clock) -> Iterator[NetSuiteServer]:
    keys = AccountKeys(**TOKENS)
    with NetSuiteServer(
        account, client_id="client", certificate_id="cert", public_key_pem=PUBLIC, wall_clock=clock, token_keys=keys
    ) as running:
        yield running


@pytest.fixture
def connect(server: NetSuiteServer, clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors, by signed requests unless they are told otherwise."""
    with ExitStack() as stack:

        def opened(**more: Any) -> Connector:
            mapping = more.pop("mapping", None) or parse(CUSTOMERS)
            now = more.pop("now", clock)
            said = {
                "base_url": server.url,
                "retries": retries,
                **(more or {}),
                **({} if "client_id" in more else TOKENS),
            }
            connector = open_netsuite(NetSuiteConfig("1234567-sb1", **said), mapping, now)
            return stack.enter_context(closing(connector))

        yield opened


def test_the_signature_of_the_vendors_example() -> None:
    keys = TokenKeys(
        "1234567",
        "71cc02b731f05895561ef0862d71553a3ac99498a947c3b7beaf4a1e4a29f7c4",
        "7278da58caf07f5c336301a601203d10a58e948efa280f0618e25fcee1ef2abd",
        "89e08d9767c5ac85b374415725567d05b54ecf0960ad2470894a52f741020d82",
        "060cd9ab3ffbbe1e3d3918e90165ffd37ab12acc76b4691046e2d29c7d7674c2",
    )
    signed = passport(keys, datetime.fromtimestamp(1439829974, UTC), "6obMKq0tmY8ylVOdEkA1")
    assert signed["signature"]["_value_1"] == "FCghIZqXNetuZY8ILWOFH0ucdfzQOmAuL+q+kF21zPs="


@given(
    st.text(min_size=1, max_size=20), st.dictionaries(st.sampled_from(["limit", "offset", "q"]), st.text(max_size=9))
)
def test_another_implementation_agrees_about_a_signature(secret: str, query: dict[str, str]) -> None:
    keys = TokenKeys("1234567_SB1", "ck", secret, "ti", secret[::-1])
    text = "&".join(f"{name}={referee.utils.escape(value)}" for name, value in query.items())
    url = f"https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/query/v1/suiteql?{text}"
    header = authorization(keys, "POST", url, NOON)
    assert header.startswith('OAuth realm="1234567_SB1", ')
    params = referee.collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False)
    said = dict(params)
    request = Request(url, "POST")
    request.params = [*parse_qsl(urlsplit(url).query, keep_blank_values=True), *params]
    request.params = [pair for pair in request.params if pair[0] != "oauth_signature"]
    request.signature = said["oauth_signature"]
    assert referee.verify_hmac_sha256(request, secret, secret[::-1])


@pytest.mark.parametrize("login", [TOKENS, OAUTH])
def test_either_login_reads_and_tells_the_time(
    account: NetSuiteAccount, server: NetSuiteServer, connect: Connect, login: Mapping[str, Any]
) -> None:
    account.put("customer", {"id": 1, "companyname": "C1"})
    server.fail_next(2, 503)
    connector = connect(**login)
    assert connector.source_time() == NOON
    (page,) = connector.changes("customer", None)
    assert [record["companyname"] for record in page.records] == ["C1"]
    assert server.token_refusals == []


def test_a_wrong_clock_is_put_right_and_a_wrong_secret_is_not(
    server: NetSuiteServer, connect: Connect, clock: Clock
) -> None:
    assert connect(now=Clock(NOON - timedelta(hours=2))).source_time() == clock()
    config: dict[str, Any] = {**TOKENS, "token_secret": "another", "base_url": server.url}
    with (
        closing(open_netsuite(NetSuiteConfig("1234567_SB1", **config), parse(CUSTOMERS), clock)) as connector,
        pytest.raises(LoginRefused, match="new signature") as caught,
    ):
        connector.source_time()
    assert "another" not in str(caught.value)


@pytest.mark.parametrize("hours", [-2, 2])
def test_an_assertion_is_signed_by_the_clock_of_the_account_where_ours_is_wrong(
    server: NetSuiteServer, connect: Connect, clock: Clock, hours: int
) -> None:
    assert connect(now=Clock(NOON + timedelta(hours=hours)), **OAUTH).source_time() == clock()
    assert (server.requests["token"], len(server.token_refusals)) == (2, 1)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {**OAUTH, **TOKENS},
        {**OAUTH, "client_id": ""},
        {**TOKENS, "token_secret": ""},
        {"client_id": "client", **TOKENS},
        {**OAUTH, "transport": "soap"},
    ],
)
def test_exactly_one_login(said: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match=r"certificate_id.*consumer_key"):
        open_netsuite(NetSuiteConfig("1234567", **said), parse(CUSTOMERS), Clock())


@pytest.mark.parametrize(
    "said",
    [
        {**TOKENS, "transport": "fax"},
        {**TOKENS, "page_size": 0},
        {**TOKENS, "page_size": 1_001},
        {**TOKENS, "transport": "soap", "page_size": 4},
        {**TOKENS, "concurrency": 0},
        {**TOKENS, "daily_requests": 0},
    ],
)
def test_settings_that_do_not_go_together(said: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        NetSuiteConfig("1234567", **said)


def test_rest_and_soap_share_the_pool_of_their_account(
    account: NetSuiteAccount, server: NetSuiteServer, connect: Connect
) -> None:
    account.put("customer", {"id": 1, "companyname": "C1"})
    soap = {"transport": "soap", "wsdl": str(FOLDER / "netsuite.wsdl"), "mapping": shipped("netsuite_soap")}
    connectors = [(connect(), "customer"), (connect(**OAUTH), "customer")] + [(connect(**soap), "Customer")] * 4
    with server.held(), ThreadPoolExecutor(6) as pool:
        counts = [pool.submit(connector.count, name) for connector, name in connectors]
        server.wait_in_flight(2)
        assert connectors[0][0].limits() == [Limit("concurrent requests", 2, 2)]
        server._open.set()
        assert [count.result() for count in counts] == [1] * 6
    assert (server.most_in_flight, server.concurrency_refusals) == (2, 0)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=12))
def test_nobody_takes_more_than_its_share(shares: list[int]) -> None:
    governor, seen = Governor(), []
    lock = threading.Lock()

    def work(most: int) -> None:
        with governor.turn(most, None, NOON), lock:
            seen.append(governor.running <= most)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, shares))
    assert seen == [True] * len(shares)
    assert governor.running == 0


def test_a_day_has_no_more_requests_than_it_may(server: NetSuiteServer, connect: Connect, clock: Clock) -> None:
    connector = connect(daily_requests=3)
    for _ in range(3):
        connector.count("customer")
    with pytest.raises(TransientError, match="daily_requests") as caught:
        connector.count("customer")
    assert caught.value.retry_after == 12 * 3_600
    assert connector.limits()[1] == Limit("requests today", 3, 3)
    assert server.requests.total() == 3
    clock.forward(hours=12)
    assert connector.count("customer") == 0


def test_records_by_their_keys(account: NetSuiteAccount, server: NetSuiteServer, connect: Connect) -> None:
    for n in range(1, 8):
        account.put("customer", {"id": n, "companyname": f"C{n}"})
    found = list(connect(page_size=2).fetch("customer", ["7", "99", "1", "3", "7"]))
    assert [[record["id"] for record in records] for records in found] == [["7"], ["1", "3"]]
    assert server.requests["suiteql"] == 2


def test_every_mapped_field_is_described(account: NetSuiteAccount, connect: Connect) -> None:
    account.put("transactionline", {"uniquekey": 1, "memo": "a line"})
    connector = connect(mapping=shipped("netsuite"))
    for name in ("accountingperiod", "revenueplanplannedrevenue"):
        described = {field.name: field for field in connector.fields(name)}
        assert {*shipped("netsuite").objects[name].fields} <= described.keys()
    customers = {field.name: field.type for field in connect().fields("customer")}
    assert (customers["lastmodifieddate"], customers["BUILTIN.DF(currency)"]) == ("date-time", "expression")
    account.define("customer", {n: k for n, k in STANDARD_TABLES["customer"].items() if n != "companyname"})
    assert "companyname" not in {field.name for field in connect().fields("customer")}
    account.forbid("customer")
    with pytest.raises(NotVisible):
        connect().fields("customer")


def test_posted_revenue_is_read_again_when_its_plan_changes(
    account: NetSuiteAccount, connect: Connect, clock: Clock
) -> None:
    account.put("revenueplan", {"id": 1, "revenueplantype": "ACTUAL"})
    for n in (1, 2):
        account.put("revenueplanplannedrevenue", {"id": n, "revenueplan": 1, "isrecognized": n == 1, "amount": n})
    connector, name = connect(mapping=shipped("netsuite")), "revenueplanplannedrevenue"
    (page,) = connector.changes(name, None)
    assert [record["id"] for record in page.records] == ["1"]
    clock.forward(days=40)
    account.put("revenueplanplannedrevenue", {"id": 2, "isrecognized": True})
    account.put("revenueplan", {"id": 1, "totalrecognized": 3})
    pages = list(connector.changes(name, Position(clock.now, "0")))
    assert [record["id"] for page in pages for record in page.records] == ["1", "2"]


def test_a_feature_that_is_off_is_not_visible_and_one_that_is_on_is_read(
    account: NetSuiteAccount, connect: Connect
) -> None:
    connector = connect(mapping=shipped("netsuite"))
    with pytest.raises(NotVisible, match="'subscription' was not found"):
        list(connector.changes("subscription", None))
    for name, columns in SUITE_BILLING.items():
        account.define(name, columns)
    account.put("subscription", {"id": 5, "customer": 7, "name": "S5", "billingsubscriptionstatus": "ACTIVE"})
    account.put("subscriptionline", {"id": 6, "subscription": 5, "linenumber": 1, "quantity": 3})
    account.put("charge", {"id": 8, "subscriptionline": 6, "stage": "NON_BILLABLE", "rate": "2.50"})
    mapping = shipped("netsuite")
    rows: dict[str, Any] = {}
    for name in SUITE_BILLING:
        for page in connector.changes(name, None):
            booked = mapping.objects[name].book(page.records, "erp", NOON)
            assert booked.rejects == []
            rows |= {target.entity.name: found[0] for target, found in booked.rows}
    assert rows["subscriptions"]["status"] == "active"
    assert (rows["subscription_lines"]["account_id"], rows["subscription_lines"]["quantity"]) == ("7", 3)
    assert rows["billing_schedules"]["subscription_key"] == "5"


Read = Callable[[Connector], object]


@pytest.mark.parametrize(
    "read", [lambda c: list(c.fetch("customer", ["1"])), lambda c: c.count("customer"), lambda c: c.fields("customer")]
)
def test_what_else_is_asked_is_repeated_too(
    server: NetSuiteServer, connect: Connect, waits: list[float], read: Read
) -> None:
    connector = connect()
    server.fail_next(1, 502)
    read(connector)
    assert len(waits) == 1
