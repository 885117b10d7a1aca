"""Which records belong to a record: what it is part of, what is part of it, and what shows a value of it."""

from collections.abc import Collection, Iterator, Sequence

from books.engine import connect
from books.entities import ENTITIES, Entity
from books.store import Store
from connectors.contract import Record
from connectors.mapping import Mapping
from gateway.sync.readings import entities_of


def related(mapping: Mapping, name: str, records: Sequence[Record]) -> Iterator[tuple[str, list[str]]]:
    """Per other object the keys of its records that these are part of, or that look these up by their own key."""
    for target in mapping.objects[name].targets:
        table, column = target.entity.parent or ("", "")
        rule = next((rule for rule in target.columns if rule.column == column), None)
        other = filled_by(mapping, table)
        if rule is not None and other is not None:
            yield other, _texts(rule.values(records))
    for other, mapped in mapping.objects.items():
        matches = [up.match for up in mapped.look_ups if up.object == name and (up.by,) == mapped.key]
        yield other, _texts([record.get(match) for match in matches for record in records])


def children(mapping: Mapping, name: str) -> Iterator[tuple[Entity, str]]:
    """The entities whose rows are parts of what an object fills, each with the object that fills it."""
    mine = entities_of(mapping, name)
    for entity in ENTITIES.values():
        other = filled_by(mapping, entity.name)
        if entity.parent and entity.parent[0] in mine and other is not None:
            yield entity, other


def parent_of(child: Entity) -> str:
    """The entity that a row of `child` is part of."""
    assert child.parent is not None
    return child.parent[0]


def kept_children(store: Store, system: str, child: Entity, parents: Collection[str]) -> list[str]:
    """The keys of the live rows that the books hold as parts of these."""
    version = store.version(child.name)
    relation = None if version is None else store.relation(child.name, version)
    if relation is None or child.parent is None or not parents:
        return []
    with connect() as connection:
        asked = (
            f"SELECT key FROM {relation} WHERE system = $1 AND NOT deleted AND {child.parent[1]} IN (SELECT unnest($2))"
        )
        return sorted(row[0] for row in connection.execute(asked, [system, sorted(parents)]).fetchall())


def filled_by(mapping: Mapping, entity: str) -> str | None:
    """The one walked object whose keys are the keys of an entity's rows; None where there are several, or none."""
    found = [
        name
        for name in mapping.walked
        for target in mapping.objects[name].targets
        if target.entity.name == entity and target.key == mapping.objects[name].key
    ]
    others = [name for name, mapped in mapping.objects.items() if entity in entities_of(mapping, name)]
    return found[0] if len(set(found)) == len(others) == 1 else None


def _texts(values: Sequence[object]) -> list[str]:
    return sorted({str(value) for value in values if value is not None and value != ""})
