"""NetSuite by SOAP against the simulated account, and against replies that others published."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.contract import Page, Position
from connectors.errors import ConnectorError, LoginRefused, MappingError, NotVisible, PermanentError, TransientError
from connectors.mapping import Reject
from connectors.mapping_file import parse, shipped
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.soap.connector import NetSuiteSoap
from connectors.netsuite.soap.definition import definition_at
from connectors.netsuite.soap.faults import status_error
from connectors.netsuite.soap.searching import Window
from connectors.retries import RetryPolicy
from sandbox.company.render_netsuite import TABLES
from sandbox.faults import Again, Cut, Short, unavailable
from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, TokenKeys, make_key_pair
from sandbox.netsuite.soap.definition import FOLDER, PORT_PATH
from sandbox.netsuite.soap.service import misorder, unknown_element
from tests.connectors.conftest import NOON, Clock
from tests.connectors.contract.netsuite_soap_source import NetSuiteSoapSource

KEYS = TokenKeys("consumer-key", "consumer-secret", "token-id", "token-secret")
SECRETS = {
    "consumer_key": KEYS.consumer_key,
    "consumer_secret": KEYS.consumer_secret,
    "token_id": KEYS.token_id,
    "token_secret": KEYS.token_secret,
}
WSDL = str(FOLDER / "netsuite.wsdl")
PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "netsweet_netsuite_soap"
_, PUBLIC = make_key_pair("ES256")


def _opened(clock: Callable[[], datetime], yaml: str = "", **said: Any) -> NetSuiteSoap:
    config = NetSuiteConfig("1234567_SB1", **{"transport": "soap", "wsdl": WSDL, **SECRETS, **said})
    assert config.token_keys is not None
    return NetSuiteSoap(config, config.token_keys, parse(yaml) if yaml else shipped("netsuite_soap"), clock)


class Connect(Protocol):
    def __call__(self, **more: Any) -> NetSuiteSoap: ...


@pytest.fixture
def account(clock: Clock) -> NetSuiteAccount:
    account = NetSuiteAccount(clock)
    for name, columns in TABLES.items():
        account.define(name, columns)
    return account


@pytest.fixture
def server(account: NetSuiteAccount, clock: Clock) -> Iterator[NetSuiteServer]:
    with NetSuiteServer(
        account, client_id="c", certificate_id="c", public_key_pem=PUBLIC, wall_clock=clock, token_keys=KEYS
    ) as running:
        yield running


@pytest.fixture
def connect(server: NetSuiteServer, clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors that are closed after the test."""
    with ExitStack() as stack:

        def opened(**more: Any) -> NetSuiteSoap:
            said = {"base_url": server.url, "page_size": 5, "retries": retries, **more}
            return stack.enter_context(closing(_opened(clock, **said)))

        yield opened


def _customers(account: NetSuiteAccount, count: int, **more: Any) -> None:
    for n in range(1, count + 1):
        account.put("customer", {"id": n, "companyname": f"C{n}", **more})


def _ids(pages: Sequence[Page]) -> list[int]:
    return [int(record["internalId"]) for page in pages for record in page.records]


def _invoice(account: NetSuiteAccount, number: int = 10, lines: int = 2, **more: Any) -> None:
    account.put("currency", {"id": 1, "name": "USD"})
    account.put("item", {"id": 301, "displayname": "SEATS"})
    row = {"id": number, "type": "CustInvc", "entity": 7, "tranid": f"INV{number}", "currency": 1}
    account.put("transaction", {**row, "trandate": date(2026, 11, 1), "duedate": date(2026, 12, 1), **more})
    for n in range(1, lines + 1):
        said = {"transaction": number, "linesequencenumber": n, "mainline": False, "taxline": False, "item": 301}
        amounts = {"quantity": -n, "rate": Decimal("0.1"), "foreignamount": Decimal("-0.1") * n}
        days = {"custcol_service_start": date(2026, 11, 1), "custcol_service_end": date(2026, 11, 30)}
        account.put("transactionline", {"uniquekey": 100 * number + n, **said, **amounts, **days})


def test_records_become_the_rows_that_they_say(account: NetSuiteAccount, connect: Connect) -> None:
    _invoice(account, foreigntotal=Decimal("12345678.91"), taxtotal=Decimal("0.07"), custbody_billing_invoice="B10")
    mapping, connector = shipped("netsuite_soap"), connect()
    rows: dict[str, Any] = {}
    for name in ("Invoice", "InvoiceItem"):
        records = [record for page in connector.changes(name, None) for record in page.records]
        booked = mapping.objects[name].book(records, "erp", NOON)
        assert booked.rejects == []
        rows |= {row["key"]: row for _, found in booked.rows for row in found}
    invoice, line = rows["10"], rows["10/2"]
    assert (invoice["total"], invoice["tax"]) == (Decimal("12345678.91"), Decimal("0.07"))
    assert (invoice["number"], invoice["account_id"], invoice["currency"]) == ("INV10", "7", "USD")
    assert (invoice["invoice_date"], invoice["due_date"]) == (date(2026, 11, 1), date(2026, 12, 1))
    assert (invoice["modified_at"], invoice["billing_key"]) == (NOON, "B10")
    assert (line["invoice_key"], line["product_code"], line["quantity"]) == ("10", "SEATS", Decimal(2))
    assert (line["amount"], line["unit_price"]) == (Decimal("0.2"), Decimal("0.1"))
    assert (line["period_start"], line["period_end"]) == (date(2026, 11, 1), date(2026, 12, 1))


def test_an_amount_passes_no_float(account: NetSuiteAccount, connect: Connect) -> None:
    mapped, connector = shipped("netsuite_soap").objects["Invoice"], connect()

    @settings(max_examples=40, deadline=None)
    @given(st.decimals(min_value=Decimal("-99999999999999"), max_value=Decimal("99999999999999"), places=4))
    def holds(amount: Decimal) -> None:
        account.put("transaction", {"id": 1, "type": "CustInvc", "foreigntotal": amount})
        (records,) = connector.fetch("Invoice", ["1"])
        (row,) = mapped.book(records, "erp", NOON).rows[0][1]
        assert row["total"] == amount

    holds()


def test_a_walk_in_pages_and_the_next_one_looks_a_day_back(
    account: NetSuiteAccount, connect: Connect, clock: Clock
) -> None:
    _customers(account, 12)
    account.put("customer", {"id": 1, "lastmodifieddate": NOON - timedelta(hours=25)})
    account.put("customer", {"id": 13, "lastmodifieddate": None})
    connector = connect()
    pages = list(connector.changes("Customer", None))
    assert sorted(_ids(pages)) == list(range(1, 14))
    assert pages[-1].position == Position(NOON)
    clock.forward(minutes=5)
    account.put("customer", {"id": 14, "companyname": "late", "lastmodifieddate": NOON - timedelta(hours=23)})
    again = list(connector.changes("Customer", pages[-1].position))
    assert sorted(_ids(again)) == [*range(2, 13), 14]


def test_records_that_change_between_two_pages_are_not_lost(
    account: NetSuiteAccount, connect: Connect, clock: Clock
) -> None:
    _customers(account, 20)
    walk = connect().changes("Customer", Position(NOON))
    seen = {*_ids([next(walk)])}
    clock.forward(seconds=1)
    for n in (1, 2, 3):  # these leave the window, and the pages after them move up
        account.put("customer", {"id": n, "companyname": "changed"})
    pages = list(walk)
    assert seen | {*_ids(pages)} == set(range(1, 21))
    assert pages[-1].position == Position(NOON)


def test_a_page_that_comes_twice_is_noticed(server: NetSuiteServer, account: NetSuiteAccount, connect: Connect) -> None:
    _customers(account, 10)
    connector = connect()
    connector.source_time()
    server.faults.add(Again(), path=PORT_PATH, after=2)
    assert {*_ids(list(connector.changes("Customer", Position(NOON))))} == set(range(1, 11))


def test_an_expired_search_is_begun_again(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, clock: Clock
) -> None:
    _customers(account, 10)
    walk = connect().changes("Customer", Position(NOON))
    next(walk)
    clock.forward(minutes=16)
    assert {*_ids(list(walk))} == set(range(1, 11))
    assert server.soap.done["search"] == 2


@pytest.mark.parametrize("switch", ["most_records", "slow_above"])
def test_what_is_too_much_is_asked_for_in_halves(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, switch: str
) -> None:
    for n in range(1, 31):
        account.put("customer", {"id": n, "lastmodifieddate": NOON - timedelta(minutes=n)})
    setattr(server.soap.searches, switch, 9)
    pages = list(connect().changes("Customer", None))
    assert sorted(_ids(pages)) == list(range(1, 31))
    stamps = [page.position.stamp for page in pages if page.position and page.position.stamp]
    assert stamps == sorted(stamps)
    assert stamps[-1] == NOON


def test_a_second_that_is_too_much_is_an_error(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    _customers(account, 10)
    server.soap.searches.most_records = 9
    with pytest.raises(TransientError, match="cannot be divided"):
        list(connect().changes("Customer", Position(NOON)))


@given(st.integers(1, 10**9), st.booleans())
def test_halves_cover_their_window(seconds: int, is_open: bool) -> None:
    start = datetime(1999, 1, 1, tzinfo=UTC)
    window = Window(None if is_open else start, start + timedelta(seconds=seconds))
    halves = window.halves()
    assert halves is not None
    first, second = halves
    assert (first.start, second.end) == (window.start, window.end)
    assert second.start == first.end + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("spoil", "element"), [(unknown_element("Invoice"), "aNewerField"), (misorder("Invoice", "total"), "createdDate")]
)
def test_what_is_not_understood_is_a_reject_and_never_an_empty_amount(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, spoil: Callable[[Any], None], element: str
) -> None:
    _invoice(account, foreigntotal=Decimal(100), createddate=NOON)
    server.soap.spoil(spoil, times=9)
    mapping, connector = shipped("netsuite_soap"), connect()
    for name, key in (("Invoice", "10"), ("InvoiceItem", "")):
        records = [record for page in connector.changes(name, Position(NOON)) for record in page.records]
        booked = mapping.objects[name].book(records, "erp", NOON)
        assert [rows for _, rows in booked.rows] == [[]]
        (reject,) = booked.rejects
        assert reject == Reject(name, key, reject.reason)
        assert f"Invoice 10 holds {element} where" in reject.reason


def test_lines_that_nobody_can_tell_are_not_taken_for_deleted(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    _invoice(account)
    server.soap.spoil(unknown_element("Invoice"), times=9)
    with pytest.raises(PermanentError, match=r"cannot be compared.*Invoice 10 holds"):
        list(connect().census("InvoiceItem"))


def test_deletions_census_count_and_records_by_their_keys(account: NetSuiteAccount, connect: Connect) -> None:
    _customers(account, 7)
    _invoice(account)
    connector = connect()
    account.remove("customer", 3)
    assert list(connector.deletions("Customer", NOON)) == ["3"]
    assert list(connector.deletions("InvoiceItem", NOON)) == []
    assert {r["internalId"] for records in connector.census("Customer") for r in records} == set("124567")
    assert (connector.count("Customer"), connector.count("Invoice"), connector.count("InvoiceItem")) == (6, 1, None)
    assert [r["internalId"] for rs in connector.fetch("Customer", ["7", "3", "1"]) for r in rs] == ["7", "1"]
    assert [r["line"] for rs in connector.fetch("InvoiceItem", ["10/2"]) for r in rs] == [2]


def test_a_list_of_deletions_that_is_not_whole_is_asked_for_again(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect
) -> None:
    _customers(account, 3)
    for n in (1, 2, 3):
        account.remove("customer", n)
    connector = connect()

    def without_its_list(envelope: Any) -> None:
        for node in list(envelope.iter("{*}deletedRecordList")):
            node.getparent().remove(node)

    server.soap.spoil(without_its_list, times=2)
    assert sorted(connector.deletions("Customer", NOON)) == ["1", "2", "3"]
    server.soap.spoil(without_its_list, times=3)
    with pytest.raises(TransientError, match="fewer deletions"):
        list(connector.deletions("Customer", NOON))


def test_a_removed_line_is_found_by_the_census(account: NetSuiteAccount, connect: Connect) -> None:
    _invoice(account, lines=3)
    connector = connect()
    account.remove("transactionline", 1002)
    assert sorted(r["line"] for records in connector.census("InvoiceItem") for r in records) == [1, 3]


def test_every_mapped_field_is_described(account: NetSuiteAccount, connect: Connect) -> None:
    connector = connect()
    for name, mapped in shipped("netsuite_soap").objects.items():
        assert {*mapped.fields} <= {field.name for field in connector.fields(name)}
    account.forbid("customer")
    with pytest.raises(NotVisible, match=r"search of Customer.*INSUFFICIENT_PERMISSION"):
        connector.fields("Customer")


def test_a_lost_permission_is_never_an_empty_table(account: NetSuiteAccount, connect: Connect) -> None:
    account.forbid("transaction")
    account.forbid("deletedrecord")
    connector = connect()
    for read in (
        lambda: list(connector.changes("Invoice", None)),
        lambda: list(connector.deletions("Invoice", NOON)),
        lambda: list(connector.fetch("Invoice", ["1"])),
    ):
        with pytest.raises(NotVisible, match="Invoice"):
            read()


def test_faults_on_the_way_are_survived(
    server: NetSuiteServer, account: NetSuiteAccount, connect: Connect, waits: list[float]
) -> None:
    _customers(account, 12)
    connector = connect()
    for strike in (unavailable(), Cut(), Short(), Short(0.0)):
        server.faults.add(strike, path=PORT_PATH)
        connector.source_time()
    server.fail_next(1, 500)
    server.soap.refuse_status("UNEXPECTED_ERROR", "An unexpected error occurred.")
    assert server.passports is not None
    server.passports.refuse_next(1)
    assert {*_ids(list(connector.changes("Customer", Position(NOON))))} == set(range(1, 13))
    assert len(waits) == 6


def test_a_clock_that_is_wrong_is_put_right_by_the_accounts(
    server: NetSuiteServer, retries: RetryPolicy, clock: Clock
) -> None:
    slow = Clock(NOON - timedelta(hours=1))
    with closing(_opened(slow, base_url=server.url, retries=retries)) as connector:
        assert connector.source_time() == clock()
    assert server.soap.refusals == ["The timestamp is too far from now."]


def test_a_login_that_stays_refused_names_no_secret(connect: Connect) -> None:
    with pytest.raises(LoginRefused, match="INVALID_LOGIN") as caught:
        connect(consumer_secret="wrong-secret").source_time()
    assert not [secret for secret in (*SECRETS.values(), "wrong-secret") if secret in str(caught.value)]


def test_an_error_inside_a_200_is_an_error(server: NetSuiteServer, connect: Connect) -> None:
    server.soap.refuse_status("USER_ERROR", "Something is not right.")
    with pytest.raises(PermanentError, match=r"search of Customer.*USER_ERROR: Something"):
        connect().count("Customer")


def test_the_description_can_be_a_url_of_the_account(server: NetSuiteServer, connect: Connect) -> None:
    connector = connect(wsdl="")
    connector.source_time()
    loads = server.requests["wsdl"]
    connect(wsdl="").source_time()
    assert server.requests["wsdl"] == loads > 1


@pytest.mark.parametrize(("name", "kind"), [("absent.wsdl", PermanentError), ("platform.core.xsd", PermanentError)])
def test_a_description_that_is_none(connect: Connect, name: str, kind: type[ConnectorError]) -> None:
    with pytest.raises(kind, match="WSDL"):
        connect(wsdl=str(FOLDER / name)).source_time()


@pytest.mark.parametrize("more", ["filter: a = 'b'", "lines: [item]", "lines: {of: Invoice}"])
def test_a_mapping_that_soap_cannot_read(connect: Connect, more: str) -> None:
    text = f"""
connector: netsuite
objects:
  Invoice:
    key: internalId
    {more}
    targets:
      - {{entity: invoices, columns: {{number: tranId}}}}
"""
    with pytest.raises(MappingError, match="Invoice has"):
        connect(yaml=text)


def test_the_contract_source_is_read_as_it_says(clock: Clock, retries: RetryPolicy) -> None:
    with closing(NetSuiteSoapSource(clock)) as source:
        mapping = parse(source.mapping)
        said = {**source.settings(), **source.secrets(), "retries": retries}
        said.pop("account_id")
        with closing(_opened(clock, source.mapping, **said)) as connector:
            for number in range(14):
                source.put(number, f"text {number}", timedelta(minutes=number))
            source.remove(2)
            source.purge(3)
            for mishap in source.mishaps().values():
                mishap()
                found: dict[tuple[str, str], Any] = {}
                for name, mapped in mapping.objects.items():
                    for page in connector.changes(name, None):
                        for target, rows in mapped.book(page.records, "erp", NOON).rows:
                            found |= {(target.entity.name, row["key"]): row for row in rows}
                truth = source.truth()
                assert found.keys() == truth.keys()
                assert all(found[place].items() >= said.items() for place, said in truth.items())
        assert source.over_limit() == 0


published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="The published replies are not beside this repository.")
ADDRESS = "https://1234567-sb1.suitetalk.api.netsuite.com"


UNSTAMPED = """
connector: netsuite
objects:
  Customer:
    key: internalId
    targets:
      - {entity: accounts, account: internalId, columns: {name: companyName}}
"""


def _asked(clock: Clock, reply: bytes, status: int = 200, yaml: str = "") -> NetSuiteSoap:
    """A connector whose account gives this reply to everything."""
    respx.post(f"{ADDRESS}{PORT_PATH}").respond(status, content=reply, headers={"content-type": "text/xml"})
    return _opened(clock, yaml, retries=RetryPolicy(attempts=1))


def _of_our_version(name: str) -> bytes:
    text = (PUBLISHED / name).read_text()
    version = text.partition("urn:messages_")[2][:6]
    return text.replace(f"_{version}.", "_2023_2.").encode()


@published
@respx.mock
@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("login/failure_concurrent_requests.xml", TransientError, "WS_CONCUR_SESSION_DISALLWD"),
        ("login/failure_invalid_credentials.xml", LoginRefused, "INVALID_LOGIN_CREDENTIALS"),
    ],
)
def test_published_faults(clock: Clock, name: str, kind: type[ConnectorError], says: str) -> None:
    with closing(_asked(clock, (PUBLISHED / name).read_bytes(), 500)) as connector, pytest.raises(kind, match=says):
        connector.source_time()


@published
@respx.mock
def test_published_deletions(clock: Clock) -> None:
    with closing(_asked(clock, _of_our_version("get_deleted/get_deleted_invoices.xml"))) as connector:
        assert sorted(connector.deletions("Invoice", NOON)) == ["1", "2", "3"]


@published
@respx.mock
def test_published_records_of_another_type_are_unreadable(clock: Clock) -> None:
    reply = _of_our_version("search/single_search_result.xml")
    with closing(_asked(clock, reply, yaml=UNSTAMPED)) as connector:
        (page,) = connector.changes("Customer", None)
    (reject,) = parse(UNSTAMPED).objects["Customer"].book(page.records, "erp", NOON).rejects
    assert "where a Customer was asked for" in reject.reason


@published
@respx.mock
def test_published_records_of_a_type_that_the_wsdl_does_not_know(clock: Clock) -> None:
    reply = _of_our_version("search/basic_search_contact.xml")
    with (
        closing(_asked(clock, reply, yaml=UNSTAMPED)) as connector,
        pytest.raises(PermanentError, match="does not fit the WSDL: No type 'Contact'"),
    ):
        list(connector.changes("Customer", None))


@published
@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*/*error*.xml")), ids=lambda path: path.stem)
def test_published_statuses(path: Path) -> None:
    definition = definition_at(WSDL)
    status = definition.type("Status")
    failures = 0
    for node in etree.parse(path).iter("{*}status"):
        text = etree.tostring(node).decode()
        version = etree.QName(node).namespace.partition("_")[2][:6]
        read = status.parse_xmlelement(
            etree.fromstring(text.replace(f"_{version}.", "_2023_2.")), definition.document.types
        )
        error = status_error("erp", "add", read)
        failures += error is not None
        for message in node.iter("{*}message"):
            assert " ".join((message.text or "").split())[:100] in str(error)
    assert failures


@respx.mock
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(301), PermanentError),
        (httpx.Response(401), LoginRefused),
        (httpx.Response(404), PermanentError),
        (httpx.Response(429), TransientError),
        (httpx.Response(500, html="<html></html>"), TransientError),
        (httpx.Response(200, html="<!DOCTYPE html><html></html>"), TransientError),
        (httpx.Response(200, html="<html></html>"), TransientError),
        (httpx.Response(200, content=b""), TransientError),
    ],
)
def test_answers_that_are_no_reply(clock: Clock, reply: httpx.Response, kind: type[ConnectorError]) -> None:
    with closing(_asked(clock, b"")) as connector:
        respx.post(f"{ADDRESS}{PORT_PATH}").mock(return_value=reply)
        with pytest.raises(kind):
            connector.source_time()
