"""What our models expect of today's run and of the next ones, fitted once a day."""

from collections.abc import Mapping
from datetime import datetime

from books.engine import Engine, connect
from books.snapshots import Snapshot
from books.store import Store
from checks.contract import Params
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
    if _has_todays(store, versions, now):
        return
    if ENTITY not in versions and not _may_have_history(store, versions, rule.params):
        return
    with Engine.over(store, Snapshot("", now, versions, {})) as engine:
        rows = bands(engine, rule, now)
    if rows or ENTITY in versions:
        put(store, ENTITY, rows, now)


def _has_todays(store: Store, versions: Mapping[str, int], now: datetime) -> bool:
    return _any(
        store,
        versions,
        ENTITY,
        f"WHERE metric = '{METRIC}' AND NOT deleted AND fitted_at::DATE = DATE '{now.date()}'",
    )


def _may_have_history(store: Store, versions: Mapping[str, int], params: Params) -> bool:
    """Whether any system has invoices on so many days: without, there is nothing to fit, however often it is tried."""
    days = f"count(DISTINCT invoice_date) >= {params.whole('least_days')}"
    return _any(store, versions, "invoices", f"GROUP BY system HAVING {days}")


def _any(store: Store, versions: Mapping[str, int], name: str, such: str) -> bool:
    """Whether the table has rows such as these. It is asked before every sweep: no engine is opened for it."""
    relation = store.relation(name, versions[name]) if name in versions else None
    if relation is None:
        return False
    with connect() as connection:
        return bool(connection.execute(f"SELECT 1 FROM {relation} {such} LIMIT 1").fetchall())
