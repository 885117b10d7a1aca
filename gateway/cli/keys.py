"""`tieout keys`: API keys for machines."""

from typing import Annotated

import typer

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, installation, out
from gateway.keys.keys import SCOPES, create

app = typer.Typer(help="API keys: made here, shown once, kept as hashes.", no_args_is_help=True)


@app.command("create", epilog="Example: `tieout keys create zuora-prod --scope prebill:validate`")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is, for the audit trail.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do: {', '.join(SCOPES)}; may be repeated.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a key and print it. It can't be shown again."""
    installed = installation(config)
    with installed.database.session() as session:
        text = create(session, name, scope, installed.clock())
    out.print(text, highlight=False)
