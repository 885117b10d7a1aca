"""How values look on the wire: JSON with exact numbers, three ways to write an instant, camel case."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from json.encoder import encode_basestring_ascii
from types import NoneType
from typing import Any, TypeAlias

from sandbox.zuora.schema import Row, Value

Json: TypeAlias = "bool | int | str | Decimal | Sequence[Json] | Mapping[str, Json] | None"
WriteInstant: TypeAlias = Callable[[datetime, tzinfo], str]


def encode(value: Json) -> str:
    """JSON text. Decimals keep every digit and lose trailing zeros, as amounts in real answers do."""
    write = _SCALARS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, Mapping):
        return "{" + ",".join([f"{_key(name)}:{encode(item)}" for name, item in value.items()]) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join([encode(item) for item in value]) + "]"
    raise TypeError(f"{value!r} has no place in JSON.")


def number(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


_key = cache(encode_basestring_ascii)
_SCALARS: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    Decimal: number,
    bool: lambda value: "true" if value else "false",
    int: str,
    NoneType: lambda _: "null",
}


def zoql_instant(value: datetime, zone: tzinfo) -> str:
    """2026-01-01T00:00:00.000-08:00"""
    return value.astimezone(zone).isoformat(timespec="milliseconds")


def object_query_instant(value: datetime, zone: tzinfo) -> str:
    """2025-03-21T01:42:47-07:00, as in the vendor's page "List invoices"."""
    return value.astimezone(zone).isoformat(timespec="seconds")


def v1_instant(value: datetime, zone: tzinfo) -> str:
    """2022-12-08 19:49:16, in the tenant's zone and without saying so, as in "Retrieve an invoice"."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def plain(value: Value, zone: tzinfo, write: WriteInstant) -> Json:
    """A field's value as JSON knows it."""
    if isinstance(value, datetime):
        return write(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    return value


def camel(name: str) -> str:
    """InvoiceDate as invoiceDate, and UOM as uOM: only the first letter changes. Custom names stay."""
    return name if name.endswith("__c") else name[:1].lower() + name[1:]


def camel_row(row: Row, fields: Mapping[str, str], zone: tzinfo, write: WriteInstant) -> dict[str, Json]:
    """Every field of the object by its camel-case name; null where the row has no value."""
    return {camel(name): plain(row[name], zone, write) if name in row else None for name in sorted(fields)}
