"""`tieout sync`: read the sources into the books; `tieout rejects`: what could not be read into them."""

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway.cli.shared import (
    DEFAULT_CONFIG,
    ConfigOption,
    Exit,
    JsonOption,
    err,
    installation,
    instant,
    out,
    print_json,
)
from gateway.sync.cycle import CycleReport
from gateway.sync.run import sync_now

SourceOption = Annotated[list[str] | None, typer.Option(help="Only this source; may be repeated.")]
EntityOption = Annotated[
    list[str] | None, typer.Option(help="Only what fills this entity of the books; may be repeated.")
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        parser=instant,
        metavar="INSTANT",
        help="Read again what changed since then, such as 2026-11-01T00:00:00Z; the next poll goes on where it would.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("sync", epilog="Example: `tieout sync --source zuora --json`")(sync)
    app.command("rejects", epilog="Example: `tieout rejects --source zuora`")(rejects)


def sync(
    source: SourceOption = None,
    entity: EntityOption = None,
    since: SinceOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, not only what changed.")] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Believe a source that shows less than half of what it held.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Poll the sources, write the books, publish a snapshot. Status 1 when a source could not be read."""
    installed = installation(config)
    with progress() as bars:
        report = sync_now(
            installed,
            names=source,
            full=full,
            since=since,
            entities=entity,
            accept_deletions=accept_deletions,
            progress=bars.show,
        )
    if as_json:
        print_json(shown(report))
    else:
        _print(report)
    if any(found.failures for found in report.sources.values()):
        raise typer.Exit(Exit.BAD)


def rejects(source: SourceOption = None, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the records that are not in the books, and why. Each goes from the list when it can be mapped."""
    installed = installation(config)
    for name in source or ():
        installed.source(name)
    found = [reject for reject in installed.ledger.rejects() if not source or reject.system in source]
    if as_json:
        columns = ("system", "object", "key", "reason", "seen_at")
        print_json([{column: getattr(reject, column) for column in columns} for reject in found])
        return
    table = Table("source", "object", "record", "reason", box=None)
    for reject in found:
        table.add_row(reject.system, reject.object, escape(reject.key), escape(reject.reason))
    if found:
        out.print(table)
    count = f"{len(found):,} {'record is' if len(found) == 1 else 'records are'} not in the books."
    out.print(count if found else "No record was rejected.", highlight=False)


class progress:
    """A line per source and object with the records read so far."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:<42}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> "progress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, source: str, name: str, records: int) -> None:
        key = (source, name)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(f"{source} {name}", total=None)
        self._bars.update(self._tasks[key], completed=records)


def shown(report: CycleReport) -> dict[str, object]:
    """A cycle's report for a script."""
    return {
        "snapshot": report.snapshot.id if report.snapshot else None,
        "sources": {
            name: {
                "records": found.records,
                "rows": found.rows,
                "rejects": found.rejects,
                "deleted": found.deleted,
                "failures": found.failures,
                "outrun": found.outrun,
                "absent": found.absent,
            }
            for name, found in report.sources.items()
        },
    }


def _print(report: CycleReport) -> None:
    for name, found in report.sources.items():
        rows = (
            ", ".join(f"{count:,} {entity}" for entity, count in sorted(found.rows.items()) if count) or "nothing new"
        )
        out.print(f"[bold]{name}[/bold]: {rows}; {found.rejects} rejected, {found.deleted} deleted.", highlight=False)
        if found.failure:
            out.print(f"  [red]not complete:[/red] {escape(found.failure)}", highlight=False)
        if found.absent:
            out.print(f"  without what is optional: {escape(', '.join(found.absent))}", highlight=False)
        for sentence in dict.fromkeys(found.outrun.values()):
            out.print(f"  [yellow]deletions out of reach:[/yellow] {escape(sentence)}", highlight=False)
    if report.snapshot:
        out.print(f"Published {report.snapshot.id}.", highlight=False)
