"""`make bench`: the six reference checks over the books, as a ratio to hand-written SQL on plain Parquet, a sync as a
ratio to reading the same pages, and sweeps of the whole catalogue as a ratio to one over everything.

Both sides run in turn in one process on the same threads, so the ratio holds where the machine's speed does not.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from bench import catalogue, loading
from bench.data import SYSTEM, Laid, lay
from bench.reference import CHECKS, FLOOR
from books.engine import Engine, connect
from books.entities import ENTITIES
from books.reading import Books

THREADS = 2


def main() -> None:
    said = _arguments()
    console = Console()
    folder = Path(said.folder) / f"scale-{said.scale:g}"
    if said.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if said.only_catalogue:
        console.print(catalogue.measured(said.accounts, folder.parent / f"company-{said.accounts}"))
        return
    console.print(f"Laying out the data at scale {said.scale:g} in {folder} (kept for the next run) …")
    laid = lay(folder, said.scale)
    console.print(", ".join(f"{count:,} {entity}" for entity, count in laid.rows.items()))
    console.print(_measured(laid, said.runs))
    console.print(loading.measured(int(1_000_000 * said.scale), said.runs, folder / "loading"))
    console.print(catalogue.measured(said.accounts, folder.parent / f"company-{said.accounts}"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed as ratios, measured in one run.")
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 1 M subscriptions, 10 M lines, 20 M events")
    parser.add_argument("--runs", type=int, default=3, help="runs of each side; the median counts")
    parser.add_argument("--accounts", type=int, default=2_000, help="customers of the company for the whole catalogue")
    parser.add_argument("--only-catalogue", action="store_true", help="only the sweeps of the whole catalogue")
    parser.add_argument("--folder", default=".tieout/bench", help="where the data are kept")
    parser.add_argument("--fresh", action="store_true", help="make the data anew")
    return parser.parse_args()


def _measured(laid: Laid, runs: int) -> Table:
    table = Table(title="Six reference checks, seconds (median)")
    for heading in ("check", "failing rows", "books", "floor", "ratio"):
        table.add_column(heading, justify="left" if heading == "check" else "right")
    books = Books({"billing": (SYSTEM,)}, {SYSTEM: frozenset(ENTITIES)})
    files = {name: f"'{laid.parquet / name}.parquet'" for name in laid.rows}
    total_books = total_floor = 0.0
    with Engine.over(laid.store, laid.snapshot) as engine, connect() as floor:
        for connection in (engine.connection, floor):
            connection.execute(f"SET threads = {THREADS}")
        for name, build in CHECKS.items():
            ours, theirs = str(ibis.to_sql(build(books), dialect="duckdb")), FLOOR[name].format(**files)
            rows, rows_floor = engine.arrow(ours).num_rows, _arrow(floor, theirs).num_rows
            assert rows == rows_floor, f"{name}: {rows} rows from the books, {rows_floor} from the floor"
            seconds, seconds_floor = _in_turn(partial(engine.arrow, ours), partial(_arrow, floor, theirs), runs)
            total_books, total_floor = total_books + seconds, total_floor + seconds_floor
            table.add_row(name, f"{rows:,}", f"{seconds:.3f}", f"{seconds_floor:.3f}", f"{seconds / seconds_floor:.2f}")
    table.add_section()
    table.add_row("all six", "", f"{total_books:.3f}", f"{total_floor:.3f}", f"{total_books / total_floor:.2f}")
    return table


def _arrow(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return connection.sql(sql).to_arrow_table()


def _in_turn(ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> tuple[float, float]:
    """The median of each side, the two run in turn."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for side, run in zip(taken, (ours, theirs), strict=True):
            started = time.perf_counter()
            run()
            side.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


if __name__ == "__main__":
    main()
