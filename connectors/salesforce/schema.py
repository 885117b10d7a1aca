"""Which fields the integration user sees: asked before reading, because a hidden field must not become a null."""

from collections.abc import Callable, Iterable
from typing import Any

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
        relationship, _, rest = path.partition(".")
        fields = self._of(name)["fields"]
        if not rest:
            return any(field["name"] == path for field in fields)
        targets = [
            target
            for field in fields
            if field.get("relationshipName") == relationship
            for target in field.get("referenceTo") or ()
        ]
        return any(self.has(target, rest) for target in targets)

    def replicates(self, name: str) -> bool:
        """Whether getDeleted serves the object."""
        return bool(self._of(name).get("replicateable", True))

    def _of(self, name: str) -> dict[str, Any]:
        if name not in self._known:
            self._known[name] = self._describe(name)
        return self._known[name]
