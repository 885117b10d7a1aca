"""Which records a ZOQL query means: names checked against the schema, literals against the field's type.

A comparison with an empty field is never true, `!=` included; only `= null` and `!= null` see empty fields.
Texts compare with their case. Both are the stricter reading where the vendor's pages are silent.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from zlib import crc32

from sandbox.zuora.errors import Fault
from sandbox.zuora.records import Records
from sandbox.zuora.schema import Row, Value
from sandbox.zuora.zoql import Condition, Literal, malformed, parse

Predicate: TypeAlias = Callable[[Row], bool]
Groups: TypeAlias = tuple[tuple[Condition, ...], ...]

TEXTS = ("id", "text", "picklist")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_INSTANT_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE_TEXT = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def select(records: Records, text: str, zone: tzinfo) -> tuple[tuple[str, ...], list[Row]]:
    """The fields asked for (Id always among them, spelled as defined) and the records found.

    The order of the records is none that a caller could rely on: it follows a hash of the Id.
    Raises Fault.
    """
    query = parse(text)
    object_name = _resolve_object(records, query.object_name)
    fields = records.visible_fields(object_name)
    spelling = {name.lower(): name for name in fields}
    names = dict.fromkeys([*(_resolve_field(spelling, name, object_name) for name in query.fields), "Id"])
    groups = tuple(
        tuple(Condition(_resolve_field(spelling, c.field, object_name), c.operator, c.literal) for c in group)
        for group in query.where
    )
    matches = _any_group(groups, fields, zone)
    found = [row for row in _candidates(records, object_name, groups, fields) if matches(row)]
    return tuple(names), sorted(found, key=_scatter)


def _scatter(row: Row) -> tuple[int, str]:
    identity = str(row["Id"])
    return crc32(identity.encode()), identity


def _resolve_object(records: Records, name: str) -> str:
    spelling = {known.lower(): known for known in records.visible_objects()}
    if name.lower() not in spelling:
        raise Fault("INVALID_TYPE", f"The object {name} does not exist or is not visible to this user.")
    return spelling[name.lower()]


def _resolve_field(spelling: Mapping[str, str], name: str, object_name: str) -> str:
    if name.lower() not in spelling:
        raise Fault("INVALID_FIELD", f"The field {name} does not exist on {object_name}.")
    return spelling[name.lower()]


def _candidates(records: Records, object_name: str, groups: Groups, fields: Mapping[str, str]) -> list[Row]:
    """The records that could match: through an index where every group pins the same id or text field."""
    pins = [{c.field: c.literal for c in group if _pins(c, fields[c.field])} for group in groups]
    shared = set.intersection(*(set(pin) for pin in pins)) if pins else set()
    if not shared:
        return records.rows(object_name)
    field = min(shared, key=lambda name: (fields[name] != "id", name))
    return records.where(object_name, field, [str(pin[field]) for pin in pins])


def _pins(condition: Condition, kind: str) -> bool:
    return condition.operator == "=" and kind in ("id", "text") and isinstance(condition.literal, str)


def _any_group(groups: Groups, fields: Mapping[str, str], zone: tzinfo) -> Predicate:
    tests = [[_predicate(c, fields[c.field], zone) for c in group] for group in groups]
    if not tests:
        return lambda _: True
    return lambda row: any(all(test(row) for test in group) for group in tests)


def _predicate(condition: Condition, kind: str, zone: tzinfo) -> Predicate:
    name, sign = condition.field, condition.operator
    if condition.literal is None:
        return _null_test(name, sign)
    if sign == "like":
        return _like_test(name, kind, condition.literal)
    if kind == "boolean" and sign not in ("=", "!="):
        raise malformed(f"{sign!r} does not compare the boolean {name}")
    compare, wanted = _COMPARE[sign], operand(name, kind, condition.literal, zone)
    return lambda row: (value := row.get(name)) is not None and compare(value, wanted)


def _null_test(name: str, sign: str) -> Predicate:
    if sign == "=":
        return lambda row: name not in row
    if sign == "!=":
        return lambda row: name in row
    raise malformed(f"{sign!r} does not compare {name} with null")


def _like_test(name: str, kind: str, literal: Literal) -> Predicate:
    if kind not in TEXTS or not isinstance(literal, str):
        raise malformed(f"'like' compares texts only, and {name} is a {kind}")
    pattern = re.compile(".*".join(re.escape(part) for part in literal.split("%")), re.DOTALL)
    return lambda row: pattern.fullmatch(str(row.get(name, ""))) is not None and name in row


def operand(name: str, kind: str, literal: Literal, zone: tzinfo) -> Value:
    """The literal as a value of the field's type; an instant without a zone is in the tenant's.

    Raises Fault INVALID_VALUE when it is none.
    """
    value = _converted(kind, literal, zone)
    if value is None:
        raise Fault("INVALID_VALUE", f"{name} is a {kind}; {literal!r} is not a value for it.")
    return value


def _converted(kind: str, literal: Literal, zone: tzinfo) -> Value | None:
    if kind == "boolean":
        return literal if isinstance(literal, bool) else None
    if kind in ("integer", "decimal"):
        return _number(literal)
    if not isinstance(literal, str):
        return None
    try:
        if kind == "datetime":
            return _instant(literal, zone) if _INSTANT_TEXT.fullmatch(literal) else None
        if kind == "date":
            return date.fromisoformat(literal) if _DATE_TEXT.fullmatch(literal) else None
    except ValueError:
        return None
    return literal


def _number(literal: Literal) -> Decimal | None:
    """A number, quoted or not."""
    if isinstance(literal, Decimal):
        return literal
    try:
        number = Decimal(literal) if isinstance(literal, str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _instant(text: str, zone: tzinfo) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=zone)
