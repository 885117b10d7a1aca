"""A mapping against what its source says of itself today, and against what the source said at the last run."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from books.columns import Kind
from connectors.contract import SourceField
from connectors.errors import ConnectorError, LoginRefused, NotVisible, TransientError
from connectors.fields import ColumnRule
from connectors.mapping import ObjectMapping, Target
from gateway.sync.described import Description, columns_of, missing
from gateway.sync.schema_diff import Change, Difference, compare, renames
from gateway.sync.schemas import Schemas
from gateway.sync.source import OpenSource


class About(StrEnum):
    """What a remark is about. Only `changed` is mere news."""

    UNREACHED = "unreached"
    MISSING = "missing"
    TYPE = "type"
    VALUES = "values"
    MEANING = "meaning"
    CHANGED = "changed"


@dataclass(frozen=True)
class Remark:
    """Something about a field of an object; `field` is "" where it is about the object."""

    source: str
    object: str
    field: str
    about: About
    text: str


# The vendors' words for types that cannot hold what a column of another kind needs; any other word may hold anything.
_NUMBERS = frozenset(
    ["int", "integer", "long", "bigint", "double", "float", "decimal", "number", "numeric", "currency", "percent"]
)
_DAYS = frozenset(["date", "datetime", "timestamp", "time", "instant"])
_FLAGS = frozenset(["boolean", "bool", "checkbox"])
_UNFIT: Mapping[Kind, frozenset[str]] = {
    **dict.fromkeys((Kind.MONEY, Kind.QUANTITY, Kind.PRICE, Kind.WHOLE), _DAYS | _FLAGS),
    Kind.DATE: _NUMBERS | _FLAGS,
    Kind.INSTANT: _FLAGS,
    Kind.FLAG: _DAYS,
}


def differences(source: OpenSource, schemas: Schemas) -> Iterator[Remark]:
    """Every object that is walked, asked afresh. A source that gives no answer is asked no further."""
    for name in source.mapping.walked:
        try:
            fields = source.connector.fields(name)
        except ConnectorError as error:
            if isinstance(error, NotVisible) and source.mapping.objects[name].optional:
                continue
            yield Remark(source.name, name, "", About.UNREACHED, str(error))
            if isinstance(error, TransientError | LoginRefused):
                return
            continue
        if fields:
            before = schemas.fields(source.name, name)
            yield from of_object(source.name, source.mapping.objects[name], before, fields)


def of_object(
    system: str, mapped: ObjectMapping, before: Sequence[SourceField], now: Sequence[SourceField]
) -> Iterator[Remark]:
    """Mistakes first, news after them. `before`: the description of the last run."""

    def remark(field: str, about: About, text: str) -> Remark:
        return Remark(system, mapped.name, field, about, text)

    described = Description(now)
    for path in missing(mapped, now):
        perhaps = _perhaps(path, before, now)
        yield remark(path, About.MISSING, f"is not there{perhaps}; it fills {', '.join(columns_of(mapped, path))}")
    for target in mapped.targets:
        for rule in target.columns:
            yield from (remark(*said) for said in _rule(target, rule, described))
        for field, allowed in target.where:
            known = described.get(field.path)
            listed = allowed if isinstance(allowed, Set) else frozenset[str]()
            never = sorted(listed - set(known.values)) if known and known.values else []
            if never:
                text = f"never is {', '.join(map(repr, never))}, which {target.entity.name} asks for"
                yield remark(field.path, About.VALUES, text)
    for difference in compare(before, now) if before else ():
        yield remark(difference.field, About.CHANGED, _news(difference))


def _rule(target: Target, rule: ColumnRule, described: Description) -> Iterator[tuple[str, About, str]]:
    place = f"{target.entity.name}.{rule.column}"
    for field in rule.fields:
        known = described.get(field.path)
        if known is None:
            continue
        if known.type.lower() in _UNFIT.get(rule.kind, frozenset()) and not rule.choices:
            yield field.path, About.TYPE, f"is a {known.type}, and {place} needs a {rule.kind.value}"
        unknown = _unknown(target, rule, known, field.path)
        if unknown:
            fate = "become " + repr(rule.otherwise) if rule.otherwise is not None else "are rejected or left empty"
            text = f"may be {', '.join(map(repr, unknown))}, which {place} does not know: such records {fate}"
            yield field.path, About.VALUES, text


def _unknown(target: Target, rule: ColumnRule, known: SourceField, path: str) -> list[str]:
    """The values of a choice that reach the target and that the mapping does not name."""
    if not rule.choices:
        return []
    reaching = set(known.values)
    for field, allowed in target.where:
        if field.path == path:
            reaching = {value for value in reaching if value in allowed}
    return sorted(reaching - set(rule.choices))


def _perhaps(path: str, before: Sequence[SourceField], now: Sequence[SourceField]) -> str:
    """What the field may be called now: guessed from its type in the last description."""
    lost = [field for field in before if field.name == path]
    come = [field for field in now if field.name not in {known.name for known in before}]
    guess = renames(lost, come).get(path)
    return f" any more, and may be called {guess} now" if guess else ""


def _news(difference: Difference) -> str:
    """A difference as words that follow the field's name."""
    before, after = difference.before, difference.after
    return {
        Change.APPEARED: f"is new ({after})",
        Change.VANISHED: f"is gone (it was a {before})",
        Change.RENAMED: f"may be called {after} now",
        Change.TYPE: f"is a {after} and was a {before}",
        Change.NULLABILITY: f"is {after} and was {before}",
        Change.VALUES: " and ".join(_values(before, after)),
    }[difference.change]


def _values(before: str | None, after: str | None) -> Iterator[str]:
    if after:
        yield f"now allows {after}"
    if before:
        yield f"no longer allows {before}"
