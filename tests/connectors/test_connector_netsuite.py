"""The NetSuite connector against the simulated account, and against answers that the simulator does not give."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Page, Position
from connectors.errors import LoginRefused, PermanentError, SchemaChanged, TransientError
from connectors.mapping_file import parse, shipped
from connectors.netsuite.connector import TOKEN_PATH, NetSuite, NetSuiteConfig
from connectors.netsuite.login import host_of
from connectors.netsuite.suiteql import PATH, Select
from connectors.retries import RetryPolicy
from sandbox.netsuite import STANDARD_TABLES, NetSuiteAccount, NetSuiteServer, make_key_pair
from tests.connectors.conftest import NOON, Clock

CUSTOMERS = """
connector: netsuite
objects:
  customer:
    key: id
    modified: lastmodifieddate
    deleted_types: [customer]
    targets:
      - {entity: accounts, account: id, columns: {name: companyname, number: entityid}}
  transactionline:
    key: uniquekey
    modified: linelastmodifieddate
    join: {table: transaction, as: invoice, on: invoice.id = transactionline.transaction}
    filter: transactionline.mainline = 'F' AND invoice.type = 'CustInvc'
    targets:
      - entity: invoice_lines
        account: invoice.entity
        columns: {invoice_key: transaction, quantity: {from: quantity, as: negate}}
  accountingperiod:
    key: id
    targets:
      - {entity: accounting_periods, columns: {name: periodname, start_date: startdate, closed: closed}}
"""
BASE = "https://1234567-sb1.suitetalk.api.netsuite.com"
PRIVATE, PUBLIC = make_key_pair("ES256")
# Clocks in Los Angeles go back at this moment: 01:00 to 02:00 comes twice.
FALL_BACK = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    """A page of customers with these keys, and what else the reply says."""

    keys: tuple[int, ...]
    more: Mapping[str, Any] = field(default_factory=dict)


class Connect(Protocol):
    def __call__(self, url: str = "", key: str = PRIVATE, **more: Any) -> NetSuite: ...


@pytest.fixture
def account(clock: Clock) -> NetSuiteAccount:
    return NetSuiteAccount(clock)


@pytest.fixture
def server(account: NetSuiteAccount, clock: Clock) -> Iterator[NetSuiteServer]:
    with _served(account, clock) as running:
        yield running


def _served(account: NetSuiteAccount, clock: Clock, public: str = PUBLIC) -> NetSuiteServer:
    return NetSuiteServer(account, client_id="client", certificate_id="cert", public_key_pem=public, wall_clock=clock)


@pytest.fixture
def connect(clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors that are closed after the test."""
    with ExitStack() as stack:

        def opened(url: str = "", key: str = PRIVATE, **more: Any) -> NetSuite:
            mapping = parse(more.pop("text", CUSTOMERS))
            config = NetSuiteConfig("1234567_SB1", "client", "cert", key, url, **{"retries": retries, **more})
            return stack.enter_context(closing(NetSuite(config, mapping, clock)))

        yield opened


def _ids(pages: Sequence[Page]) -> list[int]:
    return [int(record["id"]) for page in pages for record in page.records]


def _customers(account: NetSuiteAccount, count: int, **more: Any) -> None:
    for n in range(1, count + 1):
        account.put("customer", {"id": n, "companyname": f"C{n}", **more})


def test_a_thousand_equal_stamps_at_a_page_boundary(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    _customers(account, 2_300)
    pages = list(connect(server.url).changes("customer", None))
    assert _ids(pages) == list(range(1, 2_301))
    assert [page.position for page in pages] == [Position(NOON, key) for key in ("1000", "2000", "2300")]
    assert server.requests["token"] == 1


def test_the_next_poll_looks_a_day_back(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, clock: Clock
) -> None:
    _customers(account, 3)
    account.put("customer", {"id": 1, "lastmodifieddate": NOON - timedelta(hours=25)})
    connector = connect(server.url)
    position = list(connector.changes("customer", None))[-1].position
    clock.forward(minutes=5)
    account.put("customer", {"id": 4, "companyname": "new"})
    account.put("customer", {"id": 5, "companyname": "late", "lastmodifieddate": NOON - timedelta(hours=23)})
    assert sorted(_ids(list(connector.changes("customer", position)))) == [2, 3, 4, 5]


def test_the_hour_that_comes_twice_loses_nothing(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    for n in range(1, 2_201):
        account.put("customer", {"id": n, "lastmodifieddate": FALL_BACK + timedelta(seconds=3 * (n - 1_100))})
    assert _ids(list(connect(server.url).changes("customer", None))) == list(range(1, 2_201))


def test_columns_without_a_value_are_absent_and_everything_is_text(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    account.put("customer", {"id": 1})
    (page,) = connect(server.url).changes("customer", None)
    assert page.records == [{"id": "1", "lastmodifieddate": "2026-12-01T12:00:00Z"}]


def test_lines_are_read_by_their_own_key_and_stamp(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    for n, kind in ((1, "CustInvc"), (2, "VendBill")):
        account.put("transaction", {"id": n, "type": kind, "entity": 70 + n})
        for line in (0, 1):
            account.put(
                "transactionline",
                {"uniquekey": 10 * n + line, "id": line, "transaction": n, "mainline": line == 0, "quantity": -5},
            )
    (page,) = connect(server.url).changes("transactionline", None)
    assert [(r["uniquekey"], r["transaction"], r["invoice"]) for r in page.records] == [("11", "1", {"entity": "71"})]
    row = parse(CUSTOMERS).objects["transactionline"].book(page.records, "erp", NOON).rows[0][1][0]
    assert (row["account_id"], row["invoice_key"], row["quantity"]) == ("71", "1", 5)


def test_a_table_without_a_stamp_is_read_in_full(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    for n in range(1_100):
        account.put("accountingperiod", {"periodname": f"P{n}", "closed": True})
    pages = list(connect(server.url).changes("accountingperiod", Position(NOON, "7")))
    assert sum(len(page.records) for page in pages) == 1_100
    assert {page.position for page in pages} == {None}


def test_a_first_load_meets_records_without_a_stamp(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    _customers(account, 3)
    account.put("customer", {"id": 2, "lastmodifieddate": None})
    unstamped, stamped = connect(server.url).changes("customer", None)
    assert (_ids([unstamped]), unstamped.position) == ([2], None)
    assert _ids([stamped]) == [1, 3]


def test_deletions_and_what_only_the_census_tells(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, clock: Clock
) -> None:
    _customers(account, 4)
    account.put("transaction", {"id": 1, "type": "CustInvc"})
    for key in (11, 12):
        account.put("transactionline", {"uniquekey": key, "transaction": 1, "mainline": False})
    account.remove("customer", 2)
    clock.forward(days=3)
    account.remove("customer", 3)
    account.remove("transactionline", 11)
    connector = connect(server.url)
    assert list(connector.deletions("customer", NOON + timedelta(days=2))) == ["3"]
    assert list(connector.deletions("customer", NOON)) == ["2", "3"]
    assert list(connector.deletions("transactionline", NOON)) == []
    assert [record["id"] for records in connector.census("customer") for record in records] == ["1", "4"]
    assert [r["uniquekey"] for records in connector.census("transactionline") for r in records] == ["12"]


def test_more_than_a_page_of_deletions(server: NetSuiteServer, account: NetSuiteAccount, connect: Connect) -> None:
    _customers(account, 1_050)
    for n in range(1, 1_051):
        account.remove("customer", n)
    assert list(connect(server.url).deletions("customer", NOON)) == [str(n) for n in range(1, 1_051)]


def test_a_lost_permission_is_never_an_empty_table(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    account.forbid("customer")
    account.forbid("deletedrecord")
    connector = connect(server.url)
    with pytest.raises(SchemaChanged, match=r"'customer' was not found\..*lost a permission"):
        list(connector.changes("customer", None))
    with pytest.raises(SchemaChanged, match="'deletedrecord' was not found"):
        list(connector.deletions("customer", NOON))


def test_a_lost_column_is_a_changed_schema(server: NetSuiteServer, account: NetSuiteAccount, connect: Connect) -> None:
    account.define("customer", {k: v for k, v in STANDARD_TABLES["customer"].items() if k != "companyname"})
    with pytest.raises(SchemaChanged, match="Unknown identifier 'companyname'"):
        list(connect(server.url).changes("customer", None))


def test_faults_and_ended_tokens_are_survived(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, waits: list[float]
) -> None:
    _customers(account, 1_500)
    walk = connect(server.url).changes("customer", None)
    first = next(walk)
    server.fail_next(1, 500)
    server.fail_next(1, 503)
    server.revoke_tokens()
    assert _ids([first, *walk]) == list(range(1, 1_501))
    assert len(waits) == 2


@pytest.mark.parametrize("algorithm", ["PS256", "ES256"])
def test_both_kinds_of_keys_sign(account: NetSuiteAccount, connect: Connect, clock: Clock, algorithm: Any) -> None:
    private, public = make_key_pair(algorithm)
    with _served(account, clock, public) as server:
        assert list(connect(server.url, private).changes("customer", None)) == []
        assert server.token_refusals == []


def test_a_key_that_the_account_does_not_know(server: NetSuiteServer, connect: Connect) -> None:
    other, _ = make_key_pair("ES256")
    with pytest.raises(LoginRefused, match="invalid_grant"):
        connect(server.url, other).source_time()


def _pem(key: Any) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


@pytest.mark.parametrize(
    "key",
    [
        "-----BEGIN hush-----",
        "",
        _pem(ed25519.Ed25519PrivateKey.generate()),
        _pem(ec.generate_private_key(ec.SECP256K1())),
    ],
)
def test_a_key_that_cannot_sign_is_not_quoted(connect: Connect, key: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        connect("", key)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("account_id", "host"), [("1234567", "1234567"), ("1234567_SB1", "1234567-sb1"), ("TSTDRV1-RP", "tstdrv1-rp")]
)
def test_the_host_of_an_account(account_id: str, host: str) -> None:
    assert host_of(account_id) == f"{host}.suitetalk.api.netsuite.com"


@pytest.mark.parametrize("account_id", ["", "a.b", "1234567/x", "evil.test#", "1_2_3", "1234567_SB1\n", "é"])
def test_an_account_id_that_could_lead_elsewhere(account_id: str) -> None:
    with pytest.raises(PermanentError, match="not a NetSuite account id"):
        host_of(account_id)


@given(st.text(max_size=20))
def test_a_host_is_always_below_netsuite(account_id: str) -> None:
    try:
        host = host_of(account_id)
    except PermanentError:
        return
    assert httpx.URL(f"https://{host}/x").host == host


def _answering(router: respx.MockRouter, *replies: httpx.Response | Rows) -> respx.Route:
    """Replies in this order; rows come under the key's name in the statement."""
    router.post(TOKEN_PATH).respond(200, json={"access_token": "t", "expires_in": 3600})
    left = iter(replies)

    def reply(request: httpx.Request) -> httpx.Response:
        said = next(left)
        if isinstance(said, httpx.Response):
            return said
        (mark,) = re.findall(r" AS (k[0-9a-f]{8}) ", json.loads(request.content)["q"])
        items = [{"c0": str(key), mark: str(key), "s": "2026-12-01 12:00:00"} for key in said.keys]
        return httpx.Response(200, json={"items": items, **said.more})

    return router.post(PATH).mock(side_effect=reply)


@respx.mock(base_url=BASE)
def test_the_address_follows_from_the_account(respx_mock: respx.MockRouter, connect: Connect) -> None:
    route = _answering(respx_mock, *[httpx.Response(200, json={"items": []})] * 2)
    assert list(connect().changes("customer", None)) == []
    sent = route.calls.last.request
    assert sent.headers["prefer"] == "transient"
    assert dict(sent.url.params) == {"limit": "1000", "offset": "0"}


@respx.mock(base_url=BASE)
def test_a_page_that_comes_twice_is_an_error(respx_mock: respx.MockRouter, connect: Connect) -> None:
    _answering(respx_mock, *[Rows(tuple(range(1000)))] * 2)
    walk = connect().changes("customer", Position(NOON))
    next(walk)
    with pytest.raises(PermanentError, match="did not advance past 999 of customer"):
        next(walk)


@respx.mock(base_url=BASE)
def test_a_short_page_is_the_last_where_the_account_says_so(respx_mock: respx.MockRouter, connect: Connect) -> None:
    _answering(respx_mock, Rows((1, 2), {"hasMore": True}), Rows((3,), {"hasMore": False}))
    assert [len(page.records) for page in connect().changes("customer", Position(NOON))] == [2, 1]
    pages = Rows((1, 2), {"hasMore": True}), Rows((3,), {"hasMore": False})
    _answering(respx_mock, Rows((3,)), *pages, Rows((3,)))
    assert [len(records) for records in connect().census("customer")] == [2, 1]


@pytest.mark.parametrize(("before", "after", "is_whole"), [(3, 3, False), (3, 2, True), (2, 3, True), (2, 2, True)])
@respx.mock(base_url=BASE)
def test_a_census_that_is_not_whole_is_not_believed(
    respx_mock: respx.MockRouter, connect: Connect, before: int, after: int, is_whole: bool
) -> None:
    _answering(respx_mock, Rows((before,)), Rows((1, 2)), Rows((after,)))
    census = connect().census("customer")
    assert len(next(census)) == 2
    with nullcontext() if is_whole else pytest.raises(TransientError, match="gave 2 records of customer and counts 3"):
        assert list(census) == []


@respx.mock(base_url=BASE)
def test_a_count_without_a_number_is_none(respx_mock: respx.MockRouter, connect: Connect) -> None:
    _answering(respx_mock, Rows(()))
    with pytest.raises(TransientError, match="gave no number"):
        connect().count("customer")


@respx.mock(base_url=BASE)
def test_the_answer_to_another_statement_is_not_taken(respx_mock: respx.MockRouter, connect: Connect) -> None:
    stale = httpx.Response(200, json={"items": [{"c0": "9", "k00000000": "9", "s": "2026-12-01 12:00:00"}]})
    _answering(respx_mock, stale, Rows((7,)))
    assert _ids(list(connect().changes("customer", Position(NOON)))) == [7]


@pytest.mark.parametrize("said", [{"hasMore": True}, {"count": 3}])
@respx.mock(base_url=BASE)
def test_a_page_with_fewer_rows_than_it_says_is_asked_for_again(
    respx_mock: respx.MockRouter, connect: Connect, said: dict[str, Any]
) -> None:
    _answering(respx_mock, Rows((), said), Rows((7,), {"count": 1, "hasMore": False}))
    assert [len(page.records) for page in connect().changes("customer", Position(NOON))] == [1]


def _concurrency() -> httpx.Response:
    detail = {
        "detail": "Concurrent request limit exceeded. Request blocked.",
        "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED",
    }
    return httpx.Response(429, json={"title": "Too Many Requests", "status": 429, "o:errorDetails": [detail]})


@respx.mock(base_url=BASE)
def test_too_many_at_once_is_waited_for(respx_mock: respx.MockRouter, connect: Connect, waits: list[float]) -> None:
    _answering(respx_mock, _concurrency(), _concurrency(), httpx.Response(200, json={"items": []}))
    assert list(connect().changes("customer", Position(NOON))) == []
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(400, json={"title": "Bad Request"}), PermanentError),
        (httpx.Response(400, html="<html></html>"), PermanentError),
        (httpx.Response(400, json={"o:errorDetails": ["odd"]}), PermanentError),
        (httpx.Response(403, json={"title": "Forbidden"}), LoginRefused),
        (httpx.Response(200, json={"count": 0}), TransientError),
        (httpx.Response(200, json=[]), TransientError),
        (httpx.Response(200, content=b'{"items": [{"k'), TransientError),
    ],
)
@respx.mock(base_url=BASE)
def test_answers_that_are_no_page(
    respx_mock: respx.MockRouter, connect: Connect, reply: httpx.Response, kind: type[Exception]
) -> None:
    _answering(respx_mock, *[reply] * 4)
    with pytest.raises(kind):
        list(connect().changes("customer", Position(NOON)))


def test_dates_are_converted_in_the_statement() -> None:
    mapped = shipped("netsuite").objects["transactionline"]
    text = Select(mapped, mapped.fields).page((), "1").text
    assert "TO_CHAR(transactionline.custcol_service_start, 'YYYY-MM-DD')" in text
    assert 'TO_CHAR(SYS_EXTRACT_UTC(transactionline.linelastmodifieddate), \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')' in text
    assert "INNER JOIN transaction invoice ON invoice.id = transactionline.transaction" in text


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 3)), min_size=1, max_size=40, unique_by=lambda row: row[0])
)
def test_a_walk_hands_over_every_record_once(rows: list[tuple[int, int]]) -> None:
    """Pages of a thousand are too long to try many shapes, so whole blocks of records share a stamp."""
    clock = Clock()
    account = NetSuiteAccount(clock)
    for key, second in rows:
        for n in range(40):
            account.put("customer", {"id": key * 100 + n, "lastmodifieddate": NOON + timedelta(seconds=second)})
    with _served(account, clock) as server:
        config = NetSuiteConfig("1234567", "client", "cert", PRIVATE, server.url)
        with closing(NetSuite(config, parse(CUSTOMERS), clock)) as connector:
            found = _ids(list(connector.changes("customer", None)))
    assert sorted(found) == sorted(key * 100 + n for key, _ in rows for n in range(40))
