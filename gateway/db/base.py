"""The declarative base of every table: named constraints, instants with a time zone, exact amounts."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# JSON that a column holds: objects and lists whose leaves are text, whole numbers, booleans or null.
Document = dict[str, Any]


class Base(DeclarativeBase):
    """Money is numeric(24,4): 10^20 units of any currency. Text has no length, instants carry a zone."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(24, 4),
        Document: JSONB(),
        list[Any]: JSONB(),
    }
