"""`tieout doctor`: is everything there that Tieout needs?"""

from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, err, installation, out, print_json
from gateway.cli.sync import SourceOption
from gateway.doctor.examine import examine
from gateway.doctor.finding import Finding, Level

SIGNS = {Level.OK: ("✓", "green"), Level.WARN: ("!", "yellow"), Level.FAIL: ("✗", "bold red")}


def register(app: typer.Typer) -> None:
    app.command("doctor", epilog="Example: `tieout doctor --source netsuite`")(doctor)


def doctor(source: SourceOption = None, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Look at every source, the database and the books, and say what to do. Status 1 when something does not work."""
    with err.status("Asking the sources"):
        findings = list(examine(installation(config), source))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(Exit.BAD)


def _print(findings: Sequence[Finding]) -> None:
    for name in dict.fromkeys(finding.source for finding in findings):
        out.print(f"[bold]{escape(name) or 'installation'}[/bold]", highlight=False)
        table = Table(box=None, show_header=False, padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for finding in findings:
            if finding.source == name:
                sign, style = SIGNS[finding.level]
                table.add_row(Text(sign, style), finding.topic, _said(finding))
        out.print(table)
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    out.print(f"{counts[Level.OK]} ok, {counts[Level.WARN]} to watch, {counts[Level.FAIL]} to mend.", highlight=False)


def _said(finding: Finding) -> Text:
    text = Text(finding.text)
    return text.append(f"\n→ {finding.advice}", "cyan") if finding.advice else text
