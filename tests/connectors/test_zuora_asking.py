"""Zuora asked for single records, fields, counts and limits; and the limits of a tenant, which are kept."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Limit, Position, Record, SourceField
from connectors.errors import CursorLost, PermanentError, SchemaChanged, TransientError
from connectors.mapping_file import parse, shipped
from connectors.retries import RetryPolicy
from connectors.zuora.allowance import Allowance
from connectors.zuora.connector import Zuora, ZuoraConfig
from connectors.zuora.describing import XML, described
from sandbox.company.render_zuora import FIELDS
from sandbox.faults import Again, Cut
from sandbox.zuora import STANDARD_OBJECTS, ZuoraServer, ZuoraTenant
from tests.connectors.conftest import NOON, Clock

TEXT = """
connector: zuora
objects:
  Account:
    key: Id
    modified: UpdatedDate
    targets:
      - {entity: accounts, account: Id, columns: {name: Name, number: AccountNumber}}
  RatePlanCharge:
    key: Id
    modified: UpdatedDate
    look_ups:
      - {object: RatePlanChargeTier, as: FirstTier, by: Id, match: RatePlanChargeId, first_by: Tier}
    targets:
      - entity: billing_schedules
        columns: {unit_price: FirstTier.Price, quantity: Quantity}
"""
FILTERED = TEXT.replace("    key: Id\n", "    key: Id\n    filter: Status = 'Active' and Batch != 'Batch9'\n", 1)
BASE = "https://rest.zuora.test"
Open = Callable[..., Zuora]


@pytest.fixture
def tenant(clock: Clock) -> ZuoraTenant:
    return ZuoraTenant(clock)


@pytest.fixture
def server(tenant: ZuoraTenant) -> Iterator[ZuoraServer]:
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", page_size=50) as running:
        yield running


@pytest.fixture
def connect(clock: Clock, retries: RetryPolicy) -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(url: str, text: str = TEXT, **more: Any) -> Zuora:
            config = ZuoraConfig(url, "tieout", "a-secret", **{"retries": retries, **more})
            return stack.enter_context(closing(Zuora(config, parse(text), clock)))

        yield opened


@pytest.fixture
def waiting(clock: Clock, waits: list[float]) -> RetryPolicy:
    """Waits by moving the clock."""

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.forward(seconds=seconds)

    return RetryPolicy(sleep=sleep)


def _accounts(tenant: ZuoraTenant, count: int, **more: Any) -> list[str]:
    return [tenant.put("Account", {"Name": f"A{n:03}", **more}) for n in range(count)]


def _fetched(connector: Zuora, name: str, keys: list[str]) -> list[Record]:
    return [record for records in connector.fetch(name, keys) for record in records]


def test_records_are_fetched_by_key_200_to_a_query(server: ZuoraServer, tenant: ZuoraTenant, connect: Open) -> None:
    ids = _accounts(tenant, 450)
    records = _fetched(connect(server.url), "Account", [*ids[:401], "gone"])
    assert sorted(record["Id"] for record in records) == sorted(ids[:401])
    assert server.requests["POST /v1/action/query"] == 3


def test_what_is_fetched_is_what_a_walk_gives(server: ZuoraServer, tenant: ZuoraTenant, connect: Open) -> None:
    charge = tenant.put("RatePlanCharge", {"Quantity": Decimal("2.5")})
    for tier, price in ((2, "8"), (1, "9.99")):
        tenant.put("RatePlanChargeTier", {"RatePlanChargeId": charge, "Tier": tier, "Price": Decimal(price)})
    connector = connect(server.url)
    walked = [record for page in connector.changes("RatePlanCharge", None) for record in page.records]
    assert _fetched(connector, "RatePlanCharge", [charge]) == walked
    assert _fetched(connector, "RatePlanCharge", []) == []


def test_the_filter_stands_beside_every_key(server: ZuoraServer, tenant: ZuoraTenant, connect: Open) -> None:
    active = _accounts(tenant, 150, Status="Active", Batch="Batch1")
    others = [*_accounts(tenant, 3, Status="Draft"), *_accounts(tenant, 3, Status="Active", Batch="Batch9")]
    records = _fetched(connect(server.url, FILTERED), "Account", [*active, *others])
    assert sorted(record["Id"] for record in records) == sorted(active)
    # Three conditions for each key: 66 keys to a query.
    assert server.requests["POST /v1/action/query"] == 3


def test_a_bill_run_is_fetched_by_number_or_id(server: ZuoraServer, tenant: ZuoraTenant, clock: Clock) -> None:
    day = date(2026, 11, 30)
    identity = tenant.add_bill_run("BR-1", day, day, [])
    with closing(Zuora(ZuoraConfig(server.url, "tieout", "a-secret"), shipped("zuora"), clock)) as connector:
        found = _fetched(connector, "bill-run", ["BR-1", identity, "BR-9", "no/../run"])
        assert connector.count("bill-run") is None
        assert connector.fields("bill-run") == []
    assert [run["billRunNumber"] for run in found] == ["BR-1", "BR-1"]


def test_only_a_key_of_one_field_can_be_asked_for(server: ZuoraServer, connect: Open) -> None:
    connector = connect(server.url, TEXT.replace("key: Id", "key: [Id, Name]", 1))
    with pytest.raises(PermanentError, match="not keyed by one field"):
        _fetched(connector, "Account", ["a"])


def test_fields_are_the_objects_own_and_those_looked_up(
    server: ZuoraServer, tenant: ZuoraTenant, connect: Open
) -> None:
    tenant.set_options("RatePlanCharge", "ChargeType", ["OneTime", "Recurring", "Usage"])
    tenant.hide("RatePlanCharge", "MRR")
    fields = {field.name: field for field in connect(server.url).fields("RatePlanCharge")}
    assert fields["ChargeType"] == SourceField("ChargeType", "picklist", True, ("OneTime", "Recurring", "Usage"))
    assert fields["Id"] == SourceField("Id", "text", nullable=False)
    assert fields["FirstTier.Price"].type == "decimal"
    assert "MRR" not in fields
    tenant.hide("RatePlanCharge")
    with pytest.raises(SchemaChanged, match="shows no object RatePlanCharge"):
        connect(server.url).fields("RatePlanCharge")
    tenant.reveal()
    assert len(connect(server.url).fields("RatePlanCharge")) == len(fields) + 1


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE object [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><object><fields/></object>",
        b"<!DOCTYPE object SYSTEM 'file:///etc/hostname'><object/>",
        b"<object><fields>",
        b"not XML",
    ],
)
def test_a_description_is_not_trusted(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        XML.read(document)


@pytest.mark.parametrize("namespace", [b"", b" xmlns='http://api.zuora.com/'"])
def test_a_field_that_no_query_may_name_is_left_out(namespace: bytes) -> None:
    said = (
        b"<object"
        + namespace
        + b"""><fields>
      <field><name>Body</name><selectable>false</selectable><type>text</type></field>
      <field><name>TaxMode</name><type>picklist</type><options><option>TaxExclusive</option></options></field>
    </fields></object>"""
    )
    assert list(described(XML.read(said))) == [SourceField("TaxMode", "picklist", True, ("TaxExclusive",))]


def test_a_cut_off_description_is_asked_for_again(server: ZuoraServer, connect: Open, waits: list[float]) -> None:
    server.faults.add(Cut(), path="/v1/describe")
    assert len(connect(server.url).fields("Account")) == len(STANDARD_OBJECTS["Account"]) + 3
    assert len(waits) == 1


def test_records_are_counted_without_reading_them(server: ZuoraServer, tenant: ZuoraTenant, connect: Open) -> None:
    assert connect(server.url).count("Account") == 0
    _accounts(tenant, 120, Status="Active", Batch="Batch1")
    _accounts(tenant, 3, Status="Draft")
    assert connect(server.url).count("Account") == 123
    assert connect(server.url, FILTERED).count("Account") == 120
    assert server.requests.total() == 3 + 3  # a token and a query each


@respx.mock(base_url=BASE)
def test_a_size_that_is_only_a_pages_is_no_count(respx_mock: respx.MockRouter, connect: Open) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    page = {"records": [{"Id": "1"}], "size": 1, "done": False, "queryLocator": "l-1"}
    respx_mock.post("/v1/action/query").respond(200, json=page)
    assert connect(BASE).count("Account") is None


def test_limits_are_those_of_the_last_answer(tenant: ZuoraTenant, connect: Open) -> None:
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", per_minute=100, at_once=7) as server:
        connector = connect(server.url)
        connector.count("Account")
        assert connector.limits() == [Limit("requests a minute", 2, 100), Limit("requests at once", 1, 7)]


@pytest.mark.parametrize("share", ["0.1", "0.5", "1"])
def test_the_share_of_a_minute_is_never_exceeded(
    tenant: ZuoraTenant, connect: Open, clock: Clock, waiting: RetryPolicy, share: str
) -> None:
    _accounts(tenant, 100)
    sent: list[datetime] = []
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", page_size=4, per_minute=10) as server:
        walk = connect(server.url, retries=waiting, rate_share=Decimal(share)).changes("Account", None)
        for _ in walk:
            sent.append(clock())
            clock.forward(seconds=1)
        assert server.over_limit == 0
    assert len(sent) == 25
    most = max(1, int(10 * Decimal(share)))
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in zip(sent, sent[most:], strict=False))


def test_a_token_that_ends_on_the_last_request_of_a_minute_refuses_nothing(
    tenant: ZuoraTenant, connect: Open, waiting: RetryPolicy
) -> None:
    _accounts(tenant, 12)
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", page_size=4, per_minute=2) as server:
        walk = connect(server.url, retries=waiting, rate_share=Decimal(1)).changes("Account", None)
        next(walk)
        server.revoke_tokens()
        assert sum(len(page.records) for page in walk) == 8
        assert server.over_limit == 0


def test_a_quota_that_is_used_up_for_the_day_is_left_alone(connect: Open, waits: list[float]) -> None:
    with respx.mock(base_url=BASE) as router:
        router.post("/oauth/token").respond(200, json={"access_token": "t"})
        used_up = {
            "ratelimit-limit": "50000, 2500;w=60, 50000;w=86400",
            "ratelimit-remaining": "9000",
            "ratelimit-reset": "40000",
        }
        query = router.post("/v1/action/query")
        query.respond(200, json={"records": [], "done": True}, headers=used_up)
        connector = connect(BASE)
        assert list(connector.changes("Account", None)) == []
        with pytest.raises(TransientError, match="requests a day") as caught:
            list(connector.changes("Account", None))
        assert query.call_count == 1
    assert waits == []
    assert caught.value.retry_after == 40_000


def test_a_full_house_is_given_a_second(clock: Clock) -> None:
    allowance = Allowance("zuora", Decimal(1), clock)
    allowance.after("/v1/x", {"concurrency-limit-limit": "40", "concurrency-limit-remaining": "0"})
    with pytest.raises(TransientError) as caught:
        allowance.before("/v1/x")
    assert caught.value.retry_after == 1
    allowance.before("/v1/x")


@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "ratelimit-limit",
                "ratelimit-remaining",
                "ratelimit-reset",
                "concurrency-limit-limit",
                "concurrency-limit-remaining",
            ]
        ),
        st.one_of(st.text(max_size=30), st.integers(-5, 10**14).map(str)),
    )
)
def test_no_header_can_break_the_allowance(headers: dict[str, str]) -> None:
    allowance = Allowance("zuora", Decimal("0.5"), lambda: NOON)
    allowance.after("/v1/x", headers)
    for limit in allowance.limits():
        assert 0 <= limit.used <= limit.most


@pytest.mark.parametrize("share", ["0", "-1", "1.1"])
def test_a_share_is_a_share(share: str) -> None:
    with pytest.raises(PermanentError, match="rate_share"):
        ZuoraConfig(BASE, "tieout", "a-secret", rate_share=Decimal(share))


def test_the_answer_to_another_request_is_not_taken(
    server: ZuoraServer, tenant: ZuoraTenant, connect: Open, waits: list[float]
) -> None:
    ids = _accounts(tenant, 170)
    server.faults.add(Again(), path="/queryMore", after=1)
    connector = connect(server.url)
    pages = list(connector.changes("Account", None))
    assert sorted(record["Id"] for page in pages for record in page.records) == sorted(ids)
    assert len(waits) == 1
    server.faults.add(Again(), path="/action/query")
    assert [record["Id"] for record in _fetched(connector, "Account", ids[:1])] == ids[:1]
    assert len(waits) == 2


@respx.mock(base_url=BASE)
def test_a_locator_that_leads_nowhere_new_is_noticed(respx_mock: respx.MockRouter, connect: Open) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    page = {"records": [], "done": False, "size": 9, "queryLocator": "l-1"}
    respx_mock.post(path__startswith="/v1/action/query").respond(200, json=page)
    with pytest.raises(CursorLost, match="did not advance"):
        list(connect(BASE).changes("Account", None))


@respx.mock(base_url=BASE)
def test_fewer_records_than_promised_are_not_all(respx_mock: respx.MockRouter, connect: Open) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    record = {"Id": "1", "Name": "A", "UpdatedDate": "2026-12-01T04:00:00.000-08:00"}
    page = {"records": [record], "done": True, "size": 2}
    respx_mock.post("/v1/action/query").respond(200, json=page)
    with pytest.raises(CursorLost, match="1 of 2 records"):
        list(connect(BASE).changes("Account", None))


@respx.mock(base_url=BASE)
def test_a_stamp_without_an_offset_is_no_stamp(respx_mock: respx.MockRouter, connect: Open) -> None:
    respx_mock.post("/oauth/token").respond(200, json={"access_token": "t"})
    page = {"records": [{"Id": "1", "UpdatedDate": "2026-12-01T04:00:00.000"}], "done": True, "size": 1}
    respx_mock.post("/v1/action/query").respond(200, json=page)
    with pytest.raises(SchemaChanged, match="no UpdatedDate with an offset"):
        list(connect(BASE).changes("Account", None))


def test_an_error_inside_a_200_and_a_forgotten_locator_are_outlived(
    server: ZuoraServer, tenant: ZuoraTenant, connect: Open
) -> None:
    ids = _accounts(tenant, 120)
    walk = connect(server.url).changes("Account", None)
    seen = {record["Id"] for record in next(walk).records}
    server.fail_next(times=2)
    server.forget_locators()
    seen.update(record["Id"] for page in walk for record in page.records)
    assert seen == set(ids)


def test_a_lost_permission_is_never_an_empty_answer(server: ZuoraServer, tenant: ZuoraTenant, connect: Open) -> None:
    _accounts(tenant, 3)
    tenant.hide("Account")
    for ask in (lambda c: list(c.changes("Account", None)), lambda c: list(c.census("Account")), _count, _fetch):
        with pytest.raises(SchemaChanged):
            ask(connect(server.url))
    tenant.reveal()
    tenant.rename_field("Account", "AccountNumber", "Number__c")
    with pytest.raises(SchemaChanged, match="AccountNumber"):
        list(connect(server.url).changes("Account", None))
    assert connect(server.url).count("Account") == 3


def _count(connector: Zuora) -> int | None:
    return connector.count("Account")


def _fetch(connector: Zuora) -> list[Record]:
    return _fetched(connector, "Account", ["x"])


HOURS = st.integers(0, 48 * 3600 * 1000).map(lambda ms: datetime(2026, 10, 31, tzinfo=UTC) + timedelta(milliseconds=ms))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stamps=st.lists(HOURS, min_size=1, max_size=8))
def test_stamps_are_read_in_utc_over_the_end_of_summer_time(stamps: list[datetime], retries: RetryPolicy) -> None:
    """Between one and two at night every local time stands for two instants; the offset tells which."""
    end = datetime(2026, 11, 3, tzinfo=UTC)
    tenant = ZuoraTenant(lambda: end, ZoneInfo("America/Los_Angeles"))
    for stamp in stamps:
        tenant.put("Account", {"UpdatedDate": stamp})
    kept = max(stamps)
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", page_size=3) as server:
        config = ZuoraConfig(server.url, "tieout", "a-secret", retries=retries)
        with closing(
            Zuora(config, parse(TEXT.replace("UpdatedDate\n", "UpdatedDate\n    look_back: 0\n", 1)), lambda: end)
        ) as zuora:
            pages = list(zuora.changes("Account", None))
            assert pages[-1].position == Position(kept)
            again = [record for page in zuora.changes("Account", pages[-1].position) for record in page.records]
    assert {datetime.fromisoformat(record["UpdatedDate"]) for record in again} == {kept}


def _shipped_rows(url: str, clock: Clock, name: str) -> dict[str, list[dict[str, Any]]]:
    mapping = shipped("zuora")
    with closing(Zuora(ZuoraConfig(url, "tieout", "a-secret"), mapping, clock)) as zuora:
        records = [record for page in zuora.changes(name, None) for record in page.records]
    booked = mapping.objects[name].book(records, "zuora", NOON)
    assert not booked.rejects
    found: dict[str, list[dict[str, Any]]] = {}
    for target, rows in booked.rows:
        found.setdefault(target.entity.name, []).extend(rows)
    return found


def test_usage_names_its_charge_whatever_version_it_was_loaded_for(
    server: ZuoraServer, tenant: ZuoraTenant, clock: Clock
) -> None:
    second = tenant.put("RatePlanCharge", {"OriginalId": "first", "Segment": 2})
    tenant.put(
        "Usage",
        {
            "AccountId": "a1",
            "ChargeId": second,
            "SubscriptionNumber": "A-S1",
            "UOM": "GB",
            "Quantity": Decimal("1.5"),
            "StartDateTime": datetime(2026, 7, 1, 6, 59, tzinfo=UTC),
        },
    )
    (row,) = _shipped_rows(server.url, clock, "Usage")["usage_events"]
    assert (row["subscription_line_key"], row["subscription_number"]) == ("first", "A-S1")
    assert row["happened_at"] == datetime(2026, 7, 1, 6, 59, tzinfo=UTC)
    assert (row["quantity"], row["meter"], row["account_id"]) == (Decimal("1.5"), "GB", "a1")


def test_versions_of_a_subscription_share_its_number(server: ZuoraServer, tenant: ZuoraTenant, clock: Clock) -> None:
    tenant.define("Subscription", FIELDS["Subscription"])
    for version in (1, 2):
        status = "Expired" if version == 1 else "Active"
        tenant.put("Subscription", {"Name": "A-S1", "Version": version, "Status": status, "AccountId": "a1"})
    rows = _shipped_rows(server.url, clock, "Subscription")["subscriptions"]
    assert sorted((row["number"], row["version"], row["status"]) for row in rows) == [
        ("A-S1", 1, "expired"),
        ("A-S1", 2, "active"),
    ]
    assert len({row["key"] for row in rows}) == 2
