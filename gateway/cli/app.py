"""`tieout`: the commands and how an error leaves them."""

import sys

import typer
from sqlalchemy.exc import OperationalError

from alerts.errors import AlertError
from books.errors import BooksError
from checks.errors import ChecksError
from connectors.errors import ConnectorError
from gateway.cli import check, database, demo, exceptions, keys, owners, schedule, serve, sync, validate
from gateway.cli.shared import Exit, err
from gateway.db.errors import StateError
from gateway.errors import GatewayError

app = typer.Typer(
    name="tieout",
    help="Prove that Salesforce, billing and NetSuite agree, and stop the invoice run that would bill the difference.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for module in (demo, serve, schedule, sync, check, validate):
    module.register(app)
app.add_typer(exceptions.app, name="exceptions")
app.add_typer(owners.app, name="owners")
app.add_typer(database.app, name="db")
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run a command; an error that people can act on is one sentence and status 2."""
    try:
        app()
    except (GatewayError, ConnectorError, BooksError, ChecksError, AlertError, StateError) as error:
        err.print(f"[red]tieout:[/red] {error}", highlight=False)
        sys.exit(Exit.NOT_ASKED)
    except OperationalError as error:
        err.print(f"[red]tieout:[/red] The database does not answer: {error.orig}", highlight=False)
        sys.exit(Exit.NOT_ASKED)
