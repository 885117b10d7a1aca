"""Fields and their types: which Python values a field takes, and which object a lookup points at."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sandbox.salesforce.ids import normal_id

Value = str | bool | int | Decimal | date | datetime | None

TEXT = frozenset({"string", "picklist", "textarea", "base64"})
KEYS = frozenset({"id", "reference"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})
_LOOKUP = re.compile(r"reference(?:\((\w+)\))?")
_PICKLIST = re.compile(r"picklist\((.+)\)")
_FORMULA = "(formula)"


@dataclass(frozen=True)
class Field:
    """`target` is the object named in a declared type such as `reference(Product2)`, else None.

    `values` are those of a declared `picklist(Draft|Activated)`, and `calculated` is what ends in `(formula)`.
    """

    name: str
    type: str
    target: str | None = None
    values: tuple[str, ...] = ()
    calculated: bool = False

    @property
    def relationship(self) -> str | None:
        """The name under which a query walks to the parent: AccountId by Account, Quote__c by Quote__r."""
        if self.type != "reference":
            return None
        if self.name.endswith("__c"):
            return self.name[:-1] + "r"
        return self.name.removesuffix("Id") if self.name.endswith("Id") else None


SYSTEM_FIELDS = (
    Field("Id", "id"),
    Field("IsDeleted", "boolean"),
    Field("CreatedDate", "datetime"),
    Field("LastModifiedDate", "datetime"),
    Field("SystemModstamp", "datetime"),
)
ID, IS_DELETED, CREATED, MODIFIED, STAMP = range(len(SYSTEM_FIELDS))


def declared_field(name: str, declared: str) -> Field:
    """ValueError for a type that the simulator does not know."""
    if lookup := _LOOKUP.fullmatch(declared):
        return Field(name, "reference", lookup[1])
    if picklist := _PICKLIST.fullmatch(declared):
        return Field(name, "picklist", values=tuple(picklist[1].split("|")))
    plain = declared.removesuffix(_FORMULA)
    if plain not in _ACCEPT:
        raise ValueError(f"Field {name} has the unknown type {declared!r}; known are {', '.join(_ACCEPT)}.")
    return Field(name, plain, calculated=plain != declared)


def accepted(field: Field, value: object) -> Value:
    """The value as the org keeps it: empty text is null, instants are UTC in whole seconds, ids are 18 long.

    ValueError where the Python type is not the field's; money as float is refused.
    """
    if value is None or value == "":
        return False if field.type == "boolean" else None
    kept = _ACCEPT[field.type](value)
    if kept is None:
        raise ValueError(f"Field {field.name} of type {field.type} does not take {value!r}.")
    return kept


def whole_second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _text(value: object) -> Value:
    return value if isinstance(value, str) else None


def _key(value: object) -> Value:
    return normal_id(value) if isinstance(value, str) else None


def _boolean(value: object) -> Value:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> Value:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> Value:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    whole = _whole(value)
    return Decimal(whole) if isinstance(whole, int) else None


def _date(value: object) -> Value:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _instant(value: object) -> Value:
    return whole_second(value) if isinstance(value, datetime) and value.tzinfo else None


_ACCEPT: dict[str, Callable[[object], Value]] = {
    "id": _key,
    "string": _text,
    "picklist": _text,
    "textarea": _text,
    "base64": _text,
    "boolean": _boolean,
    "int": _whole,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _instant,
    "reference": _key,
}
