from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.engine import Engine, connect
from checks.arithmetic import proration, proration_columns
from checks.arithmetic.periods import Cycle
from checks.arithmetic.proration import DayCount
from checks.contract import Mode, MoneyKind
from checks.relation import compiled
from tests.checks.kit import Ledger, clean, findings, only, seats

CHECK = "coterm_proration_error"


def part(amount: str, first: int = 18, quantity: int = 50, **columns: Any) -> Ledger:
    """Fifty seats more at 40.00, added on a day of November: 2,000 a month, 13 of 30 days from the 18th."""
    line = seats(11, quantity=Decimal(quantity), amount=Decimal(amount), period_start=date(2026, 11, first), **columns)
    return clean().invoice("INVP", date(2026, 11, first), line)


BROKEN: Mapping[str, Callable[[], Ledger]] = {CHECK: lambda: part("900.00")}


def test_days_left_of_the_days_of_the_month() -> None:
    assert findings(CHECK, part("866.67")) == ()
    finding = only(CHECK, part("900.00"))
    assert (finding.record.key, finding.amount, finding.kind) == ("INVP-1", Decimal("33.33"), MoneyKind.OVERBILL)
    assert finding.arithmetic.startswith("expected = quantity * unit_price * months * counted / (whole * price_months)")
    assert "50 × 40 × 1 × 13 ÷ (30 × 1) = 866.666667" in finding.arithmetic


def test_above_one_percent_it_blocks() -> None:
    assert only(CHECK, part("858.00")).mode is Mode.WARN
    assert only(CHECK, part("857.99")).mode is Mode.BLOCK


def test_a_credit_is_prorated_like_a_charge() -> None:
    ledger = part("-900.00", quantity=-50, charge_type="credit")
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.kind) == (Decimal("33.33"), MoneyKind.LEAK)


def test_a_quarter_is_prorated_by_its_own_days() -> None:
    """Twenty days of the 92 from October: 500 × 40 × 3 × 20 ÷ 92."""
    ledger = part("13043.48", first=11, quantity=500)
    ledger.change("subscription_lines", "SL1", billing_months=3)
    ledger.remove("invoice_lines", *(f"INV{month}-1" for month in range(1, 13)))
    ledger.change("invoice_lines", "INVP-1", period_end=date(2026, 12, 1))
    assert findings(CHECK, ledger) == ()


def test_whole_periods_and_what_names_no_price_are_not_asked() -> None:
    assert findings(CHECK, clean().change("invoice_lines", "INV11-1", amount=Decimal(1))) == ()
    assert findings(CHECK, part("900.00", unit_price=None)) == ()


DATES = st.dates(date(2023, 1, 1), date(2029, 12, 31))
SCHEMA = pa.schema([(name, pa.date32()) for name in ("start", "end", "begins", "follows")] + [("months", pa.int64())])


@pytest.mark.parametrize("day_count", DayCount)
@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(DATES, st.sampled_from((1, 3, 12)), st.integers(0, 400), st.integers(1, 400)), min_size=5))
def test_the_sql_form_counts_as_the_other(day_count: DayCount, cases: list[tuple[date, int, int, int]]) -> None:
    rows = [row for row in (_row(*case) for case in cases) if row["start"] < row["end"]]
    table = ibis.table(
        {**dict.fromkeys(("start", "end", "begins", "follows"), "date"), "months": "int64"}, name="parts"
    )
    counted, whole = proration_columns.share(
        table.start, table.end, (table.begins, table.follows), table.months, day_count
    )
    with Engine(connect()) as engine:
        engine.hold("parts", pa.Table.from_pylist(rows, SCHEMA))
        answer = engine.rows(compiled(table.mutate(counted=counted, whole=whole)))
    for row in answer:
        period = (row["begins"], row["follows"])
        said = proration.share(row["start"], row["end"], period, row["months"], day_count)
        assert said.numerator * row["whole"] == said.denominator * row["counted"]


def _row(first: date, months: int, skip: int, length: int) -> dict[str, Any]:
    """A part of a whole period."""
    cycle = Cycle.of(first, None, months)
    begins, follows = cycle.boundary(0), cycle.boundary(1)
    start = min(begins.toordinal() + skip, follows.toordinal() - 1)
    end = min(start + length, follows.toordinal())
    return {
        "start": date.fromordinal(start), "end": date.fromordinal(end), "begins": begins, "follows": follows,
        "months": months,
    }  # fmt: skip
