"""Replies of NetSuite by SOAP that the simulator does not give: published ones, and some that are none."""

from contextlib import closing
from pathlib import Path

import httpx
import pytest
import respx
from lxml import etree

from connectors.errors import ConnectorError, LoginRefused, PermanentError, TransientError
from connectors.mapping_file import parse
from connectors.netsuite.soap.connector import NetSuiteSoap
from connectors.netsuite.soap.definition import definition_at
from connectors.netsuite.soap.faults import status_error
from connectors.retries import RetryPolicy
from sandbox.netsuite.soap.definition import PORT_PATH
from tests.connectors.conftest import NOON, Clock
from tests.connectors.netsuite_soap_opened import WSDL, opened

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "netsweet_netsuite_soap"
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
    return opened(clock, yaml, retries=RetryPolicy(attempts=1))


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
