"""An independent client of NetSuite reads the simulated account and gets what the connector gets.

The client makes its host names from the account: a subclass says where the account is instead.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from netsuite import Config, TokenAuth
from netsuite.rest_api import NetSuiteRestApi
from netsuite.soap_api import NetSuiteSoapApi

from connectors.mapping_file import parse
from connectors.netsuite import open_netsuite
from connectors.netsuite.config import NetSuiteConfig
from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, TokenKeys, make_key_pair
from sandbox.netsuite.soap.definition import WSDL_PATH

TOKENS: Mapping[str, Any] = {
    "consumer_key": "consumer-key",
    "consumer_secret": "consumer-secret",
    "token_id": "token-id",
    "token_secret": "token-secret",
}
AMOUNTS = {1: Decimal("0.10"), 2: Decimal("19999999.99"), 3: Decimal("-12.5")}
BY_SUITEQL = """
connector: netsuite
objects:
  transaction:
    key: id
    targets:
      - {entity: invoices, columns: {number: tranid, total: foreigntotal}}
"""
BY_SOAP = """
connector: netsuite
objects:
  Invoice:
    key: internalId
    targets:
      - {entity: invoices, columns: {number: tranId, total: total}}
"""


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[NetSuiteServer]:
    """In real time, which is what the client signs with."""
    account = NetSuiteAccount(_now)
    for n, amount in AMOUNTS.items():
        account.put("transaction", {"id": n, "type": "CustInvc", "tranid": f"INV{n}", "foreigntotal": amount})
    _, public = make_key_pair("ES256")
    with NetSuiteServer(
        account, client_id="c", certificate_id="c", public_key_pem=public, token_keys=TokenKeys(**TOKENS)
    ) as running:
        yield running


def _ours(server: NetSuiteServer, text: str, **more: Any) -> list[tuple[str, Decimal]]:
    """Number and total of every invoice, by our connector."""
    mapping = parse(text)
    (name,) = mapping.objects
    config = NetSuiteConfig("1234567_SB1", base_url=server.url, **TOKENS, **more)
    with closing(open_netsuite(config, mapping, _now)) as connector:
        records = [record for page in connector.changes(name, None) for record in page.records]
    (_, rows), *_ = mapping.objects[name].book(records, "erp", _now()).rows
    return sorted((row["number"], row["total"]) for row in rows)


def _config() -> Config:
    return Config(account="1234567_SB1", auth=TokenAuth(**TOKENS))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client was written for older libraries
def test_the_client_reads_the_same_by_suiteql(server: NetSuiteServer) -> None:
    class Redirected(NetSuiteRestApi):  # type: ignore[misc]  # the client is not typed for subclasses
        def _make_url(self, subpath: str) -> str:
            return f"{server.url}/services/rest{subpath}"

    api = Redirected(_config())
    reply = asyncio.run(api.suiteql("SELECT tranid, foreigntotal FROM transaction ORDER BY id ASC", limit=1000))
    theirs = sorted((item["tranid"], Decimal(item["foreigntotal"])) for item in reply["items"])
    assert theirs == _ours(server, BY_SUITEQL) == [(f"INV{n}", amount) for n, amount in AMOUNTS.items()]
    schema = asyncio.run(api.jsonschema("invoice"))
    assert "tranid" in schema["properties"]


def test_the_client_reads_the_same_by_soap(server: NetSuiteServer) -> None:
    async def read() -> Any:
        api = NetSuiteSoapApi(
            _config(), version="2023.2.0", wsdl_url=f"{server.url}{WSDL_PATH}/netsuite.wsdl", cache=None
        )
        search = api.Sales.TransactionSearch(
            basic=api.Common.TransactionSearchBasic(
                type=api.Core.SearchEnumMultiSelectField(searchValue=["_invoice"], operator="anyOf")
            )
        )
        async with api:
            return await api.search(search)

    result = asyncio.run(read()).body.searchResult
    assert result.status.isSuccess
    theirs = sorted((record.tranId, record.total) for record in result.recordList.record)
    ours = _ours(server, BY_SOAP, transport="soap")
    assert theirs == [(number, float(total)) for number, total in ours]
    assert [total for _, total in ours] == list(AMOUNTS.values())
