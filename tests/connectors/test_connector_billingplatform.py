"""The BillingPlatform connector against the simulated organisation, and against answers that it does not give."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.connector import BillingPlatform
from connectors.billingplatform.statement import in_utc, local
from connectors.contract import Page, Position
from connectors.errors import LoginRefused, MappingError, PermanentError, SchemaChanged, TransientError
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from sandbox.billingplatform import BillingPlatformServer, Organisation
from sandbox.faults import Again, Reply, too_many, unavailable
from tests.connectors.conftest import NOON, Clock

ACCOUNTS = """
connector: billingplatform
objects:
  ACCOUNT:
    key: Id
    modified: Updated
    targets:
      - entity: accounts
        account: Id
        columns: {name: Name, status: AccountTypeIdObj.AccountType, currency: BillableBillingProfileIdObj.CurrencyCode}
"""
PRODUCTS = """
connector: billingplatform
objects:
  ACCOUNT_PRODUCT:
    key: Id
    modified: Updated
    join: {table: ACCOUNT, as: owner, on: owner.Id = ACCOUNT_PRODUCT.AccountId}
    filter: owner.Status = 'ACTIVE'
    targets:
      - entity: subscription_lines
        account: AccountId
        columns: {name: owner.Name, quantity: Quantity, start_date: StartDate, end_date: {from: EndDate, as: day_after}}
"""
BASE = "https://my.billingplatform.test/acme"
USER, SECRET = "tieout", "a-secret"
CLIENT = {"username": "", "password": "", "client_id": "client", "client_secret": SECRET}
ZURICH = ZoneInfo("Europe/Zurich")


@pytest.fixture
def organisation(clock: Clock) -> Organisation:
    return Organisation(clock)


def _served(organisation: Organisation, **more: Any) -> BillingPlatformServer:
    return BillingPlatformServer(
        organisation, username=USER, password=SECRET, client_id="client", client_secret=SECRET, **more
    )


@pytest.fixture
def server(organisation: Organisation) -> Iterator[BillingPlatformServer]:
    with _served(organisation) as running:
        yield running


class Connect(Protocol):
    def __call__(self, url: str, text: str = ACCOUNTS, **more: Any) -> BillingPlatform: ...


@pytest.fixture
def connect(clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors that are closed after the test, with pages of ten."""
    with ExitStack() as stack:

        def opened(url: str, text: str = ACCOUNTS, **more: Any) -> BillingPlatform:
            settings = {"username": USER, "password": SECRET, "page_size": 10, "retries": retries, **more}
            config = BillingPlatformConfig(url, **settings)
            return stack.enter_context(closing(BillingPlatform(config, parse(text), clock)))

        yield opened


def _accounts(organisation: Organisation, count: int, **more: object) -> list[str]:
    return [organisation.put("ACCOUNT", {"Name": f"A{n:03}", **more}) for n in range(count)]


def _names(pages: Sequence[Page]) -> list[str]:
    return [record["Name"] for page in pages for record in page.records]


def test_ties_across_pages_are_read_once_each_in_order(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    _accounts(organisation, 25)
    pages = list(connect(server.url).changes("ACCOUNT", None))
    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert _names(pages) == [f"A{n:03}" for n in range(25)]
    assert [page.position for page in pages] == [Position(NOON, key) for key in ("10", "20", "25")]
    assert server.logins == 1


def test_records_hold_text_under_the_mappings_names_and_related_ones_inside(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    kind = organisation.put("ACCOUNT_TYPE", {"AccountType": "Corporate"})
    profile = organisation.put("BILLING_PROFILE", {"CurrencyCode": "EUR"})
    organisation.put("ACCOUNT", {"Name": "Acme", "AccountTypeId": kind, "BillableBillingProfileId": profile})
    organisation.put("ACCOUNT", {"Name": "Bare"})
    (page,) = connect(server.url).changes("ACCOUNT", None)
    stamp = "2026-12-01T12:00:00Z"
    assert page.records == [
        {
            "Id": "1",
            "Updated": stamp,
            "Name": "Acme",
            "AccountTypeIdObj": {"AccountType": "Corporate"},
            "BillableBillingProfileIdObj": {"CurrencyCode": "EUR"},
        },
        {"Id": "2", "Updated": stamp, "Name": "Bare"},
    ]


def test_a_joined_entity_is_read_in_the_same_query(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    shut = organisation.put("ACCOUNT", {"Name": "Shut", "Status": "CLOSED"})
    live = organisation.put("ACCOUNT", {"Name": "Live", "Status": "ACTIVE"})
    for owner in (shut, live):
        organisation.put("ACCOUNT_PRODUCT", {"AccountId": owner, "Quantity": "2.5", "StartDate": "2026-11-01"})
    connector = connect(server.url, PRODUCTS)
    (page,) = connector.changes("ACCOUNT_PRODUCT", None)
    (record,) = page.records
    assert record == {
        "Id": "2",
        "Updated": "2026-12-01T12:00:00Z",
        "AccountId": live,
        "owner": {"Name": "Live"},
        "Quantity": "2.5",
        "StartDate": "2026-11-01",
    }
    assert connector.count("ACCOUNT_PRODUCT") == 1


def test_the_next_poll_looks_back_and_reads_what_committed_late(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect, clock: Clock
) -> None:
    connector = connect(server.url)
    _accounts(organisation, 1, Updated=NOON - timedelta(hours=1))
    kept = organisation.put("ACCOUNT", {"Name": "kept"})
    position = list(connector.changes("ACCOUNT", None))[-1].position
    clock.forward(minutes=5)
    organisation.put("ACCOUNT", {"Name": "late", "Updated": NOON - timedelta(minutes=9)})
    organisation.put("ACCOUNT", {"Name": "new"})
    pages = list(connector.changes("ACCOUNT", position))
    assert _names(pages) == ["late", "kept", "new"]
    assert pages[-1].position == Position(NOON + timedelta(minutes=5), str(int(kept) + 2))


def test_a_record_without_a_stamp_is_met_in_a_full_walk(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    _accounts(organisation, 1)
    organisation.put("ACCOUNT", {"Name": "unstamped", "Updated": None})
    pages = list(connect(server.url).changes("ACCOUNT", None))
    assert [(_names([page]), page.position is None) for page in pages] == [(["unstamped"], True), (["A000"], False)]


def test_an_object_without_a_cursor_is_read_in_full(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    _accounts(organisation, 20)
    text = ACCOUNTS.replace("    modified: Updated\n", "")
    pages = list(connect(server.url, text).changes("ACCOUNT", Position(NOON, "5")))
    assert _names(pages) == [f"A{n:03}" for n in range(20)]
    assert {page.position for page in pages} == {None}


def test_nothing_there_is_nothing_and_confirmed(server: BillingPlatformServer, connect: Connect) -> None:
    connector = connect(server.url)
    assert list(connector.changes("ACCOUNT", None)) == list(connector.changes("ACCOUNT", Position(NOON))) == []
    assert list(connector.census("ACCOUNT")) == list(connector.fetch("ACCOUNT", ["7"])) == []
    assert (connector.count("ACCOUNT"), list(connector.fields("ACCOUNT")), connector.limits()) == (0, [], ())


def test_census_fetch_count_and_fields(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    ids = _accounts(organisation, 25)
    organisation.remove("ACCOUNT", ids[3])
    organisation.purge("ACCOUNT", ids[4])
    connector = connect(server.url)
    left = [key for key in ids if key not in ids[3:5]]
    assert [record for page in connector.census("ACCOUNT") for record in page] == [{"Id": key} for key in left]
    assert connector.count("ACCOUNT") == 23
    found = [record["Id"] for page in connector.fetch("ACCOUNT", [*ids, ids[0], "999"]) for record in page]
    assert found == left
    assert list(connector.deletions("ACCOUNT", NOON)) == []
    names = [field.name for field in connector.fields("ACCOUNT")]
    assert {"Id", "Name", "Updated", "SfRecordId"} <= set(names) == {*organisation.seen("ACCOUNT")}


def test_more_keys_than_one_list_holds(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    ids = _accounts(organisation, 230)
    connector = connect(server.url, page_size=1_000)
    assert [len(page) for page in connector.fetch("ACCOUNT", ids)] == [200, 30]


@pytest.mark.parametrize("lost", ["entity", "field"])
def test_what_is_not_visible_is_no_empty_result(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect, lost: str
) -> None:
    connector = connect(server.url)
    if lost == "entity":
        organisation.forbid("ACCOUNT")
        with pytest.raises(SchemaChanged):
            connector.fields("ACCOUNT")
        with pytest.raises(SchemaChanged):
            list(connector.census("ACCOUNT"))
    else:
        organisation.hide("ACCOUNT", "Name")
    with pytest.raises(SchemaChanged, match=r"Invalid (entity|column).*Give the user's role access"):
        list(connector.changes("ACCOUNT", None))
    organisation.permit("ACCOUNT")
    assert list(connector.changes("ACCOUNT", None)) == []


@pytest.mark.parametrize("login", [{}, CLIENT], ids=["session", "oauth"])
def test_a_login_that_ends_in_mid_walk_is_renewed_once(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect, login: dict[str, str]
) -> None:
    _accounts(organisation, 25)
    walk = connect(server.url, **login).changes("ACCOUNT", None)
    names = _names([next(walk)])
    server.end_sessions()
    assert names + _names(list(walk)) == [f"A{n:03}" for n in range(25)]
    assert server.logins == 2


def test_a_401_that_stays_is_a_refused_login(server: BillingPlatformServer, connect: Connect) -> None:
    server.faults.add(Reply(401, "{}", "application/json"), path="/query", times=None)
    with pytest.raises(LoginRefused, match="with a new login"):
        list(connect(server.url).changes("ACCOUNT", None))
    assert server.requests["GET /query"] == 2


@pytest.mark.parametrize("login", [{"password": "wrong"}, {**CLIENT, "client_secret": "wrong"}])
def test_a_wrong_password_is_said_without_repeating_it(
    server: BillingPlatformServer, connect: Connect, login: dict[str, str]
) -> None:
    with pytest.raises(LoginRefused, match="refuses the login") as refused:
        connect(server.url, **login).source_time()
    assert "wrong" not in str(refused.value)


def test_a_base_url_without_a_login_behind_it(server: BillingPlatformServer, connect: Connect) -> None:
    with pytest.raises(PermanentError, match=r"no login at its base URL.*Correct the base URL"):
        connect(f"{server.url}x").source_time()


@pytest.mark.parametrize(
    "login",
    [
        {"username": "", "password": ""},
        {"password": ""},
        {"client_id": "client", "client_secret": SECRET},
        {"client_id": "client"},
        {**CLIENT, "client_id": ""},
    ],
)
def test_exactly_one_login_is_given(connect: Connect, login: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="needs exactly one login: username and password, or client_id and"):
        connect(BASE, **login)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"zone": "Europe/Atlantis"}, "unknown time zone"),
        ({"no_rows": "("}, "no regular expression"),
        ({"page_size": 10_001}, "between 1 and 10,000"),
        ({"page_size": 0}, "between 1 and 10,000"),
    ],
)
def test_settings_that_cannot_be_used(connect: Connect, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PermanentError, match=sentence):
        connect(BASE, **settings)


def test_a_key_of_several_fields_is_refused(connect: Connect) -> None:
    with pytest.raises(MappingError, match="ACCOUNT has a key of several fields"):
        connect(BASE, ACCOUNTS.replace("key: Id", "key: [Id, Name]"))


def test_closing_ends_the_session(server: BillingPlatformServer, connect: Connect) -> None:
    connector = connect(server.url)
    assert connector.source_time() == NOON
    connector.close()
    assert server.requests["POST /logout"] == 1


def test_a_busy_platform_is_asked_again_after_what_it_says(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect, waits: list[float]
) -> None:
    _accounts(organisation, 3)
    for fault in (too_many(7), too_many(), unavailable()):
        server.faults.add(fault, path="/query")
    assert len(_names(list(connect(server.url).changes("ACCOUNT", None)))) == 3
    assert len(waits) == 3
    assert 7 <= waits[0] < 8


def test_errors_inside_a_200(server: BillingPlatformServer, organisation: Organisation, connect: Connect) -> None:
    _accounts(organisation, 3)
    connector = connect(server.url)
    server.say("The request timed out.", code="12")
    server.say("Your session has expired.", code="7")
    assert len(_names(list(connector.changes("ACCOUNT", None)))) == 3
    for text, error in (
        ("An unexpected error occurred.", PermanentError),
        ("You do not have access to the entity.", LoginRefused),
        ('Invalid column: "NAME"', SchemaChanged),
    ):
        server.say(text)
        with pytest.raises(error, match="ErrorCode 1"):
            list(connector.changes("ACCOUNT", None))


def test_a_404_that_says_nothing_of_rows_is_judged_by_the_count(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    page = Reply(404, "<html>There is no such page.</html>")
    connector = connect(server.url)
    server.faults.add(page, path="/query")
    assert list(connector.census("ACCOUNT")) == []
    _accounts(organisation, 3)
    server.faults.add(page, path="/query")
    assert len([record for found in connector.census("ACCOUNT") for record in found]) == 3
    server.faults.add(page, path="/query", times=None)
    with pytest.raises(PermanentError, match="put that into no_rows"):
        list(connector.census("ACCOUNT"))


def test_an_empty_answer_of_another_form_is_a_setting(organisation: Organisation, connect: Connect) -> None:
    with _served(organisation, empty={"errorMessage": "nada"}) as server:
        assert list(connect(server.url).changes("ACCOUNT", Position(NOON))) == []
        assert server.requests["GET /query"] == 2
        connector = connect(server.url, no_rows="nada|did not return")
        assert list(connector.changes("ACCOUNT", Position(NOON))) == []


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_an_answer_that_comes_again_is_no_page_and_no_end(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect, after: int
) -> None:
    _accounts(organisation, 25)
    connector = connect(server.url)
    assert len(list(connector.census("ACCOUNT"))) == 3
    server.faults.add(Again(), path="/query", after=after)
    assert _names(list(connector.changes("ACCOUNT", None))) == [f"A{n:03}" for n in range(25)]
    server.faults.clear()


def test_a_page_that_leads_no_further_stops_the_walk(connect: Connect) -> None:
    def same(request: httpx.Request) -> httpx.Response:
        columns = request.url.params["sql"].partition(" FROM ")[0].removeprefix("SELECT ").split(", ")
        row = {column.rpartition(" AS ")[2]: "5" for column in columns}
        return httpx.Response(200, json={"queryResponse": [row] * 10})

    with respx.mock() as wire:
        wire.post(f"{BASE}/rest/2.0/login").respond(json={"loginResponse": [{"SessionID": "s", "ErrorCode": "0"}]})
        wire.post(f"{BASE}/rest/2.0/logout").respond(json={})
        wire.get(f"{BASE}/rest/2.0/query").mock(side_effect=same)
        connector = connect(BASE)
        with pytest.raises(PermanentError, match="did not advance past 5 of ACCOUNT"):
            list(connector.census("ACCOUNT"))
        connector.close()


def test_a_platform_with_smaller_pages_is_read_to_its_end(connect: Connect) -> None:
    """What a census does not see is buried, so a page that is not full is the last by the count alone."""

    def three_of_seven(request: httpx.Request) -> httpx.Response:
        sql = request.url.params["sql"]
        (mark,) = re.findall(r" AS (key_[0-9a-f]{8}) ", sql)
        left = range(max(map(int, re.findall(r" > (\d+)", sql)), default=0) + 1, 8)
        found = [len(left)] if "COUNT(" in sql else left[:3]
        return httpx.Response(200, json={"queryResponse": [{mark: str(number)} for number in found]})

    with respx.mock() as wire:
        wire.post(f"{BASE}/rest/2.0/login").respond(json={"loginResponse": [{"SessionID": "s", "ErrorCode": "0"}]})
        wire.post(f"{BASE}/rest/2.0/logout").respond(json={})
        wire.get(f"{BASE}/rest/2.0/query").mock(side_effect=three_of_seven)
        connector = connect(BASE)
        assert [len(records) for records in connector.census("ACCOUNT")] == [3, 3, 1]
        connector.close()


@pytest.mark.parametrize("rows", [None, "none", [1]])
def test_an_answer_without_rows_is_tried_again(connect: Connect, rows: object) -> None:
    with respx.mock() as wire:
        wire.post(f"{BASE}/rest/2.0/login").respond(json={"loginResponse": [{"SessionID": "s", "ErrorCode": "0"}]})
        wire.post(f"{BASE}/rest/2.0/logout").respond(json={})
        asked = wire.get(f"{BASE}/rest/2.0/query").respond(json={"queryResponse": rows})
        connector = connect(BASE)
        with pytest.raises(TransientError, match="without queryResponse"):
            list(connector.census("ACCOUNT"))
        connector.close()
    assert asked.call_count == 4


def test_statements_go_in_a_body_where_that_is_set(
    server: BillingPlatformServer, organisation: Organisation, connect: Connect
) -> None:
    _accounts(organisation, 12)
    assert len(_names(list(connect(server.url, query_by="post").changes("ACCOUNT", None)))) == 12
    assert (server.requests["GET /query"], server.requests["POST /query"]) == (0, 5)


def test_requests_are_kept_apart(organisation: Organisation, connect: Connect, waits: list[float]) -> None:
    with _served(organisation, per_minute=60) as server:
        connector = connect(server.url, requests_per_minute=30)
        assert connector.count("ACCOUNT") == 0
        assert connector.count("ACCOUNT") == 0
        assert server.over_limit == 0
    assert waits == [2.0, 4.0]


def test_the_organisations_limit_is_waited_for(organisation: Organisation, clock: Clock, connect: Connect) -> None:
    def sleep(seconds: float) -> None:
        clock.forward(seconds=seconds)

    with _served(organisation, per_minute=2) as server:
        connector = connect(server.url, retries=RetryPolicy(attempts=4, sleep=sleep))
        assert connector.count("ACCOUNT") == 0
        assert connector.count("ACCOUNT") == 0
        assert server.over_limit == 1
    assert clock() > NOON + timedelta(minutes=1)


def test_stamps_are_read_in_the_organisations_zone(clock: Clock, connect: Connect) -> None:
    organisation = Organisation(clock, ZURICH)
    organisation.put("ACCOUNT", {"Name": "Acme"})
    with _served(organisation) as server:
        (page,) = connect(server.url, zone="Europe/Zurich").changes("ACCOUNT", None)
    assert page.records[0]["Updated"] == "2026-12-01T12:00:00Z"
    assert page.position == Position(NOON, "1")


def test_the_hour_that_comes_twice_loses_nothing(clock: Clock, connect: Connect) -> None:
    """Clocks go back at 01:00 UTC on 25 October 2026: the text of 00:50 UTC is later than that of 01:10 UTC."""
    organisation = Organisation(clock, ZURICH)
    clock.now = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    organisation.put("ACCOUNT", {"Name": "first"})
    with _served(organisation) as server:
        connector = connect(server.url, zone="Europe/Zurich")
        position = list(connector.changes("ACCOUNT", None))[-1].position
        assert position is not None
        clock.forward(minutes=20)
        organisation.put("ACCOUNT", {"Name": "second"})
        assert "second" in _names(list(connector.changes("ACCOUNT", position)))


@given(st.integers(0, 96 * 60), st.integers(0, 24 * 60))
def test_no_later_stamp_has_an_earlier_text_than_the_walk_starts_from(minute: int, later: int) -> None:
    start = datetime(2026, 10, 23, tzinfo=UTC) + timedelta(minutes=minute)
    stamp = (start + timedelta(minutes=later)).astimezone(ZURICH).replace(tzinfo=None)
    assert f"{stamp:%Y-%m-%d %H:%M:%S}" >= local(start, ZURICH)


@given(st.integers(0, 10 * 366 * 24 * 60))
def test_a_text_of_the_zone_is_never_read_as_later_than_it_was(minute: int) -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    said = moment.astimezone(ZURICH).replace(tzinfo=None).isoformat()
    read = datetime.fromisoformat(in_utc(said, ZURICH))
    assert timedelta(0) <= moment - read <= timedelta(hours=1)
    assert in_utc("CURRENT", ZURICH) == "CURRENT"
