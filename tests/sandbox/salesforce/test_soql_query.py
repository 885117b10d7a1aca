import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.salesforce import SalesforceOrg, make_id
from sandbox.salesforce.errors import (
    InvalidField,
    InvalidFilter,
    InvalidType,
    MalformedQuery,
    OffsetTooLarge,
    SoqlError,
)
from sandbox.salesforce.soql_query import answer

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
ACME, BOLT = make_id("001", 1), make_id("001", 2)
FIELDS = {
    "Name": "string",
    "StageName": "picklist",
    "IsWon": "boolean",
    "Amount": "currency",
    "Seats__c": "int",
    "CloseDate": "date",
    "AccountId": "reference",
    "Seen__c": "datetime",
}


def the_org() -> SalesforceOrg:
    org = SalesforceOrg(lambda: NOW)
    org.define("User", {"Name": "string"})
    org.define("Account", {"Name": "string", "OwnerId": "reference"})
    org.define("Opportunity", FIELDS)
    owner = org.put("User", {"Name": "Ola"})
    org.put("Account", {"Id": ACME, "Name": "Acme", "OwnerId": owner})
    org.put("Account", {"Id": BOLT, "Name": "bolt"})
    first = {"Name": "alpha", "StageName": "Won", "IsWon": True, "Amount": Decimal("100.10"), "AccountId": ACME}
    org.put("Opportunity", first | {"Seats__c": 1, "CloseDate": date(2026, 11, 20), "Seen__c": NOW})
    org.put("Opportunity", {"Name": "Beta", "Amount": Decimal(-5), "CloseDate": date(2026, 11, 19), "AccountId": BOLT})
    org.put("Opportunity", {"Name": "100%", "Amount": Decimal("20.0000"), "CloseDate": date(2025, 1, 1)})
    org.put("Opportunity", {"StageName": "Lost", "Seen__c": NOW - timedelta(days=1)})
    return org


def records(org: SalesforceOrg, soql: str, with_deleted: bool = False) -> list[Any]:
    result = answer(soql, org.view(), NOW, with_deleted)
    write = result.writer("68.0")
    return [json.loads(write(row), parse_float=Decimal) for row in result.rows]


def names(where: str) -> set[str | None]:
    return {row["Name"] for row in records(the_org(), f"SELECT Name FROM Opportunity WHERE {where}")}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Name = 'ALPHA'", {"alpha"}),
        ("Name != 'alpha'", {"Beta", "100%", None}),
        ("Name = ''", {None}),
        ("Name > 'ALPHA'", {"Beta"}),
        ("Name < null", set()),
        ("NOT Name = 'alpha'", {"Beta", "100%", None}),
        ("Name IN ('alpha', 'beta')", {"alpha", "Beta"}),
        ("Name NOT IN ('alpha', null)", {"Beta", "100%"}),
        ("Name LIKE '%A%'", {"alpha", "Beta"}),
        ("NOT Name LIKE '%a%'", {"100%", None}),
        ("Name LIKE '%\\%'", {"100%"}),
        ("StageName = null", {"Beta", "100%"}),
        ("IsWon = true", {"alpha"}),
        ("IsWon != null", {"alpha"}),
        ("IsWon = null", {"Beta", "100%", None}),
        ("Amount = 20", {"100%"}),
        ("Amount > -5.00", {"alpha", "100%"}),
        ("Amount <= 100.10", {"alpha", "Beta", "100%"}),
        ("Seats__c >= 1", {"alpha"}),
        ("CloseDate = 2026-11-20", {"alpha"}),
        ("CloseDate = TODAY", {"alpha"}),
        ("CloseDate < TODAY", {"Beta", "100%"}),
        ("CloseDate >= LAST_N_DAYS:1", {"alpha", "Beta"}),
        ("CloseDate != THIS_YEAR", {"100%", None}),
        ("CloseDate > LAST_YEAR", {"alpha", "Beta"}),
        ("CloseDate <= LAST_YEAR", {"100%"}),
        ("CloseDate IN (YESTERDAY, 2025-01-01)", {"Beta", "100%"}),
        ("Seen__c = 2026-11-20T16:30:00+01:00", {"alpha"}),
        ("Seen__c = TODAY", {"alpha"}),
        ("Seen__c < TODAY", {None}),
        (f"AccountId = '{ACME[:15]}'", {"alpha"}),
        (f"AccountId NOT IN ('{ACME}', '{BOLT}')", {"100%", None}),
        ("Id > ''", {"alpha", "Beta", "100%", None}),
        ("Account.Name = 'acme'", {"alpha"}),
        ("Account.Name = null", {"100%", None}),
        ("Account.Owner.Name = 'Ola'", {"alpha"}),
        ("Opportunity.Name = 'beta'", {"Beta"}),
        ("(Amount < 0 OR Amount > 100) AND CloseDate = 2026-11-19", {"Beta"}),
        (
            "SystemModstamp >= 2026-11-20T15:30:00Z AND SystemModstamp <= 2026-11-20T15:30:00Z",
            {"alpha", "Beta", "100%", None},
        ),
        ("SystemModstamp > 2026-11-20T15:30:00Z", set()),
        ("SystemModstamp = TODAY", {"alpha", "Beta", "100%", None}),
        ("SystemModstamp > YESTERDAY AND NOT SystemModstamp > TODAY", {"alpha", "Beta", "100%", None}),
        ("SystemModstamp < TODAY OR Name = 'beta'", {"Beta"}),
    ],
)
def test_conditions(where: str, expected: set[str | None]) -> None:
    assert names(where) == expected


@pytest.mark.parametrize(
    ("soql", "error", "sentence"),
    [
        (
            "SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'",
            InvalidField,
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-01-01T00:00:00Z", InvalidField, "must be of type date "),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", InvalidField, "must be of type dateTime "),
        ("SELECT Id FROM Opportunity WHERE Amount = '5'", InvalidField, "must be of type currency and should not"),
        ("SELECT Id FROM Account WHERE Name = 5", InvalidField, "must be of type string and should be enclosed"),
        ("SELECT Id FROM Account WHERE Name = TODAY", InvalidField, "must be of type string"),
        ("SELECT Id FROM Opportunity WHERE IsWon = 1", InvalidField, "must be of type boolean"),
        ("SELECT Id FROM Opportunity WHERE IsWon > true", InvalidFilter, "boolean"),
        ("SELECT Id FROM Opportunity WHERE Amount LIKE '5%'", InvalidField, "LIKE"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", InvalidFilter, "invalid ID field: abc"),
        ("SELECT Id, Foo FROM Account", InvalidField, "No such column 'Foo' on entity 'Account'. If you are"),
        ("SELECT Id FROM Account ORDER BY Foo", InvalidField, "No such column 'Foo' on entity 'Account'"),
        ("SELECT Account.Foo FROM Opportunity", InvalidField, "No such column 'Foo' on entity 'Account'"),
        ("SELECT Acount.Name FROM Opportunity", InvalidField, "Didn't understand relationship 'Acount'"),
        ("SELECT Id FROM Acount", InvalidType, "sObject type 'Acount' is not supported. If you are"),
        ("SELECT Id, id FROM Account", MalformedQuery, "duplicate field selected: id"),
        ("SELECT Name, COUNT(Id) FROM Account", MalformedQuery, "Field must be grouped or aggregated: Name"),
        ("SELECT COUNT(), COUNT(Id) FROM Account", MalformedQuery, "only element"),
        ("SELECT SUM(Name) FROM Account", MalformedQuery, "SUM"),
        ("SELECT COUNT(Id) FROM Account ORDER BY Name", MalformedQuery, "ORDER BY"),
        ("SELECT Id FROM Account OFFSET 2001", OffsetTooLarge, "Maximum SOQL offset allowed is 2000"),
    ],
)
def test_what_the_org_cannot_answer(soql: str, error: type[SoqlError], sentence: str) -> None:
    with pytest.raises(error) as refused:
        records(the_org(), soql)
    assert sentence in refused.value.message
    assert "ERROR at Row:1:Column:" in refused.value.message


def test_the_shape_of_a_record() -> None:
    fields = "id, Account.Name, amount, Account.Owner.Name, CloseDate, Seen__c, IsWon, Seats__c, StageName"
    soql = f"SELECT {fields} FROM opportunity WHERE AccountId = '{BOLT}'"
    [record] = records(the_org(), soql)
    key = make_id("006", 2)
    url = f"/services/data/v68.0/sobjects/Opportunity/{key}"
    account = {
        "attributes": {"type": "Account", "url": f"/services/data/v68.0/sobjects/Account/{BOLT}"},
        "Name": "bolt",
        "Owner": None,
    }
    assert record == {
        "attributes": {"type": "Opportunity", "url": url},
        "Id": key,
        "Account": account,
        "Amount": Decimal("-5.0"),
        "CloseDate": "2026-11-19",
        "Seen__c": None,
        "IsWon": False,
        "Seats__c": None,
        "StageName": None,
    }
    assert list(record)[1:4] == ["Id", "Account", "Amount"]


def test_instants_and_numbers_on_the_wire() -> None:
    org = the_org()
    org.put("Opportunity", {"Name": "yen", "Amount": Decimal("1000000000000.0050"), "Seats__c": 3})
    [record] = records(org, "SELECT Amount, Seats__c, CreatedDate FROM Opportunity WHERE Name = 'yen'")
    assert record["Amount"] == Decimal("1000000000000.005")
    assert record["Seats__c"] == 3
    assert record["CreatedDate"] == "2026-11-20T15:30:00.000+0000"


def test_lookups_of_custom_fields_walk_by_r() -> None:
    org = SalesforceOrg(lambda: NOW)
    org.define("Product2", {"Name": "string"})
    org.define("SBQQ__Subscription__c", {"SBQQ__Product__c": "reference", "SBQQ__RevisedSubscription__c": "reference"})
    product = org.put("Product2", {"Name": "Seats"})
    first = org.put("SBQQ__Subscription__c", {"SBQQ__Product__c": product})
    org.put("SBQQ__Subscription__c", {"SBQQ__RevisedSubscription__c": first})
    rows = records(
        org,
        "SELECT SBQQ__RevisedSubscription__r.SBQQ__Product__r.Name FROM SBQQ__Subscription__c "
        "WHERE SBQQ__RevisedSubscription__c != null",
    )
    assert rows[0]["SBQQ__RevisedSubscription__r"]["SBQQ__Product__r"]["Name"] == "Seats"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Amount, Id", [None, "Beta", "100%", "alpha"]),
        ("Amount NULLS LAST, Id", ["Beta", "100%", "alpha", None]),
        ("Amount DESC", [None, "alpha", "100%", "Beta"]),
        ("Amount DESC NULLS LAST", ["alpha", "100%", "Beta", None]),
        ("Name", [None, "100%", "alpha", "Beta"]),
        ("IsWon DESC, Name DESC", ["alpha", None, "Beta", "100%"]),
        ("Account.Name DESC, Id", ["100%", None, "Beta", "alpha"]),
    ],
)
def test_orders(order: str, expected: list[str | None]) -> None:
    assert [row["Name"] for row in records(the_org(), f"SELECT Name FROM Opportunity ORDER BY {order}")] == expected


def test_limit_and_offset() -> None:
    rows = records(the_org(), "SELECT Name FROM Opportunity ORDER BY Name LIMIT 2 OFFSET 1")
    assert [row["Name"] for row in rows] == ["100%", "alpha"]
    assert records(the_org(), "SELECT Name FROM Opportunity LIMIT 0") == []


def test_deleted_records_show_in_query_all_only() -> None:
    org = the_org()
    org.remove("Account", BOLT)
    assert [row["Name"] for row in records(org, "SELECT Name FROM Account")] == ["Acme"]
    assert records(org, "SELECT Name FROM Account WHERE IsDeleted = true") == []
    found = records(org, "SELECT Name, IsDeleted FROM Account ORDER BY Name", with_deleted=True)
    assert [(row["Name"], row["IsDeleted"]) for row in found] == [("Acme", False), ("bolt", True)]


def test_aggregates() -> None:
    [totals] = records(
        the_org(),
        "SELECT COUNT(Id), COUNT(Amount) n, SUM(Amount), MIN(CloseDate), MAX(Amount) top, COUNT_DISTINCT(StageName) "
        "FROM Opportunity",
    )
    assert totals == {
        "attributes": {"type": "AggregateResult"},
        "expr0": 4,
        "n": 3,
        "expr2": Decimal("115.1"),
        "expr3": "2025-01-01",
        "top": Decimal("100.1"),
        "expr5": 2,
    }
    [nothing] = records(the_org(), "SELECT SUM(Amount), COUNT(Id) FROM Opportunity WHERE Name = 'none'")
    assert (nothing["expr0"], nothing["expr1"]) == (None, 0)


def test_a_bare_count_has_a_size_and_no_records() -> None:
    result = answer("SELECT COUNT() FROM Opportunity WHERE Amount > 0", the_org().view(), NOW)
    assert (result.total, list(result.rows)) == (2, [])
    assert answer("SELECT COUNT() FROM Opportunity LIMIT 3", the_org().view(), NOW).total == 3


def test_without_an_order_rows_do_not_come_as_they_were_put() -> None:
    org = SalesforceOrg(lambda: NOW)
    org.define("Account", {})
    keys = [org.put("Account", {}) for _ in range(100)]
    for soql in ("SELECT Id FROM Account", "SELECT Id FROM Account ORDER BY SystemModstamp"):
        found = [row["Id"] for row in records(org, soql)]
        assert sorted(found) == keys
        assert found != keys
        assert found == [row["Id"] for row in records(org, soql)]


STAMPS = st.lists(st.tuples(st.integers(0, 62**3), st.integers(0, 8), st.booleans()), max_size=60)


@given(rows=STAMPS, page=st.integers(1, 7), start=st.integers(-1, 9))
@settings(max_examples=150)
def test_a_keyset_walk_meets_every_row_once(rows: list[tuple[int, int, bool]], page: int, start: int) -> None:
    org = SalesforceOrg(lambda: NOW)
    org.define("Account", {})
    for number, second, deleted in rows:
        key = make_id("001", number)
        if key not in {row["Id"] for row in org.rows("Account") if row["IsDeleted"]}:
            org.put("Account", {"Id": key, "SystemModstamp": NOW + timedelta(seconds=second)})
            if deleted:
                org.remove("Account", key)
    begin = NOW + timedelta(seconds=start)
    expected = [
        (stamp, str(row["Id"]))
        for row in org.rows("Account")
        if isinstance(stamp := row["SystemModstamp"], datetime) and stamp >= begin and not row["IsDeleted"]
    ]
    assert keyset_walk(org, begin, page) == sorted(expected)


def keyset_walk(org: SalesforceOrg, begin: datetime, page: int) -> list[tuple[datetime, str]]:
    seen: list[tuple[datetime, str]] = []
    stamp, key = begin, make_id("001", 0)[:15]
    inclusive = True
    while True:
        at = stamp.strftime("%Y-%m-%dT%H:%M:%SZ")
        tie = f"(SystemModstamp = {at} AND Id >{'=' if inclusive else ''} '{key}')"
        found = records(
            org,
            f"SELECT Id, SystemModstamp FROM Account WHERE {tie} OR SystemModstamp > {at} "
            f"ORDER BY SystemModstamp, Id LIMIT {page}",
        )
        if not found:
            return seen
        seen += [(datetime.fromisoformat(row["SystemModstamp"]), row["Id"]) for row in found]
        (stamp, key), inclusive = seen[-1], False


COMPARED = st.one_of(st.none(), st.integers(-3, 3).map(Decimal))


@given(
    values=st.lists(COMPARED, max_size=20),
    sign=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    wanted=st.integers(-3, 3),
)
def test_a_condition_and_its_negation_split_the_rows(values: list[Decimal | None], sign: str, wanted: int) -> None:
    org = SalesforceOrg(lambda: NOW)
    org.define("Opportunity", {"Amount": "currency"})
    for value in values:
        org.put("Opportunity", {"Amount": value})
    where = f"Amount {sign} {wanted}"
    held = records(org, f"SELECT Amount FROM Opportunity WHERE {where}")
    rest = records(org, f"SELECT Amount FROM Opportunity WHERE NOT {where}")
    python = {"=": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[sign]
    expected = [v for v in values if (sign == "!=" if v is None else getattr(v, python)(Decimal(wanted)))]
    assert sorted(str(row["Amount"]) for row in held) == sorted(as_written(value) for value in expected)
    assert len(held) + len(rest) == len(values)


def as_written(value: Decimal | None) -> str:
    return "None" if value is None else f"{value}.0"


SPANS = st.recursive(
    st.tuples(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 6)),
    lambda inner: st.tuples(st.sampled_from(["AND", "OR", "NOT"]), inner, inner),
    max_leaves=6,
)


@given(condition=SPANS, order=st.sampled_from(["", " ORDER BY SystemModstamp, Id", " ORDER BY Id"]))
def test_the_index_on_stamps_never_changes_an_answer(condition: Any, order: str) -> None:
    org = SalesforceOrg(lambda: NOW)
    org.define("Account", {"Seen__c": "datetime"})
    for second in (0, 1, 1, 3, 4, 4, 6):
        stamp = NOW + timedelta(seconds=second)
        org.put("Account", {"SystemModstamp": stamp, "Seen__c": stamp})
    answers = [
        [row["Id"] for row in records(org, f"SELECT Id FROM Account WHERE {where_text(condition, field)}{order}")]
        for field in ("SystemModstamp", "Seen__c")
    ]
    assert sorted(answers[0]) == sorted(answers[1])
    assert not order or answers[0] == answers[1]


def where_text(condition: Any, field: str) -> str:
    if len(condition) == 2:
        sign, second = condition
        return f"({field} {sign} {NOW + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ})"
    joiner, one, other = condition
    if joiner == "NOT":
        return f"(NOT {where_text(one, field)})"
    return f"({where_text(one, field)} {joiner} {where_text(other, field)})"
