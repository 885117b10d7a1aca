"""Rows whose record is gone: by the source's list of deletions, and by a census where no list tells.

Zuora keeps no such list, a deleted line leaves nothing in NetSuite's, a purged record nothing in Salesforce's
(vendors.md E5). So every so often all keys of an object are compared.
"""

import logging
from collections.abc import Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import CursorLost, PermanentError
from gateway.sync import telemetry
from gateway.sync.readings import entities_of
from gateway.sync.walk import Keys, Walked, Walker

log = logging.getLogger(__name__)

# When more than half of an entity is not shown any more, a lost permission is likelier than so many deletions. Below
# this many rows a half means nothing.
LIKELY_PERMISSION = 0.5
FEW_ROWS = 20


class TooManyVanished(PermanentError):
    """A source shows so little of what it held that nothing was deleted."""


def bury_deleted(walker: Walker, walked: Walked) -> bool:
    """Bury what the source lists as deleted. False where its list does not reach back far enough."""
    name = walked.name
    keys = walker.source.connector.deletions(name, walked.standing.deletions_from)
    entities = entities_of(walker.source.mapping, name)
    try:
        while chunk := list(islice(keys, walker.source.batch_records)):
            for entity in entities:
                walker.bury(entity, chunk)
            walker.ledger.clear_rejects(walker.source.name, name, chunk)
    except CursorLost as lost:
        log.warning("Not all deletions of %s in %s are known: keys are compared. %s", name, walker.source.name, lost)
        walker.report.outrun[name] = str(lost)
        telemetry.outrun.add(1, {"system": walker.source.name, "object": name})
        return False
    return True


def census_due(walker: Walker, walked: Walked, *, all_listed: bool) -> bool:
    """Whether the keys of this object have to be compared now."""
    if not walker.source.absence_counts:
        return False
    if walked.whole:
        return walked.keys is not None
    last = walked.standing.census_at
    return not all_listed or last is None or walker.clock() - last >= walker.source.census_every


def take_census(walker: Walker, group: Sequence[Walked], *, accept: bool) -> None:
    """Bury the rows whose record the source does not hold. `group`: all objects that fill the same entities.

    Raises TooManyVanished, before anything is buried, unless the caller accepts whatever is gone.
    """
    held = [walked.keys or _counted(walker, walked) for walked in group]
    gone = {}
    for entity in sorted({e for walked in group for e in entities_of(walker.source.mapping, walked.name)}):
        there = pa.chunked_array([chunk for keys in held for chunk in keys.of(entity)], pa.string())
        gone[entity] = vanished(walker, entity, there, accept=accept)
    for entity, keys in gone.items():
        walker.bury(entity, keys.to_pylist())
    for walked, keys in zip(group, held, strict=True):
        walker.ledger.keep_rejects(walker.source.name, walked.name, keys.all())


def vanished(walker: Walker, entity: str, there: pa.ChunkedArray, *, accept: bool) -> pa.Array:
    """The live rows whose key is not among those that the source holds. Raises TooManyVanished as `take_census`."""
    live = walker.store.live(entity, walker.source.name)
    gone = live.filter(pc.invert(pc.is_in(live, value_set=there)))
    if not accept and len(gone) > max(FEW_ROWS, len(live) * LIKELY_PERMISSION):
        raise TooManyVanished(
            f"{walker.source.name} does not show {len(gone):,} of {len(live):,} {entity} any more. "
            "Check what the integration user may see. If they are gone: `tieout sync --full --accept-deletions`."
        )
    return gone


def _counted(walker: Walker, walked: Walked) -> Keys:
    keys = Keys()
    for records in walker.source.connector.census(walked.name):
        for target in walked.mapped.targets:
            found = [target.key_of(record) for record in records if target.takes(record)]
            keys.add(target.entity.name, pa.array(found, pa.string()))
    return keys
