import operator
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.zuora import make_id
from sandbox.zuora.errors import Fault
from sandbox.zuora.matching import select
from sandbox.zuora.records import Records
from sandbox.zuora.schema import Value

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PACIFIC = timezone(timedelta(hours=-8))
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def records_of(rows: Sequence[Mapping[str, Value | None]]) -> Records:
    records = Records(lambda: NOON)
    for row in rows:
        records.put("Account", row)
    return records


def found(records: Records, where: str, name: str = "Name") -> set[object]:
    return {row.get(name) for row in select(records, f"select Id from Account where {where}", PACIFIC)[1]}


@pytest.fixture
def accounts() -> Records:
    return records_of(
        [
            {"Name": "Acme", "Balance": Decimal("10.50"), "AutoPay": True, "LastInvoiceDate": date(2026, 11, 1)},
            {"Name": "Borg", "Balance": Decimal(-3), "AutoPay": False, "UpdatedDate": NOON + timedelta(hours=1)},
            {"Name": "acme's", "CrmId": "001", "UpdatedDate": NOON - timedelta(milliseconds=1)},
        ]
    )


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'Acme'", {"Acme"}),
        ("Name != 'Acme'", {"Borg", "acme's"}),
        (r"Name = 'acme\'s'", {"acme's"}),
        ("Name >= 'Borg'", {"Borg", "acme's"}),
        ("Name like 'A%'", {"Acme"}),
        ("Name like '%cm%'", {"Acme", "acme's"}),
        ("Name like 'Acm.'", set()),
        ("CrmId like '%'", {"acme's"}),
        ("Balance > 0", {"Acme"}),
        ("Balance = 10.5", {"Acme"}),
        ("Balance = '10.50'", {"Acme"}),
        ("Balance != 10.5", {"Borg"}),
        ("Balance = null", {"acme's"}),
        ("Balance != null", {"Acme", "Borg"}),
        ("AutoPay = true", {"Acme"}),
        ("AutoPay != true", {"Borg"}),
        ("LastInvoiceDate >= '2026-11-01'", {"Acme"}),
        ("LastInvoiceDate > '2026-11-01'", set()),
        ("name = 'Borg' or balance = null", {"Borg", "acme's"}),
        ("CrmId = '001' and Name = 'acme\\'s' or Name = 'Borg'", {"acme's", "Borg"}),
    ],
)
def test_conditions(accounts: Records, where: str, names: set[str]) -> None:
    assert found(accounts, where) == names


@pytest.mark.parametrize(
    "literal",
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00.000+00:00",
        "2026-11-20T04:00:00-08:00",
        "2026-11-20T04:00:00",  # no zone: the tenant's
        "2026-11-20T04:00",
    ],
)
def test_an_instant_is_the_same_in_every_zone(accounts: Records, literal: str) -> None:
    assert found(accounts, f"UpdatedDate >= '{literal}'") == {"Acme", "Borg"}
    assert found(accounts, f"UpdatedDate < '{literal}'") == {"acme's"}
    assert found(accounts, f"UpdatedDate = '{literal}'") == {"Acme"}


@pytest.mark.parametrize(
    "where",
    [
        "Name = 5",
        "Name = true",
        "Balance = 'much'",
        "Balance = 'NaN'",
        "Balance = true",
        "AutoPay = 'true'",
        "AutoPay = 1",
        "LastInvoiceDate = '2026-11-31'",
        "LastInvoiceDate = '2026-11-01T00:00:00Z'",
        "LastInvoiceDate = 20261101",
        "UpdatedDate >= '2026-11-20'",
        "UpdatedDate >= '20261120T120000Z'",
        "UpdatedDate >= '2026-13-20T00:00:00Z'",
    ],
)
def test_a_literal_that_does_not_suit_its_field(accounts: Records, where: str) -> None:
    with pytest.raises(Fault, match="is not a value for it") as refused:
        found(accounts, where)
    assert refused.value.code == "INVALID_VALUE"


@pytest.mark.parametrize("where", ["AutoPay > true", "Balance > null", "Balance like '1%'", "Name like null"])
def test_an_operator_that_does_not_suit_its_field(accounts: Records, where: str) -> None:
    with pytest.raises(Fault) as refused:
        found(accounts, where)
    assert refused.value.code == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select Colour from Account", "INVALID_FIELD"),
        ("select Id from Account where Colour = 'red'", "INVALID_FIELD"),
        ("select Id from Spaceship", "INVALID_TYPE"),
    ],
)
def test_names_that_are_not_there(accounts: Records, query: str, code: str) -> None:
    with pytest.raises(Fault) as refused:
        select(accounts, query, PACIFIC)
    assert refused.value.code == code


def test_fields_come_back_spelled_as_defined_with_the_id_among_them(accounts: Records) -> None:
    assert select(accounts, "select NAME, crmid, name from account", PACIFIC)[0] == ("Name", "CrmId", "Id")


def test_the_order_of_rows_follows_neither_stamps_nor_insertion() -> None:
    records = records_of([{"UpdatedDate": NOON + timedelta(minutes=n)} for n in range(50)])
    stamps = [row["UpdatedDate"] for row in select(records, "select Id from Account", PACIFIC)[1]]
    assert stamps != sorted(stamps)
    assert stamps != sorted(stamps, reverse=True)
    assert stamps == [row["UpdatedDate"] for row in select(records, "select Id from Account", PACIFIC)[1]]


ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "Name": st.sampled_from(["", "a", "b", "it's", "a\\b"]),
            "ParentId": st.sampled_from([make_id("Account", n) for n in range(3)]),
            "BillCycleDay": st.integers(-2, 2),
            "Balance": st.decimals(-2, 2, places=1),
        },
    ),
    max_size=12,
)
CONDITIONS = st.tuples(
    st.sampled_from(["Name", "ParentId", "BillCycleDay", "Balance"]), st.sampled_from(list(OPERATORS))
).flatmap(
    lambda pair: st.tuples(
        st.just(pair[0]),
        st.just(pair[1]),
        {
            "Name": st.sampled_from(["", "a", "b", "it's", "a\\b"]),
            "ParentId": st.sampled_from([make_id("Account", n) for n in range(3)]),
            "BillCycleDay": st.integers(-2, 2),
            "Balance": st.decimals(-2, 2, places=1),
        }[pair[0]],
    )
)
GROUPS = st.lists(st.lists(CONDITIONS, min_size=1, max_size=3), min_size=1, max_size=3)


def literal(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)


def holds(row: Mapping[str, Value], condition: tuple[str, str, Value]) -> bool:
    name, sign, wanted = condition
    return name in row and bool(OPERATORS[sign](row[name], wanted))


@given(ROWS, GROUPS)
def test_any_filter_finds_what_python_finds(
    rows: list[dict[str, Value]], groups: list[list[tuple[str, str, Value]]]
) -> None:
    where = " or ".join(
        " and ".join(f"{name} {sign} {literal(wanted)}" for name, sign, wanted in group) for group in groups
    )
    stored = [{**row, "Id": make_id("Row", n)} for n, row in enumerate(rows)]
    expected = {row["Id"] for row in stored if any(all(holds(row, c) for c in group) for group in groups)}
    assert found(records_of(stored), where, "Id") == expected


@given(ROWS, ROWS)
def test_lookups_by_id_follow_every_change(first: list[dict[str, Value]], later: list[dict[str, Value]]) -> None:
    records = records_of([{**row, "Id": make_id("Row", n)} for n, row in enumerate(first)])
    parent = make_id("Account", 1)
    found(records, f"ParentId = '{parent}'")  # from here on there is an index to keep up
    for n, row in enumerate(later):
        emptied = {"Name": None, "ParentId": None, "BillCycleDay": None, "Balance": None}
        records.put("Account", {**emptied, **row, "Id": make_id("Row", n)})
    if later:
        records.remove("Account", make_id("Row", 0))
    expected = {row["Id"] for row in records.rows("Account") if row.get("ParentId") == parent}
    assert found(records, f"ParentId = '{parent}'", "Id") == expected
