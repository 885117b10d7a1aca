"""Values of rows as the SOAP side writes them: Java's doubles, instants with the session's offset, references."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.columns import Value
from sandbox.netsuite.displays import NAMES, target_of
from sandbox.netsuite.soap.definition import CORE, type_named

_BIG, _SMALL = Decimal(10_000_000), Decimal("0.001")
_CUSTOM = ("custentity", "custbody", "custcol")


def double(value: Value | None) -> str | None:
    """A number as Java prints a double: always with a fraction, and with an exponent from ten millions on."""
    if value is None:
        return None
    number = Decimal(str(value))
    exponent = 0
    if number and not _SMALL <= abs(number) < _BIG:
        exponent = number.adjusted()
        number = number.scaleb(-exponent)
    text = f"{number.normalize():f}"
    text = text if "." in text else f"{text}.0"
    return f"{text}E{exponent}" if exponent else text


def negated(value: Value | None) -> Decimal | None:
    return None if value is None else Decimal(0) - Decimal(str(value))


def moment(value: Value | None, zone: ZoneInfo) -> str | None:
    """An instant, or the midnight of a day, with the offset that the session's zone has then."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return datetime.combine(value, time(), zone).isoformat(timespec="milliseconds")
    return None


def yes(value: Value | None) -> bool | None:
    return None if value is None else value == "T"


def reference(account: NetSuiteAccount, table: str, column: str, value: Value | None) -> dict[str, str] | None:
    """A RecordRef with the name of the record; a code that names no record is a name alone."""
    if value is None:
        return None
    target = target_of(table, column)
    row = account.find(target, str(value)) if target and target in account.schema() else None
    if row is None:
        return {"internalId": str(value), "name": str(value)}
    name = next((str(row[name]) for name in NAMES[target or ""] if name in row), str(value))
    return {"internalId": str(value), "name": name}


def custom_fields(account: NetSuiteAccount, table: str, row: dict[str, Value]) -> dict[str, object] | None:
    """The custom columns of a row as a CustomFieldList."""
    columns = account.schema().get(table, {})
    fields = [
        _custom(name, columns[name], value, account.session_zone)
        for name, value in row.items()
        if name.startswith(_CUSTOM)
    ]
    return {"customField": fields} if fields else None


_WRITTEN: Mapping[str, tuple[str, Callable[[Value], object]]] = {
    "boolean": ("Boolean", yes),
    "integer": ("Long", str),
    "number": ("Double", double),
    "text": ("String", str),
}


def _custom(name: str, kind: str, value: Value, zone: ZoneInfo) -> object:
    if kind in ("date", "datetime"):
        return type_named(CORE, "DateCustomFieldRef")(scriptId=name, value=moment(value, zone))
    word, write = _WRITTEN[kind]
    return type_named(CORE, f"{word}CustomFieldRef")(scriptId=name, value=write(value))
