"""`tieout dictionary`: which system is right about what, who owns it, and what each system means by it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, JsonOption, installation, out, print_json
from gateway.dictionary import Entry, Held
from gateway.dictionary import dictionary as entries_of
from gateway.errors import ConfigError


def register(app: typer.Typer) -> None:
    app.command("dictionary", epilog="Example: `tieout dictionary --attribute payment_terms`")(dictionary)


def dictionary(
    attribute: Annotated[list[str] | None, typer.Option(help="Only this attribute; may be repeated.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show every attribute that several systems hold: the system of record, the owner, the meanings, the fields."""
    entries = entries_of(installation(config))
    unknown = sorted(set(attribute or ()) - {entry.name for entry in entries})
    if unknown:
        raise ConfigError(f"There is no attribute {', '.join(unknown)}; `tieout dictionary` lists them.")
    chosen = [entry for entry in entries if not attribute or entry.name in attribute]
    if as_json:
        print_json([asdict(entry) for entry in chosen])
    else:
        _print(chosen)


def _print(entries: Sequence[Entry]) -> None:
    for entry in entries:
        about = f" {entry.about}" if entry.about else ""
        out.print(f"[bold]{entry.name}[/] [dim]({entry.team})[/]{escape(about)}", highlight=False)
        for copy in entry.copies:
            mark = "[green]right[/]" if copy.right else "     "
            line = f"{copy.role:<9} {copy.column}: {_sources(copy)}"
            out.print(f"  {mark} {escape(line)}{escape(_meaning(copy))}", highlight=False)


def _sources(copy: Held) -> str:
    """`salesforce Account.Name`: where the copy comes from, or that no source fills it."""
    told = (f"{one.source} {one.object}, {' or '.join(one.fields) or one.note}" for one in copy.filled)
    return "; ".join(told) or "no source fills it"


def _meaning(copy: Held) -> str:
    notes = dict.fromkeys(one.note for one in copy.filled if one.note and one.fields)
    basis = copy.basis.upper() if copy.basis else ""
    told = "; ".join(part for part in (basis, copy.means, *notes) if part)
    return f" ({told})" if told else ""
