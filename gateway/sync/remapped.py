"""A mapping that was changed is news like a field that was: it goes into the books, under the source's name."""

from collections.abc import Mapping
from datetime import datetime

from books.store import Store, table_from
from connectors.mapping import Mapping as SourceMapping
from gateway.sync.readings import METADATA

OBJECT = "mapping"  # what an approval of such a change names; its field is the source
_SHOWN = 12  # so much of a hash tells two mappings apart


def note_mappings(
    store: Store, before: Mapping[str, str], mappings: Mapping[str, SourceMapping], now: datetime
) -> None:
    """Write a row for every source that was read by another mapping `before`, by hash. Again, it writes nothing new.

    The first mapping of a source changes nothing.
    """
    for system, mapping in mappings.items():
        old = before.get(system)
        if old is not None and old != mapping.hash:
            row = {
                "system": system,
                "key": f"{OBJECT}/{old[:_SHOWN]}/{mapping.hash[:_SHOWN]}",
                "object": OBJECT,
                "field": system,
                "change": OBJECT,
                "before": old[:_SHOWN],
                "after": mapping.hash[:_SHOWN],
                "seen_at": now,
                "modified_at": now,
                "synced_at": now,
                "deleted": False,
                "raw": "{}",
            }
            store.merge(METADATA, system, table_from(METADATA, [row]))
