"""The newest published books in memory, loaded again when a newer snapshot is published."""

import threading

import duckdb
from deltalake.exceptions import DeltaError

from books.errors import BooksError
from books.snapshots import Snapshot
from books.store import Store
from checks.ruleset import Ruleset
from gateway.errors import Unavailable
from gateway.prebill.truth import Truth
from gateway.sync.ledger import Ledger


class LatestTruth:
    """Several threads may ask. While one of them loads a newer snapshot, the others still get the one before."""

    def __init__(self, store: Store, ledger: Ledger, ruleset: Ruleset) -> None:
        self._store = store
        self._ledger = ledger
        self._ruleset = ruleset
        self._loading = threading.Lock()
        self._held: Truth | None = None

    def get(self) -> Truth:
        """Raises Unavailable before the first snapshot, and for one that cannot be read."""
        newest = self._ledger.latest_id()
        if newest is None:
            raise Unavailable("Nothing has been synchronised yet, so no run can be judged. Run `tieout sync` first.")
        held = self._held
        if held is not None and (held.snapshot.id == newest or self._loading.locked()):
            return held
        with self._loading:
            snapshot = self._ledger.latest()
            assert snapshot is not None, "snapshots are never deleted"
            if self._held is None or self._held.snapshot.id != snapshot.id:
                self._held = self._load(snapshot)
            return self._held

    def _load(self, snapshot: Snapshot) -> Truth:
        try:
            return Truth.load(self._store, snapshot, self._ruleset)
        except (BooksError, DeltaError, duckdb.Error, OSError) as error:
            raise Unavailable(f"The books of {snapshot.id} cannot be read: {error}") from error
