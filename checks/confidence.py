"""How sure a finding is that it is one, and why: 0 to 1, in steps of 0.0001, rounded down.

Rows that a check joins by keys which the systems themselves declare leave no doubt: 1.00. A check that rests on less
says so in two columns of its rows, `confidence` and `confidence_reason`; what is here makes them for the usual grounds.
Old data lower no confidence: past its freshness target a source makes a check not evaluated instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

import ibis
import ibis.expr.types as ir

from checks.errors import ArithmeticFault

CERTAIN = Decimal("1.00")
DECLARED = "rows joined by declared keys"
# What no machine's guess exceeds: only a declared key or a person's word is certain.
NEARLY = Decimal("0.99")
_STEP = Decimal("0.0001")
_TYPE = "decimal(18, 8)"


@dataclass(frozen=True)
class Confidence:
    """`reasons` are clauses without a full stop, the weightiest first."""

    value: Decimal = CERTAIN
    reasons: tuple[str, ...] = (DECLARED,)


def stated(row: Mapping[str, Any]) -> Confidence:
    """What a candidate row says of itself; a row that says nothing is certain. ArithmeticFault outside 0 to 1."""
    said = row.get("confidence")
    reason = " ".join((row.get("confidence_reason") or DECLARED).split())
    if said is None:
        return Confidence(reasons=(reason,))
    try:
        value = Decimal(str(said))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= 1:
        raise ArithmeticFault(f"{row['entity']} {row['key']} of {row['system']} has the confidence {said}, not 0 to 1.")
    return Confidence(value.quantize(_STEP, ROUND_FLOOR), (reason,))


@dataclass(frozen=True)
class Grounds:
    """What a check says of its rows' confidence: the two columns, null where nothing lowers it."""

    confidence: ir.DecimalValue
    reason: ir.StringValue

    def columns(self) -> dict[str, ir.Value]:
        """For `rows.candidates(**…)`."""
        return {"confidence": self.confidence, "confidence_reason": self.reason}

    def and_(self, other: "Grounds") -> "Grounds":
        """Both grounds hold: the lower confidence counts, with its reason first and the other's after it."""
        mine, others = self.confidence.fill_null(1), other.confidence.fill_null(1)
        both = self.reason.notnull() & other.reason.notnull()
        joined = (others < mine).ifelse(other.reason + "; " + self.reason, self.reason + "; " + other.reason)
        value = ibis.least(mine, others).nullif(1).cast(_TYPE)
        return Grounds(value, both.ifelse(joined, ibis.coalesce(self.reason, other.reason)))


def suspected(where: ir.BooleanValue, value: Decimal, reason: str) -> Grounds:
    """Rows that only look like a case are as sure as a setting of the check says; the others are certain."""
    lowered = where.ifelse(ibis.literal(value).cast(_TYPE), ibis.null(_TYPE))
    return Grounds(lowered, where.ifelse(ibis.literal(reason), ibis.null("string")))


def of_link(basis: ir.StringValue, score: ir.DecimalValue) -> Grounds:
    """A crosswalk link: declared and confirmed ones are certain, a matched one is as sure as its score, never 1.00."""
    matched = basis == "matched"
    value = ibis.least(score.fill_null(0), ibis.literal(NEARLY)).cast(_TYPE)
    said = ibis.literal("accounts joined on their names, score ") + score.cast("decimal(5, 2)").cast("string")
    return Grounds(matched.ifelse(value, ibis.null(_TYPE)), matched.ifelse(said, ibis.null("string")))


def of_reading(confidence: ir.DecimalValue, confirmed_by: ir.StringValue) -> Grounds:
    """What a machine read out of a text: as sure as it says, until a person confirms it. Null: a person read it."""
    machine = confidence.notnull() & confirmed_by.isnull()
    value = ibis.least(confidence, ibis.literal(NEARLY)).cast(_TYPE)
    reason = ibis.literal("read out of a text by a machine, confirmed by nobody")
    return Grounds(machine.ifelse(value, ibis.null(_TYPE)), machine.ifelse(reason, ibis.null("string")))


def surest(of_rows: Grounds) -> Grounds:
    """For a group of rows that each would do: the surest one counts."""
    value = of_rows.confidence.fill_null(1).max().nullif(1)
    doubted = of_rows.reason.notnull().all()
    its_reason = of_rows.reason.argmax(of_rows.confidence)
    return Grounds(value.cast(_TYPE), doubted.ifelse(its_reason, ibis.null("string")))


def of_band(value: ir.DecimalValue, low: ir.DecimalValue, high: ir.DecimalValue) -> Grounds:
    """A value outside the band that a model expects: 0.70 at its edge, surer with the distance, 0.99 a width beyond."""
    beyond = ibis.greatest(value - high, low - value).cast("float64")
    share = (beyond / (high - low).cast("float64").nullif(0)).fill_null(1)
    sure = ibis.least(0.70 + 0.29 * share, float(NEARLY)).cast(_TYPE)
    return Grounds(sure, ibis.literal("a model expected another value: a band, not a rule"))
