"""Write our own records into the books, and bury those that are over."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from books.snapshots import OWN as SYSTEM
from books.store import Store, table_from
from gateway.installation import Installation
from gateway.own_records.cases import open_cases
from gateway.own_records.holds import standing_holds
from gateway.own_records.overrides import given_overrides
from gateway.owners.errors import OwnersError

log = logging.getLogger(__name__)

Rows = Sequence[Mapping[str, Any]]


def write(installed: Installation, versions: Mapping[str, int], now: datetime) -> None:
    """Bring the tables up to date, for whoever may write the books; where nothing happened, nothing is written.

    `versions` are those of the other tables that readers are to see ours with: the published ones, or those that are
    about to be. Without an owners.yaml nobody has anything yet, and a sync goes on without.
    """
    try:
        owners = installed.owners
    except OwnersError as error:
        log.warning("Our own cases and holds are not in the books: %s", error)
        return
    with installed.database.session() as session:
        rows: dict[str, Rows] = {
            "cases": list(open_cases(session, owners, now)),
            "holds": list(standing_holds(session, owners, installed.store, versions, now)),
            "overrides": list(given_overrides(session)),
        }
    for entity, own in rows.items():
        put(installed.store, entity, own, now)


def put(store: Store, entity: str, rows: Rows, now: datetime) -> None:
    """Make these rows the live ones of an entity of ours."""
    common = {"system": SYSTEM, "synced_at": now, "deleted": False, "raw": "{}"}
    store.replace(entity, SYSTEM, table_from(entity, ({**common, **_owned(row)} for row in rows)), now)


def _owned(row: Mapping[str, Any]) -> dict[str, Any]:
    """The customer's key doubles as the row's own id of it: a row that changes hands is then seen to."""
    return {**row, "account_id": row.get("account_key")}
