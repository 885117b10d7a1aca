"""The whole catalogue over a company: a sweep over everything, and sweeps after some customers' records changed.

The checks' SQL is made beforehand, as it is in a process that goes on running. Peak memory is that of each sweep alone:
Linux forgets the peak before it begins.
"""

import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.table import Table

from books.engine import connect
from books.entities import entity
from gateway.db.migrate import upgrade
from gateway.demo.shortcut import Shortcut, unconnected
from gateway.demo.world import OWNERS
from gateway.installation import Installation
from gateway.sweep import sweep
from gateway.sync.tables import SnapshotRow
from sandbox.company import NOW, sites

SEED = 7
# What changes of a customer: one number in every row of these.
CHANGED = {"contract_lines": "quantity", "subscription_lines": "quantity", "invoices": "balance"}


@dataclass(frozen=True)
class Swept:
    """What one sweep took: seconds and MiB at its peak; how many checks it asked, of everybody and of some."""

    seconds: float
    peak_mib: float
    whole: int
    narrow: int
    findings: int


def measured(accounts: int, folder: Path) -> Table:
    """The company's books are laid out below `folder` and kept; what the sweeps remember is not."""
    names = _laid_out(accounts, folder)
    table = Table(title=f"{accounts:,} accounts, the whole catalogue")
    for heading in ("sweep", "seconds", "ratio", "peak", "checks of everybody", "of some", "findings"):
        table.add_column(heading, justify="left" if heading == "sweep" else "right")
    percent = names[: max(1, len(names) // 100)]
    asked = [("everything", ()), ("after nothing", ()), ("after 20 accounts", names[:20]), ("after 1 %", percent)]
    swept = [_swept(folder, n, changed) for n, (_, changed) in enumerate(asked)]
    for (title, _), one in zip(asked, swept, strict=True):
        table.add_row(
            title,
            f"{one.seconds:.2f}",
            f"{one.seconds / swept[0].seconds:.1%}",
            f"{one.peak_mib:,.0f} MiB",
            *(f"{count:,}" for count in (one.whole, one.narrow, one.findings)),
        )
    return table


def _laid_out(accounts: int, folder: Path) -> list[str]:
    """The customers' keys, in a fixed order that has nothing to do with where they lie."""
    installed = unconnected(folder, NOW)
    if not (folder / "laid-out").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shortcut = Shortcut(installed, folder)
        for company in sites(SEED, accounts, defects=True):
            shortcut.load(company)
        shortcut.publish()
        for name in installed.store.versions():
            installed.store.cluster(name)
        (folder / "laid-out").touch()
    shutil.copy(OWNERS, folder)
    _forget(installed)
    with connect() as engine:
        known = installed.store.relation("accounts", installed.store.version("accounts") or 0)
        sql = f"SELECT DISTINCT account_key FROM {known} WHERE account_key IS NOT NULL ORDER BY hash(account_key)"
        return [key for (key,) in engine.sql(sql).fetchall()]


def _forget(installed: Installation) -> None:
    """What the sweeps of an earlier run remember: they were as late as these will be."""
    with installed.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    upgrade(installed.database.engine)


def _swept(folder: Path, n: int, changed: Sequence[str]) -> Swept:
    """The n-th sweep of a morning, some minutes after the one before; the first one asks everything."""
    now = NOW + n * timedelta(minutes=10)
    installed = unconnected(folder, now)
    if changed:
        _change(installed, changed, now)
    _publish(installed, now)
    installed.ruleset.prepare(installed.ruleset.rules)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    started = time.perf_counter()
    done = sweep(installed, now, changed_only=n > 0)
    seconds = time.perf_counter() - started
    installed.close()
    of_all = sum(1 for one in done.evaluations if one.accounts is None)
    return Swept(seconds, _peak_mib(), of_all, len(done.evaluations) - of_all, len(done.findings()))


def _peak_mib() -> float:
    """The peak of this process's memory since it was forgotten."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _change(installed: Installation, accounts: Sequence[str], now: datetime) -> None:
    store = installed.store
    with connect() as engine:
        engine.register("chosen", pa.table({"account_key": list(accounts)}))
        for name, column in CHANGED.items():
            version = store.version(name)
            relation = store.relation(name, version) if version is not None else None
            if relation is None:
                continue
            names = ", ".join(f'"{c.name}"' for c in entity(name).columns)
            sql = f"SELECT {names} FROM {relation} SEMI JOIN chosen USING (account_key) WHERE {column} IS NOT NULL"
            rows = engine.sql(sql).to_arrow_table().cast(entity(name).arrow)
            for system in rows["system"].unique().to_pylist():
                store.merge(name, system, _with_more(rows.filter(pc.equal(rows["system"], system)), column, now))


def _with_more(rows: pa.Table, column: str, now: datetime) -> pa.Table:
    """The rows with one more in the column, as they were read at `now`."""
    said: list[dict[str, Any]] = rows.to_pylist()
    for row in said:
        row[column] += Decimal(1)
        row["modified_at"] = row["synced_at"] = now
    return pa.Table.from_pylist(said, rows.schema)


def _publish(installed: Installation, now: datetime) -> None:
    """Every source was read just now."""
    readings = [
        {"system": system, "entity": name, "watermark": now.isoformat(), "failure": None}
        for system, mapping in installed.mappings.items()
        for name in sorted(mapping.entities)
    ]
    row = SnapshotRow(
        id=f"snap_{secrets.token_hex(8)}",
        published_at=now,
        versions=installed.store.versions(),
        readings=readings,
        mappings={},
    )
    with installed.database.session() as session:
        session.add(row)
