"""The billing calendar in Python and in SQL, against each other and against published figures."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.engine import Engine, connect
from checks.arithmetic.periods import (
    Cycle,
    CycleColumns,
    days,
    days_later,
    due_date,
    midnight,
    month_day,
    months_begun,
    overlap,
    prorated,
    working_days_later,
)
from checks.relation import compiled

DAYS = st.dates(date(1999, 1, 1), date(2060, 12, 31))
CYCLES = st.builds(Cycle.of, DAYS, st.none() | st.integers(1, 31), st.sampled_from((1, 3, 6, 12)))
SCHEMA = pa.schema([("a", pa.date32()), ("b", pa.date32()), ("c", pa.date32()), ("d", pa.date32()), ("n", pa.int64()),
                    ("bill_day", pa.int64()), ("months", pa.int64())])  # fmt: skip


def computed(rows: Sequence[dict[str, Any]], **columns: ir.Value) -> list[dict[str, Any]]:
    """What DuckDB makes of the columns for each row."""
    with Engine(connect()) as engine:
        engine.hold("days", pa.Table.from_pylist(list(rows), SCHEMA))
        return engine.rows(compiled(TABLE.select(**columns)))


TABLE = ibis.table(ibis.schema({"a": "date", "b": "date", "c": "date", "d": "date", "n": "int64", "bill_day": "int64",
                                "months": "int64"}), name="days")  # fmt: skip
IN_SQL = CycleColumns.of(TABLE.a, TABLE.bill_day, TABLE.months)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "a": DAYS,
                "b": DAYS,
                "n": st.integers(-30, 30),
                "bill_day": st.none() | st.integers(1, 31),
                "months": st.sampled_from((1, 3, 6, 12)),
            }
        ),
        min_size=1,
        max_size=40,
    )
)
def test_python_and_sql_agree(rows: list[dict[str, Any]]) -> None:
    found = computed(rows, boundary=IN_SQL.boundary(TABLE.n), index=IN_SQL.index(TABLE.b))
    cycles = [Cycle.of(row["a"], row["bill_day"], row["months"]) for row in rows]
    assert found == [
        {"boundary": cycle.boundary(row["n"]), "index": cycle.index(row["b"])}
        for cycle, row in zip(cycles, rows, strict=True)
    ]


def test_the_ends_of_short_months_agree() -> None:
    days_ = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 30), date(2024, 3, 31), date(2023, 2, 28)]
    rows = [{"a": date(2024, 1, 31), "b": day, "n": 1, "bill_day": None, "months": 1} for day in days_]
    assert [out["index"] for out in computed(rows, index=IN_SQL.index(TABLE.b))] == [0, 1, 1, 2, -11]
    assert [Cycle.of(date(2024, 1, 31), None, 1).index(day) for day in days_] == [0, 1, 1, 2, -11]


@given(CYCLES, DAYS)
def test_every_day_lies_in_the_period_of_its_index(cycle: Cycle, day: date) -> None:
    n = cycle.index(day)
    assert cycle.boundary(n) <= day < cycle.boundary(n + 1)


@given(CYCLES, st.integers(-40, 40))
def test_periods_follow_each_other_without_a_gap(cycle: Cycle, n: int) -> None:
    assert cycle.boundary(n) < cycle.boundary(n + 1)
    assert cycle.index(cycle.boundary(n)) == n
    assert cycle.index(cycle.boundary(n) - timedelta(days=1)) == n - 1


@given(DAYS, DAYS, DAYS, DAYS)
def test_shares_of_a_period_add_up_to_it(a: date, b: date, c: date, d: date) -> None:
    start, first, second, end = sorted((a, b, c, d))
    if start == end:
        end += timedelta(days=1)
    cuts = ((start, first), (first, second), (second, end))
    parts = [prorated(Decimal(3650), cut, (start, end)) for cut in cuts]
    assert sum(parts, Decimal(0)).quantize(Decimal("1e-9"), ROUND_HALF_UP) == 3650


@settings(max_examples=25, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys("abcd", DAYS)), min_size=1, max_size=40))
def test_shared_days_agree(rows: list[dict[str, date]]) -> None:
    found = computed(rows, shared=overlap(TABLE.a, TABLE.b, TABLE.c, TABLE.d), length=days(TABLE.a, TABLE.b))
    for row, out in zip(rows, found, strict=True):
        shared = (min(row["b"], row["d"]) - max(row["a"], row["c"])).days
        assert out == {"shared": max(shared, 0), "length": (row["b"] - row["a"]).days}


def test_the_last_day_of_a_month_stays_the_last() -> None:
    cycle = Cycle.of(date(2024, 1, 31), None, 1)
    assert [cycle.boundary(n) for n in range(4)] == [
        date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30),
    ]  # fmt: skip
    assert month_day(date(2024, 1, 31), 13, 30) == date(2025, 2, 28)


@pytest.mark.parametrize(
    ("start", "amount"), [(date(2021, 9, 16), "7.24"), (date(2021, 9, 17), "6.44")], ids=["P05a", "P05c"]
)
def test_a_first_period_up_to_the_bill_day(start: date, amount: str) -> None:
    cycle = Cycle.of(start, 25, 1)
    n = cycle.index(start)
    period = (cycle.boundary(n), cycle.boundary(n + 1))
    assert period == (date(2021, 8, 25), date(2021, 9, 25))
    share = prorated(Decimal("24.95"), (start, period[1]), period)
    assert share.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(amount)


def test_a_year_across_a_leap_year() -> None:
    """P07: 10 January 2011 to 4 March 2012, in years from 17 January: 7/365, a whole one, and 47/366."""
    cycle = Cycle(date(2011, 1, 17), 17, 12)
    covered = (date(2011, 1, 10), date(2012, 3, 4))
    indices = range(cycle.index(covered[0]), cycle.index(covered[1]) + 1)
    parts = [prorated(Decimal(1), covered, (cycle.boundary(n), cycle.boundary(n + 1))) for n in indices]
    assert parts == [Decimal(7) / 365, Decimal(1), Decimal(47) / 366]
    assert sum(parts, Decimal(0)).quantize(Decimal("0.00001"), ROUND_HALF_UP) == Decimal("1.14759")


def test_a_change_on_the_20th_of_30_days() -> None:
    """P04: from 60 to 30 a month on 21 April; a third of the month is left."""
    period = (date(2012, 4, 1), date(2012, 5, 1))
    assert prorated(Decimal(30), (date(2012, 4, 21), period[1]), period) == 10


def test_half_a_year_by_days() -> None:
    """P14a: 120 a year for 180 of 365 days."""
    share = prorated(Decimal(120), (date(2023, 2, 15), date(2023, 8, 14)), (date(2023, 2, 15), date(2024, 2, 15)))
    assert share.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal("59.18")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 23), date(2026, 11, 25)),  # Monday
        (date(2026, 11, 26), date(2026, 11, 30)),  # Thursday
        (date(2026, 11, 27), date(2026, 12, 1)),  # Friday
        (date(2026, 11, 28), date(2026, 12, 1)),  # Saturday
        (date(2026, 11, 29), date(2026, 12, 1)),  # Sunday
    ],
)
def test_two_working_days_later(day: date, expected: date) -> None:
    ((out),) = computed([{"a": day}], later=working_days_later(TABLE.a, 2))
    assert out == {"later": expected}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": DAYS, "n": st.integers(0, 500)}), min_size=1, max_size=20))
def test_days_later_are_dates_and_begin_at_midnight_utc(rows: list[dict[str, Any]]) -> None:
    found = computed(rows, later=days_later(TABLE.a, TABLE.n), begins=midnight(TABLE.a))
    assert found == [
        {
            "later": row["a"] + timedelta(days=row["n"]),
            "begins": datetime(row["a"].year, row["a"].month, row["a"].day, tzinfo=UTC),
        }
        for row in rows
    ]


def test_months_that_have_begun() -> None:
    on = [date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1), date(2026, 9, 1)]
    found = computed([{"a": date(2026, 10, 1), "b": day} for day in on], months=months_begun(TABLE.a, TABLE.b))
    assert [out["months"] for out in found] == [1, 1, 2, 1]


def test_when_a_period_is_due() -> None:
    row = {"a": date(2026, 10, 1), "b": date(2026, 11, 1)}
    timings = {name: due_date(ibis.literal(name, type="string"), TABLE.a, TABLE.b) for name in ("advance", "arrears")}
    (out,) = computed([row], **timings, unsaid=due_date(ibis.null("string"), TABLE.a, TABLE.b))
    assert out == {"advance": row["a"], "arrears": row["b"], "unsaid": row["a"]}
