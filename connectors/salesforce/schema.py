"""Which fields the integration user sees: asked before reading, because a hidden field must not become a null."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from connectors.contract import SourceField
from connectors.errors import SchemaChanged


class Schema:
    """What describe says of each object, asked once. `describe` gives the vendor's description of an object."""

    def __init__(self, system: str, describe: Callable[[str], Any]) -> None:
        self._system = system
        self._describe = describe
        self._known: dict[str, dict[str, Any]] = {}

    def require(self, name: str, fields: Iterable[str]) -> None:
        """Raises SchemaChanged, naming them, when fields (`Name`, `Product__r.Code`) are missing or hidden."""
        missing = [path for path in fields if not self.has(name, path)]
        if missing:
            raise SchemaChanged(
                f"{self._system} does not show {', '.join(missing)} of {name}. "
                "Give the integration user access to them, or correct the mapping."
            )

    def has(self, name: str, path: str) -> bool:
        """Whether the object has the field, walking by relationship names to the objects that they point to.

        Letter case counts: SOQL takes any, but the records that come back are read by the name as it is.
        """
        return next(self._found(name, path), None) is not None

    def type_of(self, name: str, path: str) -> str:
        """The vendor's word for a field's type; empty for one that is not there."""
        field = next(self._found(name, path), None)
        return str(field.get("type") or "") if field else ""

    def fields(self, name: str) -> Sequence[SourceField]:
        """Every field that the integration user sees, asked afresh. A formula says so in its type: its value changes
        without the stamp of the record (vendors.md A3)."""
        self._known[name] = self._describe(name)
        return [_source_field(field) for field in self._known[name]["fields"]]

    def _found(self, name: str, path: str) -> Iterator[dict[str, Any]]:
        """The field at the end of the path, of every object that its lookups may point to."""
        relationship, _, rest = path.partition(".")
        for field in self._of(name)["fields"]:
            if not rest and field["name"] == path:
                yield field
            if rest and field.get("relationshipName") == relationship:
                for target in field.get("referenceTo") or ():
                    yield from self._found(target, rest)

    def replicates(self, name: str) -> bool:
        """Whether getDeleted serves the object."""
        return bool(self._of(name).get("replicateable", True))

    def _of(self, name: str) -> dict[str, Any]:
        if name not in self._known:
            self._known[name] = self._describe(name)
        return self._known[name]


def _source_field(field: dict[str, Any]) -> SourceField:
    kind = str(field.get("type") or "")
    values = [str(entry["value"]) for entry in field.get("picklistValues") or () if entry.get("active", True)]
    return SourceField(
        name=str(field["name"]),
        type=f"{kind}(formula)" if field.get("calculated") else kind,
        nullable=bool(field.get("nillable", True)),
        values=tuple(values),
    )
