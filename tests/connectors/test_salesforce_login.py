"""The two logins of Salesforce, and what their refusals say."""

import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import LoginRefused, PermanentError
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from sandbox.netsuite import make_key_pair
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.conftest import NOON, Clock
from tests.connectors.salesforce_org import LINES, connected, ids, line_org

USER = "integration@acme.test"
PRIVATE, PUBLIC = make_key_pair("PS256")  # an RSA key; which algorithm signs with it is said in the assertion
OTHER_PRIVATE, _ = make_key_pair("PS256")
NOT_RSA, _ = make_key_pair("ES256")
BEARER = {"consumer_secret": "", "username": USER, "private_key_pem": PRIVATE}


@pytest.fixture
def org(clock: Clock) -> SalesforceOrg:
    return line_org(clock)


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[SalesforceServer]:
    with SalesforceServer(org, public_key_pem=PUBLIC, username=USER) as running:
        yield running


@pytest.mark.parametrize("audience", ["https://login.salesforce.com", "https://test.salesforce.com"])
def test_login_by_jwt_bearer(
    server: SalesforceServer, org: SalesforceOrg, clock: Clock, retries: RetryPolicy, audience: str
) -> None:
    line = org.put("Line__c", {})
    with connected(server.url, clock, retries, **BEARER, audience=audience) as connector:
        assert ids(list(connector.changes("Line__c", None))) == [line]
        server.expire_sessions()
        assert ids(list(connector.changes("Line__c", None))) == [line]
    assert server.requests["token"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "somebody@acme.test"},
        {"audience": "https://elsewhere.test"},
        {"private_key_pem": OTHER_PRIVATE},
    ],
)
def test_a_refused_assertion(
    server: SalesforceServer, clock: Clock, retries: RetryPolicy, wrong: dict[str, str], waits: list[float]
) -> None:
    with (
        connected(server.url, clock, retries, **{**BEARER, **wrong}) as connector,
        pytest.raises(LoginRefused, match="Check the connected app") as caught,
    ):
        connector.source_time()
    said = "".join(traceback.format_exception(caught.value))
    assert "PRIVATE KEY" not in said
    assert server.requests.total() == 1
    assert waits == []


def test_a_machine_whose_clock_is_wrong_logs_in_at_the_second_try(
    server: SalesforceServer, org: SalesforceOrg, retries: RetryPolicy
) -> None:
    line = org.put("Line__c", {})
    late = Clock(NOON - timedelta(hours=1))
    with connected(server.url, late, retries, **BEARER) as connector:
        with pytest.raises(LoginRefused, match="invalid_grant"):
            connector.source_time()
        assert ids(list(connector.changes("Line__c", None))) == [line]


@pytest.mark.parametrize("key", ["no key", NOT_RSA, PUBLIC])
def test_a_key_that_cannot_sign(server: SalesforceServer, clock: Clock, retries: RetryPolicy, key: str) -> None:
    with (
        connected(server.url, clock, retries, **{**BEARER, "private_key_pem": key}) as connector,
        pytest.raises(PermanentError, match="is no RSA private key in PEM") as caught,
    ):
        connector.source_time()
    assert key not in "".join(traceback.format_exception(caught.value))
    assert server.requests.total() == 0


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"username": USER},
        {"private_key_pem": PRIVATE},
        {"consumer_secret": "s", "username": USER, "private_key_pem": PRIVATE},
        {"consumer_secret": "s", "username": USER},
    ],
)
def test_exactly_one_login_is_configured(clock: Clock, settings: dict[str, Any]) -> None:
    config = SalesforceConfig("https://acme.my.salesforce.com", "key", **settings)
    with pytest.raises(PermanentError, match=r"exactly one login: client credentials .* or JWT bearer"):
        Salesforce(config, parse(LINES), clock)


@pytest.mark.parametrize("wrong", [{"daily_share": 0.0}, {"daily_share": 1.5}, {"bulk_above": -1}, {"bulk_page": 0}])
def test_settings_that_make_no_sense(clock: Clock, wrong: dict[str, Any]) -> None:
    config = SalesforceConfig("https://acme.my.salesforce.com", "key", "secret", **wrong)
    with pytest.raises(PermanentError, match=r"daily_share|bulk_above"):
        Salesforce(config, parse(LINES), clock)


def test_secrets_show_in_no_repr() -> None:
    shown = repr(SalesforceConfig("https://acme.my.salesforce.com", "hush", "hush", private_key_pem="hush"))
    assert "hush" not in shown
