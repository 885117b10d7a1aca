"""The column types of the books, each with its Arrow and its Ibis type.

Money is `decimal(18,4)` with its currency beside it; quantities are `decimal(18,6)`; prices per unit keep
eight places, because usage is sold at fractions of a cent.
"""

from dataclasses import dataclass
from enum import Enum

import ibis.expr.datatypes as dt
import pyarrow as pa


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    MONEY = "money"
    QUANTITY = "quantity"
    PRICE = "price"
    WHOLE = "whole"
    FLAG = "flag"
    DATE = "date"
    INSTANT = "instant"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW[self]

    @property
    def ibis(self) -> dt.DataType:
        return _IBIS[self]


_ARROW: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.MONEY: pa.decimal128(18, 4),
    Kind.QUANTITY: pa.decimal128(18, 6),
    Kind.PRICE: pa.decimal128(24, 8),
    Kind.WHOLE: pa.int64(),
    Kind.FLAG: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
}
_IBIS: dict[Kind, dt.DataType] = {
    Kind.TEXT: dt.string,
    Kind.MONEY: dt.Decimal(18, 4),
    Kind.QUANTITY: dt.Decimal(18, 6),
    Kind.PRICE: dt.Decimal(24, 8),
    Kind.WHOLE: dt.int64,
    Kind.FLAG: dt.boolean,
    Kind.DATE: dt.date,
    Kind.INSTANT: dt.Timestamp("UTC", 6),
}


@dataclass(frozen=True)
class Column:
    """A named, typed column of an entity."""

    name: str
    kind: Kind


def columns(**kinds: str) -> tuple[Column, ...]:
    """Columns from `name="kind"` pairs, in the order given."""
    return tuple(Column(name, Kind(kind)) for name, kind in kinds.items())
