"""The share of the org's daily requests: counted by the simulator, stopped before it is used up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Limit
from connectors.errors import TransientError
from connectors.retries import RetryPolicy
from connectors.salesforce.usage import Usage, usage_of
from sandbox.faults import Reply
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.conftest import NOON, Clock
from tests.connectors.salesforce_org import connected, line_org


@pytest.fixture
def org(clock: Clock) -> SalesforceOrg:
    made = line_org(clock)
    made.put("Line__c", {})
    return made


def _ask_until_refused(server: SalesforceServer, clock: Clock, retries: RetryPolicy, share: float) -> TransientError:
    with connected(server.url, clock, retries, daily_share=share) as connector:
        for _ in range(200):
            try:
                connector.count("Line__c")
            except TransientError as refused:
                return refused
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize(("share", "most"), [(0.5, 20), (0.8, 32), (1.0, 40)])
def test_the_share_is_never_exceeded(
    org: SalesforceOrg, clock: Clock, retries: RetryPolicy, waits: list[float], share: float, most: int
) -> None:
    with SalesforceServer(org, daily_limit=40) as server:
        refused = _ask_until_refused(server, clock, retries, share)
        asked = server.requests.total()
        assert most - 2 < server.used <= most
        assert refused.retry_after == 3_600
        assert f"of the 40 daily API requests of the org (TotalRequests) are used, and we stop at {share:.0%}" in str(
            refused
        )
        assert "before 2026-12-01 13:00 UTC" in str(refused)
        _ask_until_refused(server, clock, retries, share)
        assert server.requests.total() == asked + 1  # a login, which is no API request
        assert (server.over_limit, waits) == (0, [])


def test_no_thread_asks_in_that_hour(org: SalesforceOrg, clock: Clock, retries: RetryPolicy) -> None:
    with SalesforceServer(org, daily_limit=60) as server:
        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(_ask_until_refused, server, clock, retries, 0.5) for _ in range(4)]
            assert all(isinstance(each.result(), TransientError) for each in asking)
        assert server.used <= 30
        assert server.over_limit == 0


def test_an_hour_later_one_request_asks_how_much_is_used(
    org: SalesforceOrg, clock: Clock, retries: RetryPolicy
) -> None:
    with SalesforceServer(org, daily_limit=40) as server:
        _ask_until_refused(server, clock, retries, 0.5)
        used = server.used
        clock.forward(hours=1, minutes=1)
        _ask_until_refused(server, clock, retries, 0.5)
        assert server.used == used + 1 <= 20
        clock.forward(hours=24)
        with connected(server.url, clock, retries, daily_share=0.5) as connector:
            assert connector.count("Line__c") == 1


def test_what_others_use_counts(org: SalesforceOrg, clock: Clock, retries: RetryPolicy) -> None:
    with SalesforceServer(org, daily_limit=100) as server:
        server.spend_elsewhere(85)
        refused = _ask_until_refused(server, clock, retries, 0.8)
        assert "86 of the 100" in str(refused)
        assert server.used == 86


def test_the_limit_of_the_app_is_kept(org: SalesforceOrg, clock: Clock, retries: RetryPolicy) -> None:
    with SalesforceServer(org, app_limit=10) as server:
        refused = _ask_until_refused(server, clock, retries, 0.8)
        assert "requests that the app may make" in str(refused)
        assert (server.used, server.over_limit) == (9, 0)


def test_a_day_that_is_used_up_is_asked_once(
    org: SalesforceOrg, clock: Clock, retries: RetryPolicy, waits: list[float]
) -> None:
    with SalesforceServer(org, daily_limit=10) as server:
        server.spend_elsewhere(10)
        with connected(server.url, clock, retries) as connector, pytest.raises(TransientError) as caught:
            connector.count("Line__c")
        assert caught.value.retry_after == 3_600
        _ask_until_refused(server, clock, retries, 1.0)
        assert (server.over_limit, waits) == (2, [])


def test_too_many_at_once_is_not_the_day(
    org: SalesforceOrg, clock: Clock, retries: RetryPolicy, waits: list[float]
) -> None:
    said = '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentRequests (Concurrent API) Limit exceeded."}]'
    with SalesforceServer(org) as server, connected(server.url, clock, retries) as connector:
        server.faults.add(Reply(403, said, "application/json"), path="/query", times=2)
        assert connector.count("Line__c") == 1
    assert len(waits) == 2


def test_the_limits_that_a_reader_uses_up(org: SalesforceOrg, clock: Clock, retries: RetryPolicy) -> None:
    with SalesforceServer(org, daily_limit=500) as server, connected(server.url, clock, retries) as connector:
        connector.count("Line__c")
        server.limit_bulk_jobs(7)
        assert connector.limits() == [
            Limit("DailyApiRequests", 2, 500),
            Limit("DailyBulkV2QueryJobs", 0, 7),
            Limit("DailyBulkV2QueryFileStorageMB", 0, 976_562),
        ]


def test_one_org_has_one_usage() -> None:
    clock, other = Clock(), Clock()
    assert usage_of("https://a", "crm", 0.5, clock) is usage_of("https://a", "crm", 0.5, clock)
    assert usage_of("https://a", "crm", 0.5, clock) is not usage_of("https://b", "crm", 0.5, clock)
    assert usage_of("https://a", "crm", 0.5, clock) is not usage_of("https://a", "crm", 0.5, other)


@given(st.integers(1, 400), st.floats(0.01, 1.0), st.integers(1, 60))
def test_any_share_of_any_limit(limit: int, share: float, every_s: int) -> None:
    """Alone in the org, no more is sent in an hour than the share: but the first request, of which nothing is known."""
    usage, used = Usage("crm", share), 0
    asked_to_wait: list[float] = []
    for tick in range(450):
        now = NOON + timedelta(seconds=tick * every_s / 10)
        try:
            usage.begin(now)
        except TransientError as stopped:
            asked_to_wait.append(stopped.retry_after or 0)
            continue
        used += 1
        usage.end(f"api-usage={used}/{limit}", now)
    assert used <= max(1, limit * share)
    assert all(0 < wait <= 3_600 for wait in asked_to_wait)
    assert used >= min(450, limit * share * 0.5 - 1)
