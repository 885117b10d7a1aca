"""`tieout webhooks`: the messages that source systems posted."""

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, installation, instant, out, print_json
from gateway.webhooks.pending import counts
from gateway.webhooks.processing import Processed, process

app = typer.Typer(help="The messages that source systems posted.", no_args_is_help=True)


@app.command("process", epilog="Example: `tieout webhooks process --now 2026-12-01T09:30:00Z`")
def run(
    now: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="INSTANT", help="The moment to work for; the clock's by default."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Read the records that due messages name, and ask the checks concerned. Status 1 when one was not done."""
    installed = installation(config)
    ran = process(installed, now or installed.clock())
    if as_json:
        print_json(_shown(ran, counts(installed.database)))
    else:
        counts_said = f"{len(ran.done)} done, {len(ran.failed)} not; {len(ran.checks)} checks asked."
        out.print(counts_said if ran.done or ran.failed else "No message is due.", highlight=False)
        for (source, message), sentence in ran.failed.items():
            out.print(f"  [red]{escape(source)} {escape(message)}:[/red] {escape(sentence)}", highlight=False)
    if ran.failed:
        raise typer.Exit(Exit.BAD)


def _shown(ran: Processed, states: dict[str, int]) -> dict[str, object]:
    return {
        "done": [one.message_id for one in ran.done],
        "failed": {f"{source}/{message}": sentence for (source, message), sentence in ran.failed.items()},
        "checks": list(ran.checks),
        "states": states,
    }
