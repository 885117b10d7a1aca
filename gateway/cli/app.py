"""`tieout`: the commands and how an error leaves them."""

import sys

import typer
from sqlalchemy.exc import OperationalError

from alerts.errors import AlertError
from books.errors import BooksError
from checks.errors import ChecksError
from connectors.errors import ConnectorError
from gateway.cli.check import register as add_check
from gateway.cli.controls import register as add_controls
from gateway.cli.database import app as database
from gateway.cli.demo import register as add_demo
from gateway.cli.dictionary import register as add_dictionary
from gateway.cli.docs import register as add_docs
from gateway.cli.doctor import register as add_doctor
from gateway.cli.exceptions import app as exceptions
from gateway.cli.keys import app as keys
from gateway.cli.links import app as links
from gateway.cli.mappings import app as mappings
from gateway.cli.owners import app as owners
from gateway.cli.reconcile import register as add_reconcile
from gateway.cli.schedule import register as add_schedule
from gateway.cli.score import register as add_score
from gateway.cli.serve import register as add_serve
from gateway.cli.shared import Exit, err
from gateway.cli.sync import register as add_sync
from gateway.cli.validate import register as add_validate
from gateway.cli.webhooks import app as webhooks
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
for add in (
    add_demo,
    add_score,
    add_serve,
    add_schedule,
    add_sync,
    add_reconcile,
    add_doctor,
    add_check,
    add_controls,
    add_validate,
    add_dictionary,
    add_docs,
):
    add(app)
app.add_typer(exceptions, name="exceptions")
app.add_typer(links, name="links")
app.add_typer(mappings, name="mappings")
app.add_typer(owners, name="owners")
app.add_typer(database, name="db")
app.add_typer(keys, name="keys")
app.add_typer(webhooks, name="webhooks")


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
