from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from sandbox.salesforce import SalesforceOrg, make_id
from sandbox.salesforce.deletions import DeleteLog
from sandbox.salesforce.errors import IdLimitExceeded, InvalidReplicationDate

NOON = datetime(2026, 5, 7, 12, 0, 30, 250_000, tzinfo=UTC)
FIELDS = {
    "Name": "string",
    "Status__c": "picklist",
    "Active__c": "boolean",
    "Seats__c": "int",
    "Amount__c": "currency",
    "Start__c": "date",
    "Seen__c": "datetime",
    "Parent__c": "reference(Account)",
}


@pytest.fixture
def now() -> list[datetime]:
    return [NOON]


@pytest.fixture
def org(now: list[datetime]) -> SalesforceOrg:
    org = SalesforceOrg(lambda: now[0])
    org.define("Account", FIELDS)
    return org


def test_an_insert_fills_what_was_not_given(org: SalesforceOrg) -> None:
    key = org.put("account", {"Name": "Acme", "Amount__c": Decimal("20000.00"), "Seats__c": 5})
    second = NOON.replace(microsecond=0)
    assert org.rows("Account") == [
        {
            "Id": key,
            "IsDeleted": False,
            "CreatedDate": second,
            "LastModifiedDate": second,
            "SystemModstamp": second,
            "Name": "Acme",
            "Status__c": None,
            "Active__c": False,
            "Seats__c": 5,
            "Amount__c": Decimal("20000.00"),
            "Start__c": None,
            "Seen__c": None,
            "Parent__c": None,
        }
    ]
    assert key == make_id("001", 1)


def test_an_update_keeps_the_other_fields_and_moves_the_stamp(org: SalesforceOrg, now: list[datetime]) -> None:
    key = org.put("Account", {"Name": "Acme", "Seats__c": 5})
    now[0] += timedelta(hours=1)
    assert org.put("Account", {"Id": key[:15], "Seats__c": 6}) == key
    [row] = org.rows("Account")
    assert (row["Name"], row["Seats__c"]) == ("Acme", 6)
    assert row["CreatedDate"] == NOON.replace(microsecond=0)
    assert row["SystemModstamp"] == row["LastModifiedDate"] == now[0].replace(microsecond=0)


def test_given_stamps_are_kept_in_utc(org: SalesforceOrg) -> None:
    old = datetime(2020, 1, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    org.put("Account", {"SystemModstamp": old, "LastModifiedDate": old, "CreatedDate": old})
    [row] = org.rows("Account")
    assert {str(row[name]) for name in ("SystemModstamp", "LastModifiedDate", "CreatedDate")} == {
        "2020-01-01 07:00:00+00:00"
    }


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"Nmae": "x"}, "Nmae"),
        ({"Name": 5}, "Name"),
        ({"Amount__c": 5.0}, "Amount__c"),
        ({"Amount__c": Decimal("NaN")}, "Amount__c"),
        ({"Seats__c": True}, "Seats__c"),
        ({"Seats__c": Decimal(1)}, "Seats__c"),
        ({"Active__c": 1}, "Active__c"),
        ({"Start__c": NOON}, "Start__c"),
        ({"Seen__c": date(2026, 1, 1)}, "Seen__c"),
        ({"Seen__c": NOON.replace(tzinfo=None)}, "Seen__c"),
        ({"Parent__c": "not an id"}, "Parent__c"),
        ({"Id": "001"}, "Id"),
        ({"SystemModstamp": None}, "SystemModstamp"),
        ({"IsDeleted": True}, "IsDeleted"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(org: SalesforceOrg, row: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        org.put("Account", row)
    assert org.rows("Account") == []


def test_unknown_objects_types_and_records_are_refused(org: SalesforceOrg) -> None:
    with pytest.raises(ValueError, match="Accounts"):
        org.put("Accounts", {})
    with pytest.raises(ValueError, match="money"):
        org.define("Order", {"Amount": "money"})
    with pytest.raises(ValueError, match="isdeleted"):
        org.define("Order", {"IsDeleted": "boolean"})
    with pytest.raises(ValueError, match="no record"):
        org.remove("Account", make_id("001", 9))


def test_empty_text_is_null(org: SalesforceOrg) -> None:
    org.put("Account", {"Name": ""})
    assert org.rows("Account")[0]["Name"] is None


def test_a_removed_record_is_marked_and_comes_back_when_restored(org: SalesforceOrg, now: list[datetime]) -> None:
    key = org.put("Account", {"Name": "Acme"})
    now[0] += timedelta(minutes=5)
    org.remove("Account", key)
    [row] = org.rows("Account")
    assert row["IsDeleted"] is True
    assert row["SystemModstamp"] == now[0].replace(microsecond=0)
    with pytest.raises(ValueError, match="restore"):
        org.put("Account", {"Id": key, "Name": "Other"})
    org.restore("Account", key)
    assert org.rows("Account")[0]["IsDeleted"] is False
    assert org.deleted("Account", now[0] - timedelta(hours=1), now[0] + timedelta(hours=1)).records == []


def test_a_purged_record_leaves_nothing_but_the_date(org: SalesforceOrg, now: list[datetime]) -> None:
    key = org.put("Account", {"Name": "Acme"})
    org.purge("Account", key)
    found = org.deleted("Account", now[0] - timedelta(hours=1), now[0] + timedelta(hours=1))
    assert org.rows("Account") == []
    assert found.records == []
    assert found.earliest_available == now[0].replace(microsecond=0)


def test_new_fields_keep_the_old_values(org: SalesforceOrg) -> None:
    org.put("Account", {"Name": "Acme", "Seats__c": 5, "Amount__c": Decimal(7)})
    org.define("Account", {"Name": "string", "Seats__c": "string", "Paid__c": "boolean"})
    [row] = org.rows("Account")
    assert row["Name"] == "Acme"
    assert row["Seats__c"] is None
    assert row["Paid__c"] is False
    assert "Amount__c" not in row
    assert org.names() == ["Account"]


def test_custom_objects_get_prefixes_of_their_own(org: SalesforceOrg) -> None:
    org.define("One__c", {})
    org.define("Two__c", {})
    assert org.put("One__c", {})[:3] == "a00"
    assert org.put("Two__c", {})[:3] == "a01"


def test_a_view_does_not_move(org: SalesforceOrg) -> None:
    key = org.put("Account", {"Name": "before"})
    table = org.view().table("Account")
    assert table is not None
    org.put("Account", {"Id": key, "Name": "after"})
    org.put("Account", {"Name": "another"})
    assert [row[5] for row in table.by_stamp] == ["before"]


MINUTE = timedelta(minutes=1)
START = datetime(2026, 5, 7, 12, tzinfo=UTC)


def test_deletions_of_a_window_are_half_open_in_whole_minutes() -> None:
    log = DeleteLog()
    for n in range(4):
        log.add(make_id("001", n), START + n * MINUTE)
    found = log.between(
        START + MINUTE + timedelta(seconds=40), START + 3 * MINUTE + timedelta(seconds=59), START + 9 * MINUTE
    )
    assert [key for key, _ in found.records] == [make_id("001", 1), make_id("001", 2)]
    assert found.latest_covered == START + 3 * MINUTE


def test_a_chain_of_windows_meets_every_deletion_once() -> None:
    log = DeleteLog()
    for n in range(30):
        log.add(make_id("001", n), START + timedelta(seconds=37 * n))
    seen, start = [], START
    for now in (START + timedelta(seconds=130 * step) for step in range(1, 12)):
        if now - start < 3 * MINUTE:
            continue
        found = log.between(start, now, now)
        seen += [key for key, _ in found.records]
        start = found.latest_covered
    assert seen == [make_id("001", n) for n in range(30)]


def test_what_lies_ahead_is_not_covered() -> None:
    found = DeleteLog().between(START, START + timedelta(days=1), START + 5 * MINUTE)
    assert found.latest_covered == START + 5 * MINUTE


def test_deletions_older_than_fifteen_days_are_not_told() -> None:
    log = DeleteLog()
    log.add(make_id("001", 1), START)
    now = START + timedelta(days=15, minutes=1)
    found = log.between(START, now, now)
    assert found.records == []
    assert found.earliest_available == START + MINUTE


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-61), MINUTE, timedelta(seconds=89)])
def test_a_window_is_longer_than_a_minute(length: timedelta) -> None:
    with pytest.raises(InvalidReplicationDate):
        DeleteLog().between(START, START + length, START)


def test_too_many_ids_are_refused() -> None:
    log = DeleteLog()
    for n in range(3):
        log.add(make_id("001", n), START)
    assert len(log.between(START, START + 2 * MINUTE, START, id_limit=3).records) == 3
    with pytest.raises(IdLimitExceeded):
        log.between(START, START + 2 * MINUTE, START, id_limit=2)
