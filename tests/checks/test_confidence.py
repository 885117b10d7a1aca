"""How sure a finding is: what a row may say of it, and the usual grounds as they come out of an engine."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from checks.confidence import CERTAIN, DECLARED, Confidence, Grounds, of_band, of_link, of_reading, stated, suspected
from checks.errors import ArithmeticFault


def row(**said: Any) -> dict[str, Any]:
    return {"system": "meter", "entity": "usage_events", "key": "E1", **said}


@pytest.mark.parametrize(
    ("said", "value", "reason"),
    [
        ({}, CERTAIN, DECLARED),
        ({"confidence": None, "confidence_reason": None}, CERTAIN, DECLARED),
        ({"confidence": Decimal("0.80000000"), "confidence_reason": "alike\nin all"}, Decimal("0.8"), "alike in all"),
        ({"confidence": Decimal("0.99999999")}, Decimal("0.9999"), DECLARED),
        ({"confidence": 0.7}, Decimal("0.7"), DECLARED),
    ],
)
def test_what_a_row_says_counts_and_is_never_rounded_up(said: Any, value: Decimal, reason: str) -> None:
    assert stated(row(**said)) == Confidence(value, (reason,))


@pytest.mark.parametrize("said", [Decimal("1.0001"), Decimal("-0.1"), "half", float("nan")])
def test_anything_else_leaves_the_row_unjudged(said: object) -> None:
    with pytest.raises(ArithmeticFault, match="usage_events E1 of meter has the confidence"):
        stated(row(confidence=said))


SCHEMA = pa.schema(
    {
        "n": pa.int64(),
        "basis": pa.string(),
        "score": pa.decimal128(5, 4),
        "by": pa.string(),
        "value": pa.decimal128(18, 4),
    }
)


def found(*rows: dict[str, Any], grounds: Callable[[ir.Table], Grounds]) -> list[tuple[Decimal | None, str | None]]:
    """What the grounds say of each row, as DuckDB works it out."""
    table = ibis.memtable(pa.Table.from_pylist([{"n": n, **one} for n, one in enumerate(rows)], SCHEMA))
    answer = table.select("n", **grounds(table).columns()).order_by("n").to_pyarrow().to_pylist()
    return [(one["confidence"], one["confidence_reason"]) for one in answer]


def link(basis: str, score: str | None = None, **more: Any) -> dict[str, Any]:
    return {"basis": basis, "score": Decimal(score) if score else None, "by": None, "value": Decimal(0), **more}


def test_only_declared_and_confirmed_links_are_certain() -> None:
    rows = [link("declared"), link("confirmed", "0.91"), *(link("matched", score) for score in ("0.91", "1.0", None))]
    values = [value for value, _ in found(*rows, grounds=lambda t: of_link(t.basis, t.score))]
    assert values == [None, None, Decimal("0.91"), Decimal("0.99"), Decimal(0)]


def test_a_reading_by_machine_is_certain_once_a_person_confirms_it() -> None:
    rows = (link("", "0.65"), link("", "0.65", by="ann"), link(""), link("", "1.0"))
    values = [value for value, _ in found(*rows, grounds=lambda t: of_reading(t.score, t.by))]
    assert values == [Decimal("0.65"), None, None, Decimal("0.99")]


def test_a_value_is_surer_the_farther_it_is_from_the_band() -> None:
    rows = [link("", value=Decimal(value)) for value in (20, 25, 30, 99, 0)]
    low, high = (ibis.literal(Decimal(edge), type="decimal(18, 4)") for edge in (10, 20))
    values = [value for value, _ in found(*rows, grounds=lambda t: of_band(t.value, low, high))]
    assert values == [Decimal(text) for text in ("0.70", "0.845", "0.99", "0.99", "0.99")]


def test_of_two_grounds_the_lower_counts_and_both_are_said() -> None:
    def both(table: ir.Table) -> Grounds:
        return suspected(table.by.notnull(), Decimal("0.8"), "they look alike").and_(of_link(table.basis, table.score))

    rows = [link("declared"), link("matched", "0.75"), link("declared", by="x"), link("matched", "0.75", by="x")]
    matched = "accounts joined on their names, score 0.75"
    assert found(*rows, grounds=both) == [
        (None, None),
        (Decimal("0.75"), matched),
        (Decimal("0.8"), "they look alike"),
        (Decimal("0.75"), f"{matched}; they look alike"),
    ]
