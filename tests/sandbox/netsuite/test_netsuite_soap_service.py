"""What the SOAP side of the simulated account refuses, asked by zeep as it comes, without the connector."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from zeep import Client
from zeep.exceptions import Fault

from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, TokenKeys, make_key_pair
from sandbox.netsuite.soap.definition import CORE, PORT_PATH, SALES, VERSION
from sandbox.netsuite.soap.values import double
from sandbox.netsuite.token_keys import PassportDesk, PassportRefused, signed

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
KEYS = TokenKeys("ck", "cs", "ti", "ts")
BINDING = f"{{urn:platform_{VERSION}.webservices.netsuite.com}}NetSuiteBinding"


class Moment:
    now = NOW


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def account(moment: Moment) -> NetSuiteAccount:
    account = NetSuiteAccount(lambda: moment.now)
    for n in range(1, 13):
        account.put("transaction", {"id": n, "type": "CustInvc", "tranid": f"I{n}", "foreigntotal": Decimal("1.10")})
    return account


@pytest.fixture
def server(account: NetSuiteAccount, moment: Moment) -> Iterator[NetSuiteServer]:
    _, public = make_key_pair("ES256")
    with NetSuiteServer(
        account,
        client_id="c",
        certificate_id="c",
        public_key_pem=public,
        wall_clock=lambda: moment.now,
        token_keys=KEYS,
    ) as running:
        yield running


class Asking:
    """zeep over the description that the server serves, with passports of the test's own."""

    def __init__(self, server: NetSuiteServer, moment: Moment) -> None:
        self.client: Any = Client(f"{server.url}{PORT_PATH}?wsdl")
        self._service = self.client.create_service(BINDING, server.url + PORT_PATH)
        self._moment = moment
        self._nonces = 0

    def passport(self, **other: str) -> dict[str, Any]:
        self._nonces += 1
        said = {"account": "1234567_SB1", "consumerKey": "ck", "token": "ti", "nonce": f"nonce{self._nonces:04d}"}
        said |= {"timestamp": str(int(self._moment.now.timestamp())), **other}
        base = "&".join(said[name] for name in ("account", "consumerKey", "token", "nonce", "timestamp"))
        return {**said, "signature": {"_value_1": signed("cs&ts", base), "algorithm": "HMAC-SHA256"}}

    def ask(self, operation: str, passport: dict[str, Any] | None = None, size: int | None = None, **more: Any) -> Any:
        headers: dict[str, Any] = {"tokenPassport": passport or self.passport()}
        if size is not None:
            headers["searchPreferences"] = {"bodyFieldsOnly": False, "pageSize": size}
        (result,) = self._service[operation](**more, _soapheaders=headers).body.__values__.values()
        return result

    def invoices(self, **basic: Any) -> Any:
        kind = {"operator": "anyOf", "searchValue": ["_invoice"]}
        return self.client.get_type(f"{{{SALES}}}TransactionSearch")(basic={"type": kind, **basic})


@pytest.fixture
def asking(server: NetSuiteServer, moment: Moment) -> Asking:
    return Asking(server, moment)


def _is_refused(asking: Asking, server: NetSuiteServer, passport: dict[str, Any], why: str) -> None:
    with pytest.raises(Fault) as caught:
        asking.ask("getServerTime", passport)
    assert caught.value.detail[0].tag.endswith("invalidCredentialsFault")
    assert why in server.soap.refusals[-1]


def test_a_passport_counts_once_and_soon_and_only_when_it_is_right(
    asking: Asking, server: NetSuiteServer, moment: Moment
) -> None:
    passport = asking.passport()
    assert asking.ask("getServerTime", passport).serverTime == NOW
    _is_refused(asking, server, passport, "used before")
    _is_refused(asking, server, {**asking.passport(), "account": "7654321"}, "signature is wrong")
    _is_refused(asking, server, asking.passport(account="1234567-sb1"), "not known")
    _is_refused(asking, server, asking.passport(nonce="short"), "6 to 64")
    moment.now += timedelta(minutes=6)
    _is_refused(asking, server, asking.passport(timestamp=str(int(NOW.timestamp()))), "too far")


def test_pages_of_a_search_and_what_ends_it(asking: Asking, moment: Moment) -> None:
    first = asking.ask("search", searchRecord=asking.invoices(), size=5)
    assert (first.totalRecords, first.totalPages, len(first.recordList.record)) == (12, 3, 5)
    more = {"searchId": first.searchId, "pageIndex": 3}
    assert [record.tranId for record in asking.ask("searchMoreWithId", **more).recordList.record] == ["I11", "I12"]
    beyond = asking.ask("searchMoreWithId", searchId=first.searchId, pageIndex=4)
    assert beyond.status.statusDetail[0].code == "INVALID_SEARCH_PAGE_INDEX"
    moment.now += timedelta(minutes=16)
    late = asking.ask("searchMoreWithId", **more)
    assert (late.status.isSuccess, late.status.statusDetail[0].code) == (False, "INVALID_JOB_ID")


@pytest.mark.parametrize("size", [4, 1001])
def test_a_page_has_5_to_1000_records(asking: Asking, size: int) -> None:
    assert not asking.ask("search", searchRecord=asking.invoices(), size=size).status.isSuccess


def test_a_search_in_a_window_looks_again_for_every_page(
    asking: Asking, account: NetSuiteAccount, moment: Moment
) -> None:
    window = {"operator": "within", "searchValue": NOW - timedelta(days=1), "searchValue2": NOW}
    first = asking.ask("search", searchRecord=asking.invoices(lastModifiedDate=window), size=5)
    moment.now += timedelta(seconds=1)
    account.put("transaction", {"id": 1, "memo": "changed"})
    second = asking.ask("searchMoreWithId", searchId=first.searchId, pageIndex=2)
    assert second.totalRecords == 11
    assert second.recordList.record[0].tranId == "I7"


def test_lines_only_come_when_they_are_asked_for(asking: Asking, account: NetSuiteAccount) -> None:
    account.put("transactionline", {"uniquekey": 1, "transaction": 1, "id": 1, "mainline": False, "taxline": False})
    with_lines = asking.ask("search", searchRecord=asking.invoices(), size=5).recordList.record[0]
    without = asking.ask("search", searchRecord=asking.invoices()).recordList.record[0]
    assert len(with_lines.itemList.item) == 1
    assert without.itemList is None


def test_too_many_at_once_and_a_lost_permission_are_faults(
    asking: Asking, account: NetSuiteAccount, server: NetSuiteServer
) -> None:
    account.forbid("transaction")
    with pytest.raises(Fault) as caught:
        asking.ask("search", searchRecord=asking.invoices())
    assert caught.value.detail[0].tag.endswith("insufficientPermissionFault")
    server._concurrency = 0
    with pytest.raises(Fault, match="concurrent request limit exceeded"):
        asking.ask("getServerTime")
    assert server.concurrency_refusals == 1


def test_a_list_tells_what_is_missing_record_by_record(asking: Asking) -> None:
    ref = asking.client.get_type(f"{{{CORE}}}RecordRef")
    replies = asking.ask("getList", baseRef=[ref(internalId=key, type="invoice") for key in ("1", "99")])
    found, missing = replies.readResponse
    assert (found.record.tranId, missing.status.statusDetail[0].code) == ("I1", "RCRD_DSNT_EXIST")


def test_what_is_no_request_is_a_fault(server: NetSuiteServer) -> None:
    for body in (b"", b"<a/>", b"not XML"):
        reply = requests.post(server.url + PORT_PATH, data=body, timeout=10)
        assert (reply.status_code, b"cannot be read" in reply.content) == (500, True)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1.10", "1.1"), ("100", "100.0"), ("0", "0.0"), ("12345678.90", "1.23456789E7"), ("-10000000", "-1.0E7")],
)
def test_numbers_are_written_as_java_writes_a_double(value: str, text: str) -> None:
    assert double(Decimal(value)) == text


def test_a_header_of_another_kind_is_refused() -> None:
    desk = PassportDesk(KEYS, "1234567_SB1", lambda: NOW)
    with pytest.raises(PassportRefused, match=r"no OAuth 1\.0"):
        desk.check_header("GET", "https://example.test/", "Bearer abc")
