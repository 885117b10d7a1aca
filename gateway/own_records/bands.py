"""What our models expect of today's run and of the next ones, fitted once a day."""

from collections.abc import Mapping
from datetime import datetime

from books.engine import Engine
from books.snapshots import Snapshot
from checks.draft_integrity.run_total_anomaly import CHECK, METRIC
from gateway.installation import Installation
from gateway.models.run_residuals import bands
from gateway.own_records.publishing import put

ENTITY = "expected_bands"


def put_bands(installed: Installation, versions: Mapping[str, int], now: datetime) -> None:
    """Fit the models to the history up to yesterday and write their bands; nothing where that was done today.

    `versions` are those of the books to learn from.
    """
    store, rule = installed.store, installed.ruleset.rules.get(CHECK.id)
    if rule is None or "invoices" not in versions:
        return
    with Engine.over(store, Snapshot("", now, versions, {})) as engine:
        if _has_todays(engine, now):
            return
        rows = bands(engine, rule, now)
    if rows or store.version(ENTITY) is not None:
        put(store, ENTITY, rows, now)


def _has_todays(engine: Engine, now: datetime) -> bool:
    return bool(
        engine.rows(
            f"SELECT 1 FROM {ENTITY} WHERE metric = '{METRIC}' AND NOT deleted "
            f"AND fitted_at::DATE = DATE '{now.date()}' LIMIT 1"
        )
    )
