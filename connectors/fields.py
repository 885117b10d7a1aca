"""Fields of a record, and the rules by which they fill columns."""

from collections import abc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from books.columns import Kind
from connectors.contract import Record
from connectors.transforms import Convert, encodable

Read = Callable[[Record], Any]
KEY_SEPARATOR = "/"


@dataclass(frozen=True)
class Field:
    """A field of a record: a name, or a path such as `Tier.Price` through joined and looked-up records."""

    path: str

    @cached_property
    def read(self) -> Read:
        """The value, or None where the record, or one on the way, does not have it."""
        if not self.nested:
            name = self.path
            return lambda record: record.get(name)
        steps = self.path.split(".")

        def walk(record: Record) -> Any:
            value: Any = record
            for step in steps:
                # Nearly every record is a dict, and asking for the abstract kind takes longer than the rest.
                if type(value) is not dict and not isinstance(value, abc.Mapping):
                    return None
                value = value.get(step)
            return value

        return walk

    @property
    def nested(self) -> bool:
        """A path, not a name; an SQL expression such as BUILTIN.DF(currency) is a name."""
        return "." in self.path and "(" not in self.path


@dataclass(frozen=True)
class ColumnRule:
    """How one column is filled: the first field that has a value, converted; else `otherwise`.

    `joined` puts all fields together instead, as keys are. `convert` is None for a constant. `choices` are the values
    of the source that a choice knows by name; empty where the rule is none. `transform` is the name of the conversion.
    """

    column: str
    kind: Kind
    fields: tuple[Field, ...]
    convert: Convert | None
    otherwise: Any = None
    joined: bool = False
    choices: tuple[str, ...] = ()
    transform: str = ""

    def values(self, records: Iterable[Record]) -> list[Any]:
        """What `read` gives for each of the records."""
        if len(self.fields) == 1 and not self.joined and not self.fields[0].nested:
            name = self.fields[0].path
            return [record.get(name) for record in records]
        read = self.read
        return [read(record) for record in records]

    @cached_property
    def read(self) -> Read:
        if self.joined:
            return joined(self.fields)
        if len(self.fields) == 1:
            return self.fields[0].read
        reads = [f.read for f in self.fields]
        return lambda record: next((v for read in reads if (v := read(record)) is not None and v != ""), None)


def joined(fields: Sequence[Field]) -> Callable[[Record], str | None]:
    """The fields' values as one key, or None where one is missing or cannot be stored."""
    reads = [f.read for f in fields]

    def join(record: Record) -> str | None:
        parts = [word(read(record)) for read in reads]
        key = KEY_SEPARATOR.join(parts)
        return key if all(parts) and encodable(key) else None

    return join


def word(value: Any) -> str:
    """A value as `where` and keys compare it: text, with true and false as words, and nothing as ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
