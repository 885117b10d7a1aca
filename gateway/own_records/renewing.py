"""The newest snapshot with our own records as they are now."""

from datetime import datetime

from books.entities.controls import PUBLISHED
from books.snapshots import Snapshot
from gateway.db.lock import advisory_lock
from gateway.installation import Installation
from gateway.own_records.bands import put_bands
from gateway.own_records.publishing import write
from gateway.sync.lock import SYNC_LOCK


def renewed(installed: Installation, now: datetime) -> Snapshot | None:
    """Publish what happened to our own records since the newest snapshot, if anything did; None before the first.

    While a sync runs nothing is written: it publishes them itself.
    """
    latest = installed.ledger.latest()
    if latest is None:
        return None
    with advisory_lock(installed.database, SYNC_LOCK) as lock:
        if lock is None:
            return latest
        write(installed, latest.versions, now)
        put_bands(installed, latest.versions, now)
        versions = installed.store.versions()
        own = {entity: versions[entity] for entity in PUBLISHED if entity in versions}
        before = {entity: latest.versions[entity] for entity in PUBLISHED if entity in latest.versions}
        return latest if own == before else installed.ledger.renew(own, now)
