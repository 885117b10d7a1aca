"""The data dictionary: every attribute that several systems hold, who is right about it, and what each of them means.

Made of the declarations in force (checks/system_of_record.py and tieout.yaml) and of what the sources' mappings fill.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from books.columns import Kind
from checks.contract import Attribute, Copy
from checks.system_of_record import implied
from connectors.fields import ColumnRule
from connectors.mapping import Mapping as SourceMapping
from gateway.installation import Installation
from gateway.owners.model import Owners

# What a transform says about the source's value.
_SAID_BY: Mapping[str, str] = {
    "day_after": "the source names the last day that is covered",
    "month_start": "the source names a month",
    "month_end": "the source names a month",
    "negate": "the source has the opposite sign",
    "absolute": "the source may sign it",
    "hundredths": "the source counts in hundredths",
    "bound": "negative in the source means without end",
    "months_of": "the source names the period in words",
    "choice": "translated from the source's words",
    "date_written": "the source sends an instant, of which the day counts as written",
}
# Columns that hold the first day that is not covered: what a source's own date says where it is taken as it is.
_ENDS = frozenset({"end_date", "period_end"})
_EXCLUSIVE = "the source names the first day that is not covered"


@dataclass(frozen=True)
class Filled:
    """A column that an object of a source fills, from which fields and how."""

    source: str
    object: str
    fields: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Held:
    """One role's copy. `filled` is empty where no source of this installation fills it."""

    role: str
    column: str
    right: bool
    means: str
    basis: str | None
    filled: tuple[Filled, ...]


@dataclass(frozen=True)
class Entry:
    """One attribute. `team` answers for it; `declared` is false where who is right only follows from the entity."""

    name: str
    about: str
    declared: bool
    owner: str
    team: str
    severity: str
    mode: str
    copies: tuple[Held, ...]

    @property
    def right(self) -> Held | None:
        """The copy that counts here: the first that a source fills; None where none does."""
        return next((copy for copy in self.copies if copy.right), None)


def dictionary(installed: Installation) -> list[Entry]:
    """The declared attributes in their order, then every other column that sources of several roles fill."""
    places = _places(installed.config.roles(), installed.mappings)
    declared = installed.config.attributes().by_name
    known = {(copy.entity, copy.column) for one in declared.values() for copy in one.copies}
    entries = [_entry(one, places, installed.owners, declared=True) for one in declared.values()]
    for entity, column in sorted({(entity, column) for _, entity, column in places} - known):
        roles = [role for role, *place in places if place == [entity, column]]
        entry = _apart(_entry(implied(entity, column, roles), places, installed.owners, declared=False))
        if len(entry.copies) > 1:
            entries.append(entry)
    return entries


def _apart(entry: Entry) -> Entry:
    """Without the copies whose sources stand under another role already: one source may play several."""
    seen: set[str] = set()
    kept = []
    for copy in entry.copies:
        sources = {one.source for one in copy.filled}
        if not sources <= seen:
            kept.append(copy)
        seen |= sources
    return replace(entry, copies=tuple(kept))


Places = Mapping[tuple[str, str, str], Sequence[Filled]]


def _places(roles: Mapping[str, Sequence[str]], mappings: Mapping[str, SourceMapping]) -> Places:
    """What fills which (role, entity, column). Keys of other records join rows, and are no attributes."""
    found: dict[tuple[str, str, str], list[Filled]] = {}
    for role, sources in roles.items():
        for source in sources:
            for entity, rule, filled in _filled(source, mappings[source]):
                if not rule.column.endswith("_key") or rule.kind is not Kind.TEXT or rule.column == "parent_key":
                    found.setdefault((role, entity, rule.column), []).append(filled)
    return found


def _filled(source: str, mapping: SourceMapping) -> Iterator[tuple[str, ColumnRule, Filled]]:
    for name, mapped in mapping.objects.items():
        for target in mapped.targets:
            for rule in target.columns:
                fields = tuple(field.path for field in rule.fields)
                yield target.entity.name, rule, Filled(source, name, fields, _note(rule))


def _note(rule: ColumnRule) -> str:
    if not rule.fields:
        return f"always {rule.otherwise}"
    plain_end = rule.column in _ENDS and rule.transform == "date"
    return _EXCLUSIVE if plain_end else _SAID_BY.get(rule.transform, "")


def _entry(attribute: Attribute, places: Places, owners: Owners, *, declared: bool) -> Entry:
    copies = [_held(copy, places) for copy in attribute.copies]
    right = next((n for n, copy in enumerate(copies) if copy.filled), None)
    return Entry(
        attribute.name,
        attribute.about,
        declared,
        attribute.owner.value,
        owners.roles[attribute.owner],
        attribute.severity.value,
        attribute.mode.value,
        tuple(replace(copy, right=n == right) for n, copy in enumerate(copies)),
    )


def _held(copy: Copy, places: Places) -> Held:
    filled = tuple(places.get((copy.role, copy.entity, copy.column), ()))
    basis = copy.basis.value if copy.basis else None
    return Held(copy.role, f"{copy.entity}.{copy.column}", False, copy.means, basis, filled)
