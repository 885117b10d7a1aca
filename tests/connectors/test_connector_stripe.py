"""The Stripe connector against the simulated account."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any, Protocol

import pytest

from connectors.contract import Page, Position
from connectors.errors import (
    CursorLost,
    LoginRefused,
    MappingError,
    PermanentError,
    SchemaChanged,
    TransientError,
)
from connectors.mapping_file import parse, shipped
from connectors.retries import RetryPolicy
from connectors.stripe.api import StripeConfig
from connectors.stripe.connector import Stripe
from connectors.stripe.pace import Pace
from sandbox.faults import Again, Cut, Reply, Reset, Short, too_many, unavailable
from sandbox.stripe import StripeAccount, StripeServer
from tests.connectors.conftest import NOON, Clock

KEY = "sk_test_51Hushhush"
PLAIN = """
connector: stripe
objects:
  customer:
    key: id
    modified: instant(created)
    targets: [{entity: accounts, account: id, columns: {name: name}}]
  subscription:
    key: id
    modified: instant(created)
    targets: [{entity: subscriptions, account: customer, columns: {status: status}}]
  subscription_item:
    key: id
    modified: instant(created)
    targets: [{entity: subscription_lines, columns: {quantity: quantity, subscription_key: _parent.id}}]
  line_item:
    key: id
    modified: instant(_parent.created)
    targets: [{entity: invoice_lines, columns: {name: description, invoice_key: _parent.id}}]
  tier:
    key: [_parent.id, _number]
    modified: instant(_parent.created)
    targets: [{entity: price_tiers, columns: {price_key: _parent.id, from_quantity: _previous.up_to}}]
  product:
    key: id
    targets: [{entity: products, columns: {name: name}}]
"""


@pytest.fixture
def account(clock: Clock) -> StripeAccount:
    return StripeAccount(clock, nested=2)


@pytest.fixture
def server(account: StripeAccount) -> Iterator[StripeServer]:
    with StripeServer(account, api_key=KEY, per_s=10_000) as running:
        yield running


class Connect(Protocol):
    def __call__(self, text: str = PLAIN, **more: Any) -> Stripe: ...


@pytest.fixture
def connect(server: StripeServer, clock: Clock, retries: RetryPolicy) -> Iterator[Connect]:
    """Opens connectors that are closed after the test."""
    with ExitStack() as stack:

        def opened(text: str = PLAIN, **more: Any) -> Stripe:
            settings = {"base_url": server.url, "page_size": 3, "requests_per_s": 10_000, "retries": retries, **more}
            config = StripeConfig(**{"api_key": KEY, **settings})
            return stack.enter_context(closing(Stripe(config, parse(text), clock)))

        yield opened


def _customers(account: StripeAccount, count: int, prefix: str = "A") -> list[str]:
    return [account.put("customer", {"name": f"{prefix}{n:03}"}) for n in range(count)]


def _names(pages: Sequence[Page]) -> list[str]:
    return sorted(record["name"] for page in pages for record in page.records)


def _ids(pages: Sequence[Page]) -> list[str]:
    return sorted(record["id"] for page in pages for record in page.records)


def _end(pages: Sequence[Page]) -> Position:
    position = pages[-1].position
    assert position is not None
    return position


def test_a_first_load_reads_every_page_and_its_position_is_its_beginning(
    account: StripeAccount, connect: Connect
) -> None:
    made = _customers(account, 8)
    pages = list(connect().changes("customer", None))
    assert [len(page.records) for page in pages] == [3, 3, 2]
    assert _names(pages) == [f"A{n:03}" for n in range(8)]
    assert [page.position for page in pages] == [
        Position(NOON, token=made[5]),
        Position(NOON, token=made[2]),
        Position(NOON),
    ]


def test_an_interrupted_first_load_goes_on_and_keeps_its_beginning(
    account: StripeAccount, clock: Clock, connect: Connect
) -> None:
    _customers(account, 8)
    walk = connect().changes("customer", None)
    first = next(walk)
    clock.forward(hours=2)
    account.put("customer", {"name": "new"})
    rest = list(connect().changes("customer", first.position))
    # What was made in between stands before the place where the list goes on; an event since the beginning names it.
    assert set(_names([first, *rest])) == {*(f"A{n:03}" for n in range(8)), "new"}
    end = _end(rest)
    assert end is not None
    assert end.token == ""


def test_a_place_that_was_deleted_begins_the_list_again(account: StripeAccount, connect: Connect) -> None:
    made = _customers(account, 8)
    first = next(connect().changes("customer", None))
    account.remove("customer", made[5])
    pages = list(connect().changes("customer", first.position))
    assert set(_ids(pages)) == {*made} - {made[5]}


def test_the_next_poll_reads_again_what_events_name(account: StripeAccount, clock: Clock, connect: Connect) -> None:
    connector = connect()
    made = _customers(account, 4)
    clock.forward(hours=1)
    position = _end(list(connector.changes("customer", None)))
    clock.forward(minutes=5)
    account.put("customer", {"id": made[0], "name": "changed"})
    account.put("customer", {"id": made[0], "name": "changed twice"})
    new = account.put("customer", {"name": "new"})
    pages = list(connector.changes("customer", position))
    assert _ids(pages) == sorted([made[0], new])
    assert _names(pages) == ["changed twice", "new"]
    assert _end(pages) == Position(clock.now)


def test_an_event_that_comes_late_is_within_the_look_back(
    account: StripeAccount, clock: Clock, connect: Connect
) -> None:
    connector = connect()
    clock.forward(hours=1)
    position = _end(list(connector.changes("customer", None)))
    account.put("customer", {"name": "late"}, late=timedelta(minutes=9, seconds=59))
    assert _names(list(connector.changes("customer", position))) == ["late"]


def test_boundaries_are_whole_seconds_and_inclusive(account: StripeAccount, clock: Clock, connect: Connect) -> None:
    connector = connect(PLAIN.replace("modified: instant(created)", "modified: instant(created)\n    look_back: 0"))
    position = _end(list(connector.changes("customer", None)))
    clock.forward(seconds=0.9)
    account.put("customer", {"name": "same second"})
    assert _names(list(connector.changes("customer", position))) == ["same second"]


def test_an_idle_feed_takes_the_position_along_a_day_behind(clock: Clock, connect: Connect) -> None:
    connector = connect()
    position = _end(list(connector.changes("customer", None)))
    clock.forward(hours=12)
    assert list(connector.changes("customer", position)) == []
    for _ in range(3):
        clock.forward(days=20)
        position = _end(list(connector.changes("customer", position)))
    assert position == Position(clock.now - timedelta(days=1))


def test_a_long_way_is_caught_up_in_windows_that_are_positions(
    account: StripeAccount, clock: Clock, connect: Connect
) -> None:
    position = _end(list(connect().changes("customer", None)))
    for n in range(4):
        account.put("customer", {"name": f"day {n}"})
        clock.forward(days=1)
    pages = list(connect().changes("customer", position))
    assert _names(pages) == [f"day {n}" for n in range(4)]
    reached = [page.position.stamp for page in pages if page.position and page.position.stamp]
    assert len(reached) == 4
    assert reached == sorted(reached)
    # Killed after any window, the rest is still there.
    for stop, page in enumerate(pages):
        if page.position:
            seen = _names(pages[:stop])
            assert set(seen) | set(_names(list(connect().changes("customer", page.position)))) == set(_names(pages))


def test_a_gap_that_the_feed_does_not_bridge_reads_everything(
    account: StripeAccount, clock: Clock, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    connector = connect()
    made = _customers(account, 4)
    position = _end(list(connector.changes("customer", None)))
    clock.forward(days=29, seconds=1)
    pages = list(connector.changes("customer", position))
    assert _ids(pages) == sorted(made)
    assert _end(pages) == Position(clock.now)
    assert "do not reach back" in caplog.text


def test_deletions_are_known_by_asking(account: StripeAccount, clock: Clock, connect: Connect) -> None:
    connector = connect()
    made = _customers(account, 3)
    account.remove("customer", made[1])
    assert list(connector.deletions("customer", NOON)) == [made[1]]
    assert list(connector.deletions("customer", None)) == []
    clock.forward(days=29, minutes=1)
    with pytest.raises(CursorLost):
        list(connector.deletions("customer", NOON))
    # A customer is answered with a stub, a product with 404.
    assert [r["id"] for page in connector.fetch("customer", [made[1], made[0]]) for r in page] == [made[0]]


def test_what_is_never_deleted_costs_no_request(server: StripeServer, connect: Connect) -> None:
    text = PLAIN.replace("  customer:", "  credit_note:")
    assert list(connect(text).deletions("credit_note", NOON)) == []
    assert not server.faults.came


def test_a_cancelled_subscription_is_not_deleted(account: StripeAccount, connect: Connect) -> None:
    connector = connect()
    position = _end(list(connector.changes("subscription", None)))
    made = account.put("subscription", {"customer": "cus_1"})
    account.end(made)
    assert list(connector.deletions("subscription", NOON)) == []
    assert [record["status"] for page in connector.changes("subscription", position) for record in page.records] == [
        "canceled"
    ]


def test_lists_within_objects_are_read_to_their_end(account: StripeAccount, connect: Connect) -> None:
    connector = connect()
    for count in (0, 1, 2, 3, 7):
        made = account.put("subscription", {"customer": "cus_1"})
        items = [account.put("subscription_item", {"subscription": made, "quantity": n}) for n in range(count)]
        pages = list(connector.changes("subscription_item", None))
        assert _ids(pages) == sorted(items)
        assert {record["_parent"]["id"] for page in pages for record in page.records} <= {made}
        assert sorted(r["id"] for page in connector.census("subscription_item") for r in page) == sorted(items)
        assert sorted(r["id"] for page in connector.fetch("subscription_item", [made]) for r in page) == sorted(items)
        account.purge("subscription", made)


def test_what_leaves_a_list_is_deleted(account: StripeAccount, clock: Clock, connect: Connect) -> None:
    invoice = account.put("invoice", {"customer": "cus_1"})
    lines = [account.put("line_item", {"invoice": invoice, "description": f"L{n}"}) for n in range(5)]
    connector = connect()
    position = _end(list(connector.changes("line_item", None)))
    clock.forward(minutes=1)
    account.remove("line_item", lines[3])
    account.put("line_item", {"id": lines[0], "description": "changed"})
    pages = list(connector.changes("line_item", position))
    assert _ids(pages) == sorted(set(lines) - {lines[3]})
    assert list(connector.deletions("line_item", NOON)) == [lines[3]]
    account.remove("invoice", invoice)
    assert sorted(connector.deletions("line_item", NOON)) == sorted(lines)


def test_a_line_is_fetched_by_its_invoice_and_an_item_by_itself(account: StripeAccount, connect: Connect) -> None:
    connector = connect()
    subscription = account.put("subscription", {"customer": "cus_1"})
    item, other = (account.put("subscription_item", {"subscription": subscription}) for _ in range(2))
    assert [r["id"] for page in connector.fetch("subscription_item", [other, "si_gone"]) for r in page] == [other]
    assert item != other
    invoice = account.put("invoice", {})
    line = account.put("line_item", {"invoice": invoice})
    assert [r["id"] for page in connector.fetch("line_item", [invoice, "in_gone"]) for r in page] == [line]
    with pytest.raises(PermanentError, match="does not tell which invoice has the line_item"):
        list(connector.fetch("line_item", [line]))


def test_tiers_are_asked_for_and_numbered(account: StripeAccount, connect: Connect) -> None:
    tiers = [{"up_to": 10, "unit_amount": 5}, {"up_to": None, "unit_amount": 3}]
    price = account.put("price", {"billing_scheme": "tiered", "tiers": tiers})
    account.put("price", {})
    connector = connect()
    mapped = parse(PLAIN).objects["tier"]
    records = [record for page in connector.changes("tier", None) for record in page.records]
    rows = mapped.book(records, "stripe", NOON).rows[0][1]
    assert [(row["key"], row["from_quantity"]) for row in rows] == [(f"{price}/1", None), (f"{price}/2", 10)]
    assert [r["_number"] for page in connector.fetch("tier", [f"{price}/2"]) for r in page] == [2]


def test_an_object_without_a_cursor_is_read_in_full(account: StripeAccount, connect: Connect) -> None:
    made = [account.put("product", {"name": f"P{n}"}) for n in range(4)]
    for since in (None, Position(NOON)):
        pages = list(connect().changes("product", since))
        assert _ids(pages) == sorted(made)
        assert {page.position for page in pages} == {since}


def test_what_goes_wrong_for_a_moment_costs_nothing(
    account: StripeAccount, server: StripeServer, connect: Connect, waits: list[float]
) -> None:
    made, connector = _customers(account, 8), connect()
    odd = Reply(200, "{}", "application/json")
    for fault in (Cut(), Short(), Reset(), too_many(), too_many(2), unavailable(), odd):
        waits.clear()
        server.faults.add(fault, path="/v1/customers", after=2)
        assert _ids(list(connector.changes("customer", None))) == sorted(made)
        assert len(waits) == 1


def test_a_page_that_comes_again_is_asked_for_again(
    account: StripeAccount, server: StripeServer, connect: Connect
) -> None:
    made = _customers(account, 8)
    server.faults.add(Again(), path="/v1/customers", after=2)
    assert _ids(list(connect().changes("customer", None))) == sorted(made)
    server.faults.add(Again(), path="/v1/customers", after=2, times=None)
    with pytest.raises(TransientError, match="did not advance"):
        list(connect().changes("customer", None))


def test_a_stopped_source_costs_its_attempts(server: StripeServer, connect: Connect) -> None:
    connector = connect()
    server.faults.add(unavailable(), times=None)
    with pytest.raises(TransientError):
        list(connector.changes("customer", None))
    assert server.faults.came.total() == 4


def test_stripe_says_whether_to_try_again(server: StripeServer, connect: Connect, waits: list[float]) -> None:
    json, no, yes = "application/json", {"stripe-should-retry": "false"}, {"stripe-should-retry": "true"}
    server.faults.add(Reply(500, '{"error": {"type": "api_error"}}', json, no))
    with pytest.raises(PermanentError, match="HTTP 500"):
        connect().source_time()
    server.faults.add(Reply(400, "{}", json, yes))
    server.faults.add(Reply(409, '{"error": {"code": "lock_timeout"}}', json))
    connect().source_time()
    assert len(waits) == 2


def test_a_key_that_is_refused_and_a_right_that_was_taken(server: StripeServer, connect: Connect) -> None:
    with pytest.raises(LoginRefused) as refused:
        connect(api_key="sk_test_wrong").source_time()
    assert "wrong" not in str(refused.value)
    connector = connect()
    assert connector.fields("customer") == ()
    server.keys.forbid("customer")
    with pytest.raises(SchemaChanged, match="read access"):
        connector.fields("customer")
    with pytest.raises(SchemaChanged):
        list(connector.changes("customer", None))
    with pytest.raises(SchemaChanged):
        list(connector.fetch("customer", ["cus_1"]))


def test_an_address_that_is_not_there_is_no_deleted_object(server: StripeServer, connect: Connect) -> None:
    wrong = connect(base_url=f"{server.url}/elsewhere")
    with pytest.raises(SchemaChanged, match="Check the base URL"):
        list(wrong.fetch("customer", ["cus_1"]))


def test_neither_clock_takes_the_position_past_an_event(
    account: StripeAccount, server: StripeServer, clock: Clock, connect: Connect
) -> None:
    server.faults.skew = timedelta(hours=3)
    position = _end(list(connect().changes("customer", None)))
    assert position == Position(NOON)
    clock.forward(minutes=30)
    account.put("customer", {"name": "new"})
    assert _names(list(connect().changes("customer", position))) == ["new"]


def test_the_shape_of_an_event_does_not_matter(clock: Clock, retries: RetryPolicy) -> None:
    account = StripeAccount(clock, version="2020-08-27")
    with StripeServer(account, api_key=KEY) as server:
        config = StripeConfig(KEY, server.url, requests_per_s=10_000, retries=retries)
        with closing(Stripe(config, parse(PLAIN), clock)) as connector:
            position = _end(list(connector.changes("subscription_item", None)))
            made = account.put("subscription", {"customer": "cus_1"})
            account.put("subscription_item", {"subscription": made, "current_period_end": 7})
            (page, *_) = connector.changes("subscription_item", position)
    event = account.all("event")[0]
    assert event["data"]["object"]["current_period_end"] == 7
    assert [(r["current_period_end"], r["_parent"].get("current_period_end")) for r in page.records] == [(7, None)]


def test_requests_go_out_evenly() -> None:
    now, waited = [0.0], []

    def sleep(seconds: float) -> None:
        waited.append(round(seconds, 6))

    pace = Pace(4, lambda: now[0], sleep)
    for _ in range(3):
        pace.wait()
    assert waited == [0.25, 0.5]
    now[0] = 10.0
    pace.wait()
    assert len(waited) == 2


def test_no_more_requests_than_the_limit(account: StripeAccount, clock: Clock, retries: RetryPolicy) -> None:
    _customers(account, 55)
    with StripeServer(account, api_key=KEY, per_s=50) as server:
        config = StripeConfig(KEY, server.url, page_size=1, requests_per_s=45, retries=retries)
        assert KEY not in repr(config)
        with closing(Stripe(config, parse(PLAIN), clock)) as connector:
            assert len(_ids(list(connector.changes("customer", None)))) == 55
        assert server.over_limit == 0


def test_what_stripe_does_not_tell(connect: Connect) -> None:
    connector = connect()
    assert connector.count("customer") is None
    assert connector.limits() == ()
    assert connector.source_time() == NOON


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (PLAIN.replace("  product:", "  prodct:"), "no object 'prodct'"),
        (PLAIN.replace("instant(created)", "moment(created)"), "computed by none of"),
        (PLAIN.replace("    key: id\n    targets", "    key: id\n    expand: tiers\n    targets"), "must be a list"),
    ],
)
def test_a_mapping_that_cannot_be_read(connect: Connect, text: str, wrong: str) -> None:
    with pytest.raises(MappingError, match=wrong):
        connect(text)


def test_settings_with_which_nothing_would_end() -> None:
    wrong: dict[str, Any] = {"requests_per_s": 0, "page_size": 0, "window_hours": -1, "margin_hours": 720}
    for name, value in wrong.items():
        with pytest.raises(PermanentError, match="must"):
            StripeConfig(KEY, **{name: value})


def test_a_time_zone_that_is_not_there(connect: Connect) -> None:
    with pytest.raises(PermanentError, match="time zone 'Europe/Atlantis'"):
        connect(timezone="Europe/Atlantis")


def test_the_shipped_mapping_reads_an_empty_account(server: StripeServer, clock: Clock, retries: RetryPolicy) -> None:
    mapping = shipped("stripe")
    config = StripeConfig(KEY, server.url, requests_per_s=10_000, retries=retries)
    with closing(Stripe(config, mapping, clock)) as connector:
        for name in mapping.walked:
            pages = list(connector.changes(name, None))
            assert _ids(pages) == []
            assert list(connector.deletions(name, NOON)) == []
            assert list(connector.census(name)) == []
            assert list(connector.changes(name, _end(pages))) in ([], [Page((), Position(NOON))])
