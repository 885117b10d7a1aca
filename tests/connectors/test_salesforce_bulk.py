"""First loads by bulk query jobs: the same records as REST, counted, resumed, and begun anew where the job is gone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import Page, Position
from connectors.errors import TransientError
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce
from sandbox.faults import Again, Cut, Reply, Reset, Short
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.conftest import NOON, Clock
from tests.connectors.salesforce_org import LINES, connected, ids, line_org, rows

RESULTS = "/results"


@dataclass
class Load:
    """An org with many lines, and what a connector that loads them by bulk needs."""

    org: SalesforceOrg
    server: SalesforceServer
    clock: Clock
    retries: RetryPolicy

    def fill(self, count: int) -> list[str]:
        product = self.org.put("Product2", {"ProductCode": "SEAT"})
        return [self._line(n, product) for n in range(count)]

    def _line(self, n: int, product: str) -> str:
        values: dict[str, Any] = {
            "Quantity__c": Decimal(n) / 4,
            "Price__c": Decimal("123456789.12"),
            "Months__c": n % 12,
            "Product__c": product if n % 3 else None,
            "Note__c": ['a "quoted", line\nand another', "", "  spaces  ", "null", "ünïcödé"][n % 5],
            "Billable__c": n % 2 == 0,
            "Start__c": date(2026, 1, 1 + n % 28) if n % 4 else None,
        }
        return self.org.put("Line__c", values)

    def read(self, since: Position | None = None, text: str = LINES, **more: Any) -> list[Page]:
        with connected(
            self.server.url, self.clock, self.retries, text, **{"bulk_above": 10, "bulk_page": 7, **more}
        ) as connector:
            return list(connector.changes("Line__c", since))

    def walk(self, connector: Salesforce) -> Iterator[Page]:
        return connector.changes("Line__c", None)


@pytest.fixture
def load(clock: Clock, retries: RetryPolicy) -> Iterator[Load]:
    org = line_org(clock)
    with SalesforceServer(org) as server:
        yield Load(org, server, clock, retries)


@pytest.mark.parametrize("null_bytes", [False, True])
def test_bulk_gives_the_rows_that_rest_gives(load: Load, null_bytes: bool) -> None:
    made = load.fill(40)
    load.server.bulk.null_bytes = null_bytes
    by_bulk = [record for page in load.read() for record in page.records]
    assert load.server.requests["bulk_results"] == 6
    by_rest = [record for page in load.read(bulk_above=100) for record in page.records]
    assert load.server.requests["bulk_create"] == 1
    assert sorted(record["Id"] for record in by_bulk) == sorted(made)
    assert rows(LINES, "Line__c", by_bulk, load.clock) == rows(LINES, "Line__c", by_rest, load.clock)
    assert all(type(record["Months__c"]) is int and type(record["Billable__c"]) is bool for record in by_bulk)
    assert {record["Product__r"] is None for record in by_bulk} == {True, False}
    assert load.server.bulk.ids() == []


def test_small_objects_are_read_by_rest(load: Load) -> None:
    made = load.fill(10)
    assert sorted(ids(load.read())) == sorted(made)
    assert load.server.requests["bulk_create"] == 0
    assert load.server.requests["record_count"] == 0


def test_the_size_is_asked_for_where_one_page_does_not_tell(load: Load) -> None:
    made = [load.org.put("Line__c", {}) for _ in range(2_001)]
    pages = load.read(bulk_above=2_000, bulk_page=1_000)
    assert sorted(ids(pages)) == sorted(made)
    assert (load.server.requests["record_count"], load.server.requests["bulk_create"]) == (1, 1)
    load.server.faults.add(Reply(403), path="/limits/recordCount", times=None)
    assert sorted(ids(load.read(bulk_above=2_000, bulk_page=1_000))) == sorted(made)
    assert load.server.requests["bulk_create"] == 2


def test_a_job_is_polled_with_growing_waits(load: Load, waits: list[float]) -> None:
    load.fill(20)
    load.server.bulk.polls = 7
    assert len(ids(load.read())) == 20
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_job_that_takes_long_is_looked_for_by_the_next_poll(load: Load, waits: list[float]) -> None:
    made = load.fill(20)
    load.server.bulk.polls = 12
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_wait_s=100) as connector:
        walk = load.walk(connector)
        begun = next(walk)
        with pytest.raises(TransientError, match=r"not done after .* seconds. The next poll looks for it"):
            next(walk)
    assert 100 <= sum(waits) < 140
    assert sorted(ids(load.read(begun.position))) == sorted(made)
    assert load.server.requests["bulk_create"] == 1


def test_a_job_that_no_position_finds_again_is_aborted(load: Load) -> None:
    load.fill(20)
    load.server.bulk.polls = 10_000
    with pytest.raises(TransientError, match=r"not done after .* seconds, and was aborted"):
        load.read(text=LINES.replace("    modified: SystemModstamp\n", ""), bulk_wait_s=100)
    assert load.server.requests["bulk_abort"] == 1
    assert load.server.bulk.ids() == []


@pytest.mark.parametrize("by", [1, -1])
def test_a_count_that_differs_is_not_taken(load: Load, by: int) -> None:
    made = load.fill(20)
    load.server.bulk.miscount_next(by)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        taken: list[Page] = []
        with pytest.raises(TransientError, match=rf"gave 20 rows of Line__c in a bulk job that found {20 + by}"):
            taken.extend(load.walk(connector))
    assert load.server.bulk.ids() == []
    assert len(ids(taken)) == 14
    # The next poll stands inside a job that is not there any more: it begins with the first record.
    assert sorted(ids(load.read(taken[-1].position))) == sorted(made)


def test_no_position_goes_past_a_job_before_it_was_counted(load: Load) -> None:
    load.fill(20)
    pages = load.read()
    assert all(json.loads(page.position.token)["job"] for page in pages[:-1] if page.position)
    assert all(page.position and page.position.stamp is None for page in pages[:-1])
    assert pages[-1].position == Position(NOON)


def test_the_walk_goes_on_from_the_largest_stamp(load: Load) -> None:
    made = load.fill(20)
    load.clock.forward(hours=1)
    (*_, last) = load.read()
    assert last.position == Position(NOON, max(made))
    load.clock.forward(hours=1)
    new = load.org.put("Line__c", {})
    late = load.org.put("Line__c", {"SystemModstamp": NOON - timedelta(minutes=9)})
    assert set(ids(load.read(last.position))) == {*made, new, late}
    assert load.server.requests["bulk_create"] == 1


def test_what_changes_while_the_job_runs_is_read_again(load: Load) -> None:
    load.fill(20)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        walk = load.walk(connector)
        pages = [next(walk), next(walk)]
        load.clock.forward(minutes=30)
        new = load.org.put("Line__c", {"Note__c": "while the job runs"})
        pages += walk
    assert new not in ids(pages)
    assert new in ids(load.read(pages[-1].position))


def test_a_walk_that_was_killed_goes_on_in_the_job(load: Load) -> None:
    made = load.fill(40)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        walk = load.walk(connector)
        begun = [next(walk), next(walk), next(walk)]
    rest = load.read(begun[-1].position)
    assert sorted(ids([*begun, *rest])) == sorted(made)
    assert load.server.requests["bulk_create"] == 1
    assert load.server.requests["bulk_results"] == 6
    assert rest[-1].position == Position(NOON)


def test_a_job_that_is_gone_begins_anew(load: Load) -> None:
    made = load.fill(40)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        first = next(load.walk(connector))
    load.server.bulk.forget_all()
    assert sorted(ids(load.read(first.position))) == sorted(made)
    load.clock.forward(days=8)
    assert sorted(ids(load.read(first.position))) == sorted(made)


def test_a_job_that_vanishes_during_the_walk(load: Load) -> None:
    made = load.fill(40)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        walk = load.walk(connector)
        assert [len(next(walk).records) for _ in range(2)] == [0, 7]
        load.server.bulk.forget_all()
        assert sorted(ids(list(walk))) == sorted(made)


def test_a_job_of_another_version_begins_anew(load: Load) -> None:
    made = load.fill(40)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        first = next(load.walk(connector))
    assert sorted(ids(load.read(first.position, api_version="68.0"))) == sorted(made)
    assert load.server.requests["bulk_create"] == 2


def test_a_job_that_fails_leaves_the_object_to_rest(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    made = load.fill(20)
    load.server.bulk.fail_next("QUERY_TIMEOUT: retried more than fifteen times")
    pages = load.read()
    assert ids(pages) == sorted(made)
    assert "retried more than fifteen times" in caplog.text
    assert load.server.bulk.ids() == []


def test_a_job_that_somebody_aborts(load: Load) -> None:
    made = load.fill(20)
    load.server.bulk.polls = 5
    aborting = RetryPolicy(sleep=lambda _: load.server.bulk.abort_all())
    with (
        connected(load.server.url, load.clock, aborting, bulk_above=10) as connector,
        pytest.raises(TransientError, match="was aborted by somebody"),
    ):
        list(load.walk(connector))
    assert sorted(ids(load.read())) == sorted(made)


def test_fields_that_bulk_does_not_give(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    made = load.fill(20)
    text = LINES.replace("quote_line_key: Note__c", "quote_line_key: Body__c")
    load.org.define("Line__c", {**_fields(load.org), "Body__c": "base64"})
    assert ids(load.read(text=text)) == sorted(made)
    assert "Bulk jobs do not give Body__c" in caplog.text
    assert load.server.requests["bulk_create"] == 0


def test_an_org_that_takes_no_bulk_job(load: Load) -> None:
    made = load.fill(20)
    load.server.faults.add(Reply(400, '[{"errorCode":"INVALIDENTITY","message":"no"}]'), path="/jobs/query")
    assert ids(load.read()) == sorted(made)


def test_the_days_jobs_are_not_used_up(load: Load) -> None:
    made = load.fill(20)
    load.server.limit_bulk_jobs(2)
    assert sorted(ids(load.read())) == sorted(made)
    assert ids(load.read()) == sorted(made)
    assert load.server.requests["bulk_create"] == 1


@pytest.mark.parametrize("fault", [Short(0.7), Cut(), Reset(), Reply(503), Reply(429)])
def test_a_download_that_is_not_whole_is_asked_for_again(load: Load, fault: Any) -> None:
    made = load.fill(40)
    load.server.faults.add(fault, path=RESULTS, after=2)
    assert sorted(ids(load.read())) == sorted(made)
    assert load.server.faults.struck == 1


def test_a_download_that_comes_twice_is_noticed(load: Load) -> None:
    made = load.fill(40)
    load.server.faults.add(Again(), path=RESULTS, after=2)
    pages = load.read()
    assert sorted(ids(pages)) == sorted(made)
    assert load.server.faults.struck == 1


def test_a_session_that_ends_during_the_downloads(load: Load) -> None:
    made = load.fill(40)
    with connected(load.server.url, load.clock, load.retries, bulk_above=10, bulk_page=7) as connector:
        walk = load.walk(connector)
        next(walk)
        first = next(walk)
        load.server.expire_sessions()
        assert sorted(ids([first, *walk])) == sorted(made)


def test_an_object_without_a_stamp_has_no_position(load: Load) -> None:
    made = load.fill(20)
    pages = load.read(text=LINES.replace("    modified: SystemModstamp\n", ""))
    assert sorted(ids(pages)) == sorted(made)
    assert {page.position for page in pages} == {None}
    assert load.server.requests["bulk_create"] == 1


def _fields(org: SalesforceOrg) -> dict[str, str]:
    shape = org.view().table("Line__c")
    assert shape is not None
    own = shape.shape.fields[5:]
    return {field.name: f"reference({field.target})" if field.target else field.type for field in own}
