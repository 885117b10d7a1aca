"""`tieout reconcile`: do the books hold what the sources hold?"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, installation, out, print_json
from gateway.cli.sync import EntityOption, SourceOption, progress
from gateway.sync.comparison import Comparison
from gateway.sync.reconcile import Depth, Reconciled
from gateway.sync.reconcile import reconcile as compare

COUNTS = ("counted", "listed", "expected", "books", "rejected", "missing", "surplus", "compared", "changed", "repaired")


def register(app: typer.Typer) -> None:
    app.command("reconcile", epilog="Example: `tieout reconcile --source zuora --sample 500`")(reconcile)


def reconcile(
    source: SourceOption = None,
    entity: EntityOption = None,
    values: Annotated[
        bool, typer.Option("--values", help="Read every record again and compare its values as well.")
    ] = False,
    sample: Annotated[int, typer.Option(min=0, help="Compare the values of so many records of each object.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what differs; repair nothing.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Compare counts, keys and values with the sources, and repair the books. Status 1 when something differed."""
    depth = Depth(values=values, sample=sample, dry_run=dry_run)
    with progress() as bars:
        done = compare(installation(config), depth, names=source, entities=entity, progress=bars.show)
    if as_json:
        print_json(shown(done))
    else:
        _print(done, depth)
    if done.differs:
        raise typer.Exit(Exit.BAD)


def shown(done: Reconciled) -> dict[str, Any]:
    """A comparison for a script."""
    return {
        "snapshot": done.snapshot.id if done.snapshot else None,
        "differs": done.differs,
        "sources": {name: {one.object: _document(one) for one in compared} for name, compared in done.sources.items()},
    }


def _document(one: Comparison) -> dict[str, Any]:
    counts = {name: getattr(one, name) for name in COUNTS}
    return {**counts, "fields": one.fields, "trouble": one.trouble, "comparable": one.comparable}


def _print(done: Reconciled, depth: Depth) -> None:
    for name, compared in done.sources.items():
        tabled = [one for one in compared if one.comparable and one.listed is not None]
        out.print(_table(name, tabled) if tabled else f"[bold]{escape(name)}[/bold]", highlight=False)
        by_sentence: dict[str, list[str]] = {}
        for one in compared:
            for sentence in _sentences(one):
                by_sentence.setdefault(sentence, []).append(one.object)
        for sentence, objects in by_sentence.items():
            out.print(f"  {escape(', '.join(objects))}: {escape(sentence)}", highlight=False)
    if not done.differs:
        out.print("The books hold what the sources hold.", highlight=False)
    elif depth.dry_run:
        out.print("Nothing was repaired, as asked.", highlight=False)
    if done.snapshot:
        out.print(f"Repaired, and published {done.snapshot.id}.", highlight=False)


def _table(name: str, compared: Sequence[Comparison]) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold", box=None)
    table.add_column("object")
    for heading in ("source counts", "source shows", "rows", "in books", "missing", "surplus", "changed", "repaired"):
        table.add_column(heading, justify="right")
    for one in compared:
        counted = "–" if one.counted is None else f"{one.counted:,}"
        found = (one.missing, one.surplus, one.changed, one.repaired)
        cells = [f"{one.listed:,}", f"{one.expected:,}", f"{one.books:,}", *(f"{n:,}" if n else "" for n in found)]
        table.add_row(escape(one.object), counted, *cells)
    return table


def _sentences(one: Comparison) -> list[str]:
    said = [one.trouble] if one.trouble else []
    if one.rejected:
        said.append(f"{one.rejected:,} rows cannot be made of what the source sends: see `tieout rejects`.")
    if one.fields:
        said.append("differed in " + ", ".join(f"{place} ({n:,})" for place, n in sorted(one.fields.items())) + ".")
    return said
