from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.zuora.errors import Fault
from sandbox.zuora.zoql import MAX_CONDITIONS, Condition, Query, parse


def test_a_query_without_a_filter() -> None:
    assert parse("select Id, Name from Account") == Query(("Id", "Name"), "Account", ())


def test_and_binds_tighter_than_or() -> None:
    query = parse("SELECT Id FROM Invoice WHERE A = 1 or B != 'x' and C >= -2.50 or D like 'a%'")
    assert query.where == (
        (Condition("A", "=", Decimal(1)),),
        (Condition("B", "!=", "x"), Condition("C", ">=", Decimal("-2.50"))),
        (Condition("D", "like", "a%"),),
    )


def test_constants_have_no_quotes_and_any_case() -> None:
    query = parse("select Id from Account where A=true and B!=NULL and C=False and D='null'")
    assert [c.literal for c in query.where[0]] == [True, None, False, "null"]


def test_line_breaks_and_missing_spaces_do_not_matter() -> None:
    assert parse("select\n\tId,Name\nfrom Account where Id='1'and Name='2'").where == (
        (Condition("Id", "=", "1"), Condition("Name", "=", "2")),
    )


@given(st.text())
def test_any_text_survives_quoting(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    query = parse(f"select Id from Account where Name = '{quoted}'")
    assert query.where == ((Condition("Name", "=", text),),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select",
        "select from Account",
        "select * from Account",
        "select count(Id) from Account",
        "select Id, from Account",
        "select Id from",
        "select Id from Account where",
        "select Id from Account where Name",
        "select Id from Account where Name =",
        "select Id from Account where Name = Status",
        "select Id from Account where Name = 'a' and",
        "select Id from Account where (Name = 'a')",
        "select Id from Account where Name in ('a', 'b')",
        "select Id from Account where Name is null",
        "select Id from Account where not Name = 'a'",
        "select Id from Account where Name <> 'a'",
        "select Id from Account where Name = 'a",
        'select Id from Account where Name = "a"',
        "select Id from Account where Balance = 1.2.3",
        "select Id from Account order by Id",
        "select Id from Account where Name = 'a' order by Name",
        "select Id from Account limit 5",
        "select Account.Id from Account",
        "select Id from Account, Invoice",
        "select Id from Account a join Invoice i",
        "delete from Account",
        "select Id from Account; select Id from Invoice",
    ],
)
def test_what_zoql_cannot_say_is_malformed(text: str) -> None:
    with pytest.raises(Fault, match="error in your ZOQL syntax") as refused:
        parse(text)
    assert refused.value.code == "MALFORMED_QUERY"


def test_the_message_says_where_and_what() -> None:
    with pytest.raises(Fault, match=r"'order' stands at position 23, where the end of the query belongs"):
        parse("select Id from Account order by Id")


@pytest.mark.parametrize("joint", [" and ", " or "])
def test_two_hundred_conditions_and_not_one_more(joint: str) -> None:
    query = "select Id from Account where " + joint.join(["BillCycleDay = 1"] * MAX_CONDITIONS)
    assert sum(len(group) for group in parse(query).where) == MAX_CONDITIONS
    with pytest.raises(Fault, match="more than 200 conditions"):
        parse(f"{query}{joint}BillCycleDay = 1")


@given(st.text(alphabet="select Idfromwh'\\,=<>!()1.\n"))
def test_no_text_breaks_the_parser(text: str) -> None:
    outcome: Query | Fault
    try:
        outcome = parse(text)
    except Fault as fault:
        outcome = fault
    assert outcome.fields if isinstance(outcome, Query) else outcome.code == "MALFORMED_QUERY"
