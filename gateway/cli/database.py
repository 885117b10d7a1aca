"""`tieout db`: the operational state's schema."""

import typer

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, installation, out

app = typer.Typer(help="The database that holds cases, decisions and watermarks.", no_args_is_help=True)


@app.command("upgrade", epilog="Example: `TIEOUT_DATABASE_URL=postgresql://tieout@db/tieout tieout db upgrade`")
def upgrade(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the database to the newest schema; doing it twice changes nothing."""
    database = installation(config).database
    out.print(f"{database.engine.url.render_as_string(hide_password=True)} is up to date.", highlight=False)
