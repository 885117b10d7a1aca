"""The independent client `billingplatform` reads the simulator, and gets what our connector gets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from typing import Any

import pytest
from billingplatform import BillingPlatform as Client
from billingplatform.exceptions import (
    BillingPlatform400Exception,
    BillingPlatform401Exception,
    BillingPlatform404Exception,
    BillingPlatform429Exception,
)

from connectors.contract import Record
from connectors.mapping_file import shipped
from connectors.registry import open_connector
from sandbox.billingplatform import BillingPlatformServer, Organisation
from sandbox.faults import too_many
from tests.sandbox.billingplatform.conftest import PASSWORD, USER

SESSION = {"username": USER, "password": PASSWORD}
OAUTH = {"client_id": "client", "client_secret": "a-secret"}


@pytest.fixture
def log_in(server: BillingPlatformServer) -> Iterator[Callable[..., Client]]:
    with ExitStack() as stack:

        def opened(**login: str) -> Client:
            client = Client(server.url, logout_at_exit=False, **login)
            stack.callback(client.session.close)
            return client

        yield opened


@pytest.fixture(autouse=True)
def _invoices(organisation: Organisation) -> None:
    account = organisation.put("ACCOUNT", {"Name": "Acme"})
    profile = organisation.put("BILLING_PROFILE", {"AccountId": account, "CurrencyCode": "CHF"})
    for n in range(25):
        fields = {"BillingProfileId": profile, "Status": "CURRENT", "GrandTotalAmount": f"{n}.5"}
        organisation.put("INVOICE", {**fields, "BillingCycleEndDate": "2026-11-30"})


def _ours(server: BillingPlatformServer, clock: Callable[[], datetime], login: dict[str, str]) -> list[Record]:
    settings: dict[str, Any] = {"base_url": server.url, "page_size": 10, **login}
    with closing(open_connector("billingplatform", settings, shipped("billingplatform"), clock)) as connector:
        return [record for page in connector.changes("INVOICE", None) for record in page.records]


@pytest.mark.parametrize("login", [SESSION, OAUTH], ids=["session", "oauth"])
def test_page_by_page_it_gets_what_our_connector_gets(
    server: BillingPlatformServer,
    clock: Callable[[], datetime],
    log_in: Callable[..., Client],
    login: dict[str, str],
) -> None:
    sql = (
        "SELECT Id, Status, GrandTotalAmount, to_char(BillingCycleEndDate, 'YYYY-MM-DD') AS ends,"
        " BillingProfileIdObj.CurrencyCode FROM INVOICE ORDER BY Id"
    )
    pages = list(log_in(**login).page_query(sql, page_size=10))
    assert [len(page["queryResponse"]) for page in pages] == [10, 10, 5]
    theirs = [
        (r["Id"], r["Status"], r["GrandTotalAmount"], r["ends"], r["BillingProfileIdObj.CurrencyCode"])
        for page in pages
        for r in page["queryResponse"]
    ]
    assert theirs == [
        (
            record["Id"],
            record["Status"],
            record["GrandTotalAmount"],
            record["BillingCycleEndDate"],
            record["BillingProfileIdObj"]["CurrencyCode"],
        )
        for record in _ours(server, clock, login)
    ]


def test_it_retrieves_whole_records(organisation: Organisation, log_in: Callable[..., Client]) -> None:
    client = log_in(**SESSION)
    assert client.retrieve_by_id("INVOICE", 3) == {"retrieveResponse": [organisation.find("INVOICE", "3")]}
    found = client.retrieve_by_query("INVOICE", "GrandTotalAmount > 23 AND Status = 'CURRENT'")["retrieveResponse"]
    assert sorted(record["Id"] for record in found) == ["24", "25"]


def test_it_writes(organisation: Organisation, log_in: Callable[..., Client]) -> None:
    client = log_in(**SESSION)
    assert client.create("PRODUCT", [{"Name": "Seats"}, {"Nmae": "x"}])["createResponse"][0]["Id"] == "1"
    assert client.update("PRODUCT", {"Id": "1", "Name": "Seat"})["updateResponse"][0]["ErrorCode"] == "0"
    upserted = client.upsert("ACCOUNT", {"ExtAcctId": "x", "Name": "Bolt"}, "ExtAcctId")["upsertResponse"][0]
    assert (upserted["Id"], upserted["created"]) == ("2", True)
    assert client.delete("PRODUCT", {"Id": "1"})["deleteResponse"][0]["ErrorCode"] == "0"
    assert organisation.rows("PRODUCT") == []
    assert client.undelete("PRODUCT", [{"Id": "1"}])["undeleteResponse"][0]["ErrorCode"] == "0"
    assert [row["Name"] for row in organisation.rows("PRODUCT")] == ["Seat"]


def test_it_is_refused_as_it_expects(server: BillingPlatformServer, log_in: Callable[..., Client]) -> None:
    client = log_in(**SESSION)
    for sql, refused in (
        ("SELECT Id FROM CONTRACT", BillingPlatform404Exception),
        ("SELECT Id WHERE 1=1", BillingPlatform400Exception),
        ("SELECT Nmae FROM ACCOUNT", BillingPlatform400Exception),
        ("SELECT Id FROM ACOUNT", BillingPlatform404Exception),
    ):
        with pytest.raises(refused):
            client.query(sql)
    server.faults.add(too_many(), path="/query")
    with pytest.raises(BillingPlatform429Exception):
        client.query("SELECT Id FROM ACCOUNT")
    client.logout()
    with pytest.raises(BillingPlatform401Exception):
        client.query("SELECT Id FROM ACCOUNT")
    with pytest.raises(BillingPlatform401Exception):
        log_in(client_id="client", client_secret="wrong")
