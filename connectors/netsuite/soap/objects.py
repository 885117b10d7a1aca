"""What an object of the mapping is in SuiteTalk: records of a type, or the lines of records of a type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.contract import Record
from connectors.errors import MappingError
from connectors.mapping import ObjectMapping
from connectors.netsuite.soap.records import lines_of


@dataclass(frozen=True)
class SoapObject:
    """`record` is the type of record that is searched; `lines` is the way to its lines, empty where there are none."""

    mapped: ObjectMapping
    record: str
    lines: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.mapped.name

    def records(self, record: Mapping[str, Any]) -> list[Record]:
        """The object's records in one record of SuiteTalk."""
        return lines_of(record, self.lines) if self.lines else [record]

    def key_of(self, record: Record) -> str | None:
        """The key by which `fetch` is asked for the record."""
        return self.mapped.targets[0].key_of(record)


def soap_object(mapped: ObjectMapping) -> SoapObject:
    """Raises MappingError for what only a query can do, and for lines that are not said whole."""
    if mapped.filter or mapped.join:
        raise MappingError(f"{mapped.name} has a filter or a join, which SOAP does not know: use `where`.")
    lines = mapped.options.get("lines")
    if lines is None:
        return SoapObject(mapped, mapped.name, ())
    if not isinstance(lines, dict) or set(lines) != {"of", "list"} or not all(map(str, lines.values())):
        raise MappingError(f"{mapped.name} has 'lines' that are not {{of: a record, list: the way to its lines}}.")
    return SoapObject(mapped, str(lines["of"]), tuple(str(lines["list"]).split(".")))
