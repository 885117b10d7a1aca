"""Mapped fields against what a source says of its objects.

A source describes the fields of an object itself, and of a joined or looked-up one only where its connector can: a
path such as `Tier.Price` is judged when something is described under `Tier.`. An SQL expression is judged by nobody.
"""

from collections.abc import Iterator, Sequence

from connectors.contract import SourceField
from connectors.mapping import ObjectMapping


class Description:
    """The fields of one object, found whatever the case of their names: no vendor's query language minds it."""

    def __init__(self, fields: Sequence[SourceField]) -> None:
        self._fields = {field.name.lower(): field for field in fields}
        self._heads = {name.partition(".")[0] for name in self._fields if "." in name}

    def get(self, path: str) -> SourceField | None:
        return self._fields.get(path.lower())

    def judges(self, path: str) -> bool:
        """Whether the absence of this field from the description says that it is not there."""
        if not self._fields or "(" in path or " " in path:
            return False
        head, dot, _ = path.lower().partition(".")
        return not dot or head in self._heads


def missing(mapped: ObjectMapping, fields: Sequence[SourceField]) -> list[str]:
    """The mapped fields that the source, which describes the object, does not have."""
    description = Description(fields)
    return [path for path in mapped.fields if description.judges(path) and description.get(path) is None]


def columns_of(mapped: ObjectMapping, path: str) -> list[str]:
    """What a field fills, as `entity.column`; `the key` and `the cursor` where it is one."""
    return list(dict.fromkeys(_uses(mapped, path)))


def _uses(mapped: ObjectMapping, path: str) -> Iterator[str]:
    if any(field.path == path for field in mapped.key):
        yield "the key"
    if mapped.modified and mapped.modified.path == path:
        yield "the cursor"
    for target in mapped.targets:
        for rule in target.rules:
            if any(field.path == path for field in rule.fields):
                yield f"{target.entity.name}.{rule.column}"
