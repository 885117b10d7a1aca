from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.errors import MalformedQuery
from sandbox.salesforce.soql_parser import parse
from sandbox.salesforce.soql_periods import days
from sandbox.salesforce.soql_syntax import (
    Aggregate,
    All,
    AnyOf,
    Comparison,
    Like,
    Membership,
    Not,
    Path,
    Period,
)


def test_every_clause() -> None:
    query = parse(
        "select Id, Account.Owner.Name from Opportunity where (Amount >= -1.5 or not StageName != 'Closed') "
        "and CloseDate in (2026-01-01, TODAY) order by Amount desc nulls last, Id limit 10 offset 5"
    )
    assert [item.names for item in query.select if isinstance(item, Path)] == [("Id",), ("Account", "Owner", "Name")]
    assert (query.source, query.limit, query.offset) == ("Opportunity", 10, 5)
    assert [(str(key.path), key.descending, key.nulls_last) for key in query.order] == [
        ("Amount", True, True),
        ("Id", False, False),
    ]
    assert isinstance(query.where, All)
    either, among = query.where.parts
    assert isinstance(either, AnyOf)
    assert isinstance(either.parts[1], Not)
    assert isinstance(among, Membership)
    assert [literal.value for literal in among.literals] == [date(2026, 1, 1), Period("TODAY", None)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it\\'s \\\\ \\n \\\"x\\\"'", 'it\'s \\ \n "x"'),
        ("12", Decimal(12)),
        ("-0.005", Decimal("-0.005")),
        ("1e3", Decimal("1e3")),
        ("TRUE", True),
        ("null", None),
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2025-12-31T16:00:00.000-0800", datetime(2026, 1, 1, tzinfo=UTC)),
        ("last_n_days:7", Period("LAST_N_DAYS", 7)),
        ("THIS_QUARTER", Period("THIS_QUARTER", None)),
    ],
)
def test_literals(text: str, value: object) -> None:
    where = parse(f"SELECT Id FROM Account WHERE X = {text}").where
    assert isinstance(where, Comparison)
    assert where.literal.value == value
    assert type(where.literal.value) is type(value)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")))
def test_any_text_survives_quoting(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    where = parse(f"SELECT Id FROM Account WHERE Name = '{quoted}' AND Id != null").where
    assert isinstance(where, All)
    assert isinstance(where.parts[0], Comparison)
    assert where.parts[0].literal.value == text


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("appl%", "Apple\nPie", True),
        ("appl_%", "Appl", False),
        ("a_c", "ABC", True),
        ("100\\%", "100%", True),
        ("100\\%", "1000", False),
        ("a.c", "abc", False),
        ("%\\_x", "y_x", True),
        ("%\\_x", "yyx", False),
    ],
)
def test_like_patterns(pattern: str, text: str, matches: bool) -> None:
    where = parse(f"SELECT Id FROM Account WHERE Name LIKE '{pattern}'").where
    assert isinstance(where, Like)
    assert (where.pattern.fullmatch(text) is not None) is matches


def test_aggregates_and_aliases() -> None:
    query = parse("SELECT COUNT(Id) n, MAX(SystemModstamp) FROM Account a WHERE a.Name = null")
    assert [(item.function, item.alias) for item in query.select if isinstance(item, Aggregate)] == [
        ("COUNT", "n"),
        ("MAX", None),
    ]
    assert query.alias == "a"
    assert parse("SELECT Count FROM Account").select == (Path(("Count",), 7),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT FROM Account",
        "SELECT * FROM Account",
        "SELECT Id, FROM Account",
        "SELECT Id Account",
        "SELECT Id FROM Account WHERE",
        "SELECT Id FROM Account WHERE Name",
        "SELECT Id FROM Account WHERE Name IS NULL",
        "SELECT Id FROM Account WHERE Name = Acme",
        'SELECT Id FROM Account WHERE Name = "Acme"',
        "SELECT Id FROM Account WHERE Name = 'Acme",
        "SELECT Id FROM Account WHERE Name = 'a\\qb'",
        "SELECT Id FROM Account WHERE Name LIKE 5",
        "SELECT Id FROM Account WHERE Name IN ()",
        "SELECT Id FROM Account WHERE (Name = 'a'",
        "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT SUM() FROM Account",
        "SELECT Id FROM Account WHERE D = 2026-02-30",
        "SELECT Id FROM Account WHERE D = 2026-01-01T00:00:00",
        "SELECT Id FROM Account WHERE D > 2026-01-01T00:00:00.000 0000",
        "SELECT Id FROM Account WHERE D = LAST_N_DAYS",
        "SELECT Id FROM Account WHERE D = TODAY:3",
        "SELECT Id FROM Account ORDER Name",
        "SELECT Id FROM Account ORDER BY Name NULLS",
        "SELECT Id FROM Account LIMIT -1",
        "SELECT Id FROM Account LIMIT 1.5",
        "SELECT Id FROM Account GROUP BY Id",
        "SELECT Id FROM Account; DELETE",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedQuery):
        parse(text)


def test_the_message_points_at_the_place() -> None:
    text = "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3"
    with pytest.raises(MalformedQuery) as refused:
        parse(text)
    _, around, caret, position, sentence = refused.value.within(text).message.split("\n")
    assert around[caret.index("^")] == "O"
    assert position == "ERROR at Row:1:Column:46"
    assert sentence == "unexpected token: 'OR'"


@pytest.mark.parametrize(
    ("name", "n", "first", "after"),
    [
        ("TODAY", None, "2026-11-20", "2026-11-21"),
        ("LAST_90_DAYS", None, "2026-08-22", "2026-11-21"),
        ("LAST_N_DAYS", 1, "2026-11-19", "2026-11-21"),
        ("NEXT_N_DAYS", 2, "2026-11-21", "2026-11-23"),
        ("N_DAYS_AGO", 3, "2026-11-17", "2026-11-18"),
        ("THIS_WEEK", None, "2026-11-15", "2026-11-22"),
        ("LAST_N_WEEKS", 2, "2026-11-01", "2026-11-15"),
        ("LAST_MONTH", None, "2026-10-01", "2026-11-01"),
        ("NEXT_N_MONTHS", 2, "2026-12-01", "2027-02-01"),
        ("THIS_QUARTER", None, "2026-10-01", "2027-01-01"),
        ("LAST_N_QUARTERS", 4, "2025-10-01", "2026-10-01"),
        ("NEXT_YEAR", None, "2027-01-01", "2028-01-01"),
        ("N_YEARS_AGO", 2, "2024-01-01", "2025-01-01"),
    ],
)
def test_date_literals_are_ranges_of_days(name: str, n: int | None, first: str, after: str) -> None:
    assert days(name, n, date(2026, 11, 20)) == (date.fromisoformat(first), date.fromisoformat(after))


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1)), st.sampled_from(["WEEK", "MONTH", "QUARTER"]))
def test_the_current_unit_holds_today_and_meets_its_neighbours(today: date, unit: str) -> None:
    last, this, following = (days(f"{which}_{unit}", None, today) for which in ("LAST", "THIS", "NEXT"))
    assert this[0] <= today < this[1]
    assert (last[1], following[0]) == this
