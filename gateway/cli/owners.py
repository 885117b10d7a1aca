"""`tieout owners`: is everybody and everything in owners.yaml reachable?"""

import os
from typing import Annotated

import typer

from checks.catalogue import CATALOGUE
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, installation, out, print_json
from gateway.owners.lint import lint as problems_of

app = typer.Typer(help="Owners, calendars, routes and escalation ladders.", no_args_is_help=True)


@app.callback()
def owners() -> None:
    """Owners, calendars, routes and escalation ladders."""


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
    problems = problems_of(installed.owners, CATALOGUE.values(), today=today, environment=environment)
    if as_json:
        print_json([{"where": problem.where, "text": problem.text} for problem in problems])
    for problem in problems if not as_json else ():
        out.print(f"{problem.where}: {problem.text}", highlight=False)
    if problems:
        raise typer.Exit(Exit.BAD)
    if not as_json:
        out.print(f"{len(CATALOGUE)} checks are routed, every ladder ends at a person.", highlight=False)
