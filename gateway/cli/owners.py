"""`tieout owners`: is everybody and everything in owners.yaml reachable?"""

import os
from typing import Annotated

import typer

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, installation, out, print_json
from gateway.owners.holiday_dates import with_holidays
from gateway.owners.lint import lint as problems_of

app = typer.Typer(help="Owners, calendars, routes and escalation ladders.", no_args_is_help=True)


@app.command("holidays", epilog="Example: `tieout owners holidays --year 2027`")
def holidays(
    year: Annotated[list[int], typer.Option(min=2000, max=2100, help="May be repeated.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a year's public holidays into owners.yaml as dates, so that no update of a library moves a deadline."""
    installed = installation(config)
    file = installed.config.path(installed.config.owners)
    file.write_text(with_holidays(file.read_text(encoding="utf-8"), installed.owners, year), encoding="utf-8")
    out.print(f"{file.name} holds the holidays of {', '.join(map(str, year))}.", highlight=False)


@app.command("lint", epilog="Example: `tieout owners lint --offline`")
def lint(
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask for the channels' secrets.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Every check routed, every ladder ends at a person, every channel usable. Status 1 where not."""
    installed = installation(config)
    environment = None if offline else os.environ
    today = installed.clock().date()
    problems = problems_of(installed.owners, installed.checks.values(), today=today, environment=environment)
    if as_json:
        print_json([{"where": problem.where, "text": problem.text} for problem in problems])
    for problem in problems if not as_json else ():
        out.print(f"{problem.where}: {problem.text}", highlight=False)
    if problems:
        raise typer.Exit(Exit.BAD)
    if not as_json:
        out.print(f"{len(installed.checks)} checks are routed, every ladder ends at a person.", highlight=False)
