"""The whole catalogue over the labelled company: after any records changed, what changed is enough to look at."""

import os
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from books.engine import Engine
from books.entities import ENTITIES, entity
from books.store import table_from
from gateway.db.session import Database
from gateway.demo.shortcut import Shortcut, unconnected
from gateway.installation import Installation
from gateway.sweep import evaluate, sweep
from gateway.sync.tables import SnapshotRow
from sandbox.company import NOW, build
from tests.gateway.exceptions.queue_world import OWNERS
from tests.gateway.sweeping.sweep_world import Told

pytestmark = pytest.mark.timeout(600)
ACCOUNTS, CHANGED = 125, 5
ROUNDS = int(os.environ.get("TIEOUT_HISTORIES", "1"))
# Who a record is, and what only one system says of itself.
KEPT = {"system", "key", "account_id", "account_key", "raw", "deleted"}


def test_what_changed_is_enough_to_look_at(tmp_path: Path, database: Database) -> None:
    now = NOW
    installed = unconnected(tmp_path, now)
    installed.clock = lambda: now
    installed.database, installed.owners = database, OWNERS
    shortcut = Shortcut(installed, tmp_path)
    shortcut.load(build(7, ACCOUNTS))
    shortcut.publish()
    publish(installed)
    told = Told().hear(sweep(installed, now).evaluations)
    random = Random(secrets.randbelow(2**32) if ROUNDS > 1 else 4011)
    for _ in range(ROUNDS):
        now += timedelta(minutes=10)
        change(installed, random)
        publish(installed)
        done = sweep(installed, now, changed_only=True)
        told.hear(done.evaluations)
        narrow = [one for one in done.evaluations if one.accounts is not None]
        assert len(narrow) > len(done.evaluations) / 2
        whole = everything(installed)
        assert {check: told.get(check, {}) for check in whole} == whole


def everything(installed: Installation) -> Told:
    snapshot = installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(installed.store, snapshot) as engine:
        return Told().hear(evaluate(installed, engine, snapshot, installed.clock()))


def publish(installed: Installation) -> None:
    """Every source was read just now."""
    now = installed.clock()
    readings = [
        {"system": system, "entity": name, "watermark": now.isoformat(), "failure": None}
        for system, mapping in installed.mappings.items()
        for name in sorted(mapping.entities)
    ]
    versions = installed.store.versions()
    id_ = f"snap_{secrets.token_hex(8)}"
    row = SnapshotRow(id=id_, published_at=now, versions=versions, readings=readings, mappings={})
    with installed.database.session() as session:
        session.add(row)


def change(installed: Installation, random: Random) -> None:
    """One value in some of the records of a few customers, whatever it is."""
    snapshot = installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(installed.store, snapshot) as engine:
        accounts = engine.rows("SELECT DISTINCT account_key FROM accounts WHERE account_key IS NOT NULL ORDER BY 1")
        chosen = [row["account_key"] for row in random.sample(accounts, CHANGED)]
        listed = ", ".join(f"'{account}'" for account in chosen)
        found = {
            name: engine.rows(f'SELECT * FROM "{name}" WHERE account_key IN ({listed}) ORDER BY system, key')
            for name in sorted(ENTITIES)
        }
    for name, rows in found.items():
        for row in random.sample(rows, min(2, len(rows))):
            said = {**row, **otherwise(random, name, row), "synced_at": installed.clock()}
            installed.store.merge(name, row["system"], table_from(name, [said]))


def otherwise(random: Random, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Another value in one column, or the record is gone."""
    columns = [c.name for c in entity(name).columns if c.name not in KEPT and isinstance(row[c.name], Decimal | date)]
    if not columns or random.random() < 0.2:
        return {"deleted": True}
    column = random.choice(columns)
    step = Decimal(1) if isinstance(row[column], Decimal) else timedelta(days=random.choice((-40, 3)))
    return {column: row[column] + step}
