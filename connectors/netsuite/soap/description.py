"""Which fields a type of record has, by the WSDL: SuiteTalk has no other description."""

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.contract import SourceField
from connectors.netsuite.soap.definition import Definition
from connectors.netsuite.soap.objects import SoapObject
from connectors.netsuite.soap.records import CUSTOM, OWNER

CUSTOM_FIELD = "custom"


def described(definition: Definition, what: SoapObject) -> list[SourceField]:
    """The fields of the object, and those paths of the mapping that the types lead to.

    Custom fields are in no WSDL: those that the mapping names are listed as if they were there.
    """
    kind = definition.type(what.record)
    own = kind
    for step in what.lines:
        own = _child(own, step)
    found = {field.name: field for field in _fields(own)}
    if what.lines:
        found |= {f"{OWNER}.{field.name}": SourceField(f"{OWNER}.{field.name}", field.type) for field in _fields(kind)}
    for path in what.mapped.fields:
        steps = path.split(".")
        word = _type_at(kind if steps[0] == OWNER else own, steps[1:] if steps[0] == OWNER else steps)
        if word:
            found.setdefault(path, SourceField(path, word))
    return list(found.values())


def _fields(kind: Any) -> Iterator[SourceField]:
    for name, element in kind.elements:
        yield SourceField(name, element.type.name or "", nullable=element.min_occurs == 0)
    for name, attribute in kind.attributes:
        yield SourceField(name, attribute.type.name or "")


def _type_at(kind: Any, steps: Sequence[str]) -> str:
    """The type that a path leads to; "" where it leads nowhere."""
    for n, step in enumerate(steps):
        if step == CUSTOM and n + 1 < len(steps):
            return CUSTOM_FIELD
        kind = _child(kind, step)
        if kind is None:
            return ""
    return kind.name or ""


def _child(kind: Any, name: str) -> Any:
    members = [*getattr(kind, "elements", ()), *getattr(kind, "attributes", ())]
    return next((member.type for known, member in members if known == name), None)
