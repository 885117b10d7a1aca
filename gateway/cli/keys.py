"""`tieout keys`: API keys for machines."""

from contextlib import closing
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import select

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, installation, out
from gateway.keys.keys import SCOPES, create, revoke
from gateway.keys.tables import ApiKey

app = typer.Typer(help="API keys: made here, shown once, kept as hashes.", no_args_is_help=True)


@app.command("create", epilog="Example: `tieout keys create zuora-prod --scope prebill:validate`")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is, for the audit trail.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do: {', '.join(SCOPES)}; may be repeated.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a key and print it. It can't be shown again."""
    with closing(installation(config)) as installed, installed.database.session() as session:
        text = create(session, name, scope, installed.clock())
    out.print(text, highlight=False)


@app.command("list", epilog="Example: `tieout keys list`")
def list_keys(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every key that was made, without its secret."""
    table = Table(box=None)
    for heading in ("id", "name", "scopes", "made", "revoked"):
        table.add_column(heading)
    with closing(installation(config)) as installed, installed.database.session() as session:
        for key in session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)):
            revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
            table.add_row(key.id, key.name, ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d %H:%M}", revoked)
    out.print(table, markup=False)


@app.command("revoke", epilog="Example: `tieout keys revoke 1f0c2b3a4d5e`")
def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's id: what stands between the underscores of tk_…_….")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Refuse a key from now on."""
    with closing(installation(config)) as installed, installed.database.session() as session:
        revoke(session, key, installed.clock())
    out.print(f"{key} is refused from now on.", highlight=False, markup=False)
