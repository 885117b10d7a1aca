"""`tieout score`: what the checks find of what is planted in a simulated company, and what they find besides."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from checks.catalogue import CATALOGUE
from gateway.cli.shared import err, out
from gateway.demo.score import Marks, Score
from gateway.demo.scoring import Asked, scored

EXAMPLE = "Example: `tieout score --seed 11 --accounts 2000`"
_PRECISION, _CENT = 0.99, 0.01
_WIDTH = 110


def register(app: typer.Typer) -> None:
    app.command("score", epilog=EXAMPLE)(score)


def score(
    seed: Annotated[int, typer.Option(help="Which company.")] = 7,
    accounts: Annotated[int, typer.Option(min=200, max=200_000, help="How many customers it has.")] = 600,
    clean: Annotated[
        bool, typer.Option("--clean", help="The same customers with no defect: nothing is right.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Ask only this check; may be given several times.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="End with 1 unless all is found, 99 % of what is found is right, to the cent."),
    ] = False,
) -> None:
    """Plant defects and look-alikes in a simulated company, ask every check, and compare."""
    with tempfile.TemporaryDirectory(prefix="tieout-score-") as folder:
        found = scored(
            Asked(seed, accounts, clean, tuple(only or ())),
            Path(folder),
            lambda said: None if as_json else err.print(said),
        )
    if as_json:
        out.print_json(json.dumps(_document(found, seed, accounts, clean=clean)))
    else:
        _print(found)
    total = found.total
    if check and (total.missed or total.precision < _PRECISION or total.money_error > _CENT or found.unjudged):
        raise typer.Exit(1)


def _document(found: Score, seed: int, accounts: int, *, clean: bool) -> dict[str, object]:
    return {
        "seed": seed,
        "accounts": accounts,
        "clean": clean,
        "total": found.total.document(),
        "families": {name: marks.document() for name, marks in found.families(_patterns()).items()},
        "checks": {
            name: {"family": _patterns()[name], **marks.document()} for name, marks in sorted(found.checks.items())
        },
        "not_evaluated": dict(found.unjudged),
    }


def _patterns() -> dict[str, str]:
    return {check.id: str(check.pattern) for check in CATALOGUE.values()}


def _print(found: Score) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("check", no_wrap=True, min_width=42)
    for heading in ("planted", "found", "missed", "alarms", "precision", "recall", "money error"):
        table.add_column(heading, justify="right", no_wrap=True)
    families = found.families(_patterns())
    for family, marks in families.items():
        _row(table, f"[bold]{family}[/]", marks)
        for name in CATALOGUE:
            if name in found.checks and _patterns()[name] == family:
                _row(table, f"  {name}", found.checks[name])
    _row(table, "[bold]all[/]", found.total)
    # Narrower, it would lose digits: a line that a terminal breaks has them all.
    Console(width=max(out.width, _WIDTH)).print(table)
    for missed in found.total.missed:
        out.print(f"[red]missed[/] {missed['check']}: {missed['record']} ({missed['note']})")
    for alarm in found.total.false_alarms:
        like = f" It is known as a look-alike: {alarm['looks_like']}." if alarm["looks_like"] else ""
        out.print(f"[red]false alarm[/] {alarm['check']}: {alarm['record']}: {alarm['message']}{like}")
    for name, reason in found.unjudged.items():
        out.print(f"[yellow]not evaluated[/] {name}: {reason}")


def _row(table: Table, name: str, marks: Marks) -> None:
    table.add_row(
        name,
        *(str(n or "") for n in (marks.planted, marks.found, len(marks.missed), len(marks.false_alarms))),
        f"{marks.precision:.3f}",
        f"{marks.recall:.3f}",
        f"{marks.money_error}" if marks.planted else "",
    )
