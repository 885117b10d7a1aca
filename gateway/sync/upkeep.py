"""Keeping the books quick to read: many small files become few, and files that nobody needs any more go."""

from datetime import datetime, timedelta

from books.entities import ENTITIES
from gateway.db.lock import advisory_lock
from gateway.installation import Installation
from gateway.sync.lock import SYNC_LOCK


def tidy(installed: Installation, now: datetime) -> list[str]:
    """Rewrite the tables that have many files; returns their names. Does nothing while a sync runs.

    What the snapshots of the last `retention.days` name stays readable, and what the newest one names in any case.
    """
    retention = timedelta(days=installed.config.retention.days)
    with advisory_lock(installed.database, SYNC_LOCK) as lock:
        if lock is None:
            return []
        clustered = [name for name in ENTITIES if installed.store.cluster(name)]
        kept = installed.ledger.versions_since(now - retention) if clustered else {}
        for name in clustered:
            installed.store.forget(name, retention // timedelta(hours=1), kept.get(name, ()))
        return clustered
