"""What is different between two descriptions of one object. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from connectors.contract import SourceField

# Names that share at least so much of their letters are thought to be one name before and after.
ALIKE = 0.6


class Change(StrEnum):
    """What happened to a field. `renamed` is a guess, told beside the `vanished` and the `appeared` it rests on."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    RENAMED = "renamed"
    TYPE = "type"
    NULLABILITY = "nullability"
    VALUES = "values"


@dataclass(frozen=True)
class Difference:
    """One change of one field; `before` and `after` are what the description said, as text."""

    field: str
    change: Change
    before: str | None
    after: str | None


def compare(before: Sequence[SourceField], after: Sequence[SourceField]) -> Iterator[Difference]:
    """Every difference, by field name. The order in which a source lists its fields is none."""
    old, new = {field.name: field for field in before}, {field.name: field for field in after}
    lost = [old[name] for name in sorted(old.keys() - new.keys())]
    come = [new[name] for name in sorted(new.keys() - old.keys())]
    yield from (Difference(field.name, Change.VANISHED, field.type, None) for field in lost)
    yield from (Difference(field.name, Change.APPEARED, None, field.type) for field in come)
    for was, became in renames(lost, come).items():
        yield Difference(was, Change.RENAMED, was, became)
    for name in sorted(old.keys() & new.keys()):
        yield from _changed(old[name], new[name])


def renames(lost: Sequence[SourceField], come: Sequence[SourceField]) -> Mapping[str, str]:
    """Which of the new names each lost one most likely bears now: same type, alike, each new name once."""
    pairs = [
        (_likeness(was.name, became.name), was.name, became.name)
        for was in lost
        for became in come
        if was.type == became.type
    ]
    found: dict[str, str] = {}
    for likeness, was, became in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if likeness >= ALIKE and was not in found and became not in found.values():
            found[was] = became
    return found


def _changed(old: SourceField, new: SourceField) -> Iterator[Difference]:
    if old.type != new.type:
        yield Difference(old.name, Change.TYPE, old.type, new.type)
    if old.nullable != new.nullable:
        yield Difference(old.name, Change.NULLABILITY, _nullable(old), _nullable(new))
    if set(old.values) != set(new.values):
        gone, added = sorted(set(old.values) - set(new.values)), sorted(set(new.values) - set(old.values))
        yield Difference(old.name, Change.VALUES, _listed(gone, old), _listed(added, new))


def _listed(values: Sequence[str], of: SourceField) -> str | None:
    """The values on one side only; where one side allows anything, that is said instead."""
    return ", ".join(values) or (None if of.values else "any value")


def _nullable(field: SourceField) -> str:
    return "nullable" if field.nullable else "required"


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio()
