"""`tieout controls`: which failure pattern is covered in which system, by which check, and whose it is."""

from typing import Annotated

import typer
from rich.markup import escape

from checks.contract import Pattern
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, JsonOption, installation, out, print_json
from gateway.controls import Control, Matrix, matrix, state
from gateway.installation import Installation

CsvOption = Annotated[bool, typer.Option("--csv", help="Print one line per cell and check, for a spreadsheet.")]


def register(app: typer.Typer) -> None:
    app.command("controls", epilog="Example: `tieout controls --csv > controls.csv`")(controls)


def controls(as_json: JsonOption = False, as_csv: CsvOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Show the control matrix: failure pattern by system, the checks of each cell, their owners, and what is empty."""
    installed = installation(config)
    found = matrix(installed)
    if as_json:
        print_json([line.cells(installed.owners.roles) for line in found.lines()])
    elif as_csv:
        typer.echo(found.as_text(installed.owners.roles), nl=False)
    else:
        _print(installed, found)


def _print(installed: Installation, found: Matrix) -> None:
    wide = max(len(pattern.words) for pattern in Pattern)
    typer.echo("  ".join([" " * wide, *found.systems]))
    for pattern in Pattern:
        counts = (_count(found.of(pattern, role)).rjust(len(role)) for role in found.systems)
        typer.echo("  ".join([pattern.words.ljust(wide), *counts]))
    out.print("\nChecks that act per pattern and role; – where there is none, · where those there do not act.\n")
    for pattern in Pattern:
        out.print(f"[bold]{pattern.words}[/]")
        for control in found.of(pattern):
            out.print(f"  {escape(_told(installed, control))}", highlight=False)
        if not found.of(pattern):
            out.print("  [red]no check[/]")


def _count(found: list[Control]) -> str:
    acting = sum(control.acts for control in found)
    if not found:
        return "–"
    return str(acting) if acting else "·"


def _told(installed: Installation, control: Control) -> str:
    check, teams = control.check, installed.owners.roles
    owners = " / ".join(dict.fromkeys(teams[role] for role in check.owners))
    mode = check.mode.value if control.idle is None else f"{state(control)}: {control.idle}"
    return f"{check.id}: {', '.join(control.roles)}; {owners}; {check.severity}, {mode}"
