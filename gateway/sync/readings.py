"""How far an entity is known, from how far the objects that fill it are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.mapping import Mapping as SourceMapping
from gateway.sync.tables import SyncObject

# What the gateway notices of a source while it reads it, and writes under the source's name.
METADATA = "metadata_changes"


@dataclass(frozen=True)
class EntityReading:
    """One (system, entity): the oldest watermark of its objects, and what went wrong with any of them."""

    system: str
    entity: str
    watermark: datetime | None
    failure: str | None


def entity_readings(objects: Sequence[SyncObject], mappings: Mapping[str, SourceMapping]) -> Iterator[EntityReading]:
    """One for each entity that a mapping fills.

    An object that was never read to its end, or not yet under the present mapping, leaves its entities unread. An
    optional object that the source does not have is left out, and with it an entity that nothing else fills.
    What is noticed of a source is known as far as all of its objects.
    """
    known = {(row.system, row.object): row for row in objects}
    for system, mapping in mappings.items():
        seen: list[SyncObject | None] = []
        for entity in sorted(mapping.entities):
            names = [
                name
                for name in mapping.walked
                if entity in entities_of(mapping, name)
                and not (mapping.objects[name].optional and (system, name) not in known)
            ]
            if names:
                rows = [known.get((system, name)) for name in names]
                seen += rows
                yield _reading(system, entity, rows, mapping.hash)
        if seen and METADATA not in mapping.entities:
            yield _reading(system, METADATA, seen, mapping.hash)


def entities_of(mapping: SourceMapping, name: str) -> tuple[str, ...]:
    """The entities that an object fills, each once."""
    return tuple(dict.fromkeys(target.entity.name for target in mapping.objects[name].targets))


def _reading(system: str, entity: str, rows: Sequence[SyncObject | None], mapping_hash: str) -> EntityReading:
    marks = [row.watermark if row and row.mapping_hash == mapping_hash else None for row in rows]
    known = [mark for mark in marks if mark is not None]
    watermark = min(known) if len(known) == len(marks) else None
    failure = next((row.failure for row in rows if row and row.failure), None)
    return EntityReading(system, entity, watermark, failure)
