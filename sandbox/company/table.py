"""A dict of frozen records that also finds them by the value of a field."""

from collections.abc import Hashable
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Table(dict[K, V]):
    """`Table("contract_id")` is a dict with `where(contract_id=…)`.

    A record that replaces another keeps its place.

    Records are put and taken one by one; `update` and the like would pass the index by.
    """

    def __init__(self, *by: str) -> None:
        super().__init__()
        self._by: dict[str, dict[object, dict[K, V]]] = {name: {} for name in by}

    def where(self, **value: object) -> list[V]:
        """The records of which the field, one that the table was made with, has the value; the oldest first."""
        ((name, wanted),) = value.items()
        return list(self._by[name].get(wanted, {}).values())

    def __setitem__(self, key: K, record: V) -> None:
        before = self.get(key)
        super().__setitem__(key, record)
        for name, places in self._by.items():
            now = getattr(record, name)
            if before is not None and getattr(before, name) != now:
                places[getattr(before, name)].pop(key)
            places.setdefault(now, {})[key] = record

    def __delitem__(self, key: K) -> None:
        record = self[key]
        super().__delitem__(key)
        for name, places in self._by.items():
            places[getattr(record, name)].pop(key)

    def pop(self, key: K, *default: Any) -> Any:
        """As of a dict."""
        if key not in self:
            return super().pop(key, *default)
        record = self[key]
        del self[key]
        return record
