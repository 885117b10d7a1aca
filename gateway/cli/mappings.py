"""`tieout mappings`: do the mappings still fit the sources, and do their fields still mean the same?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import typer
from rich.markup import escape
from rich.table import Table

from books.engine import Engine
from connectors.errors import ConnectorError
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, installation, out, print_json
from gateway.cli.sync import SourceOption
from gateway.errors import Unavailable
from gateway.installation import Installation
from gateway.sync.mapping_diff import About, Remark, differences
from gateway.sync.profiling import Profiles
from gateway.sync.readings import entities_of
from gateway.sync.run import open_source
from gateway.sync.schemas import Schemas

app = typer.Typer(help="Which field fills which column, and whether that still holds.", no_args_is_help=True)


@app.command("diff", epilog="Example: `tieout mappings diff --source salesforce`")
def diff(source: SourceOption = None, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Compare the mappings with the sources' fields and values. Status 1 when a mapping does not fit any more."""
    installed = installation(config)
    remarks = [remark for name in _chosen(installed, source) for remark in remarks_on(installed, name)]
    if as_json:
        print_json([asdict(remark) for remark in remarks])
    else:
        _print(remarks)
    if any(remark.about is not About.CHANGED for remark in remarks):
        raise typer.Exit(Exit.BAD)


@app.command("list", epilog="Example: `tieout mappings list --json`")
def list_(source: SourceOption = None, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Show which object of which source fills which entity."""
    installed = installation(config)
    rows = [row for name in _chosen(installed, source) for row in _summary(installed, name)]
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("source", "object", "fills", "fields", "cursor", box=None)
    for row in rows:
        cells = (row.source, row.object, ", ".join(row.entities), str(row.fields), row.cursor or "–")
        table.add_row(*map(escape, cells))
    out.print(table)


@app.command("accept", epilog="Example: `tieout mappings accept --source salesforce`")
def accept(source: SourceOption = None, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Take the fields' present values as what is normal; `diff` compares with them from now on."""
    installed = installation(config)
    with _published(installed) as engine:
        for name in _chosen(installed, source):
            kept = _profiles(installed, engine, name).accept(installed.clock(), installed.config.drift.window)
            out.print(f"{name}: the values of {kept} fields are what is normal from now on.", highlight=False)


def remarks_on(installed: Installation, name: str) -> Iterator[Remark]:
    """What is to be said about one source: its fields today, then the values of the published books."""
    try:
        source = open_source(installed, name)
    except ConnectorError as error:
        yield Remark(name, "", "", About.UNREACHED, str(error))
    else:
        try:
            yield from differences(source, Schemas(installed.database))
        finally:
            source.connector.close()
    if installed.ledger.latest_id() is None:
        return
    with _published(installed) as engine:
        drift = installed.config.drift
        for moved in _profiles(installed, engine, name).compare(installed.clock(), drift.window):
            yield Remark(name, moved.place.entity, moved.place.field, About.MEANING, moved.text)


def _profiles(installed: Installation, engine: Engine, name: str) -> Profiles:
    return Profiles(installed.database, engine, name, installed.mappings[name], installed.config.drift.bands())


def _published(installed: Installation) -> Engine:
    snapshot = installed.ledger.latest()
    if snapshot is None:
        raise Unavailable("Nothing has been synchronised yet. Run `tieout sync` first.")
    return Engine.over(installed.store, snapshot)


def _chosen(installed: Installation, names: Sequence[str] | None) -> list[str]:
    for name in names or ():
        installed.source(name)
    return list(names or installed.config.sources)


@dataclass(frozen=True)
class _Line:
    """One object of a mapping; `fields` counts those that it reads."""

    source: str
    object: str
    entities: tuple[str, ...]
    fields: int
    cursor: str | None
    on_demand: bool


def _summary(installed: Installation, name: str) -> Iterator[_Line]:
    mapping = installed.mappings[name]
    for of, mapped in mapping.objects.items():
        cursor = mapped.modified.path if mapped.modified else None
        yield _Line(name, of, entities_of(mapping, of), len(mapped.fields), cursor, mapped.on_demand)


def _print(remarks: Sequence[Remark]) -> None:
    table = Table("source", "object or entity", "field", "about", "", box=None)
    for remark in remarks:
        news = remark.about is About.CHANGED
        about = f"{'[dim]' if news else '[red]'}{remark.about}[/]"
        table.add_row(remark.source, escape(remark.object), escape(remark.field), about, escape(remark.text))
    if remarks:
        out.print(table)
    else:
        out.print("The mappings fit their sources, and the fields mean what they meant.", highlight=False)
    if any(remark.about is About.MEANING for remark in remarks):
        out.print("Where the new values are right: `tieout mappings accept`.", highlight=False)
