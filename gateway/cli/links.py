"""`tieout links`: which records may be one customer, and what people say to that."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, JsonOption, installation, out, print_json
from gateway.crosswalk import links
from gateway.crosswalk.shape import link_shape
from gateway.crosswalk.tables import Basis

app = typer.Typer(help="The crosswalk: links that no declared key makes.", no_args_is_help=True)
Reference = Annotated[str, typer.Argument(help="The link, such as LNK-12.")]
Actor = Annotated[str, typer.Option("--as", help="Who decides: a person in owners.yaml.")]
Note = Annotated[str, typer.Option(help="What to say with it.")]


@app.command("list", epilog="Example: `tieout links list --basis rejected`")
def list_(
    basis: Annotated[list[Basis] | None, typer.Option(help="Proposals (matched) unless said; may be repeated.")] = None,
    account: Annotated[str | None, typer.Option(help="Only those of this customer or `system:key`.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show proposals, the likeliest first."""
    with installation(config).database.session() as session:
        found = [link_shape(link) for link in links.listed(session, tuple(basis or (Basis.MATCHED,)), account)]
    if as_json:
        print_json(found)
        return
    table = Table("link", "score", "record", "customer", "why", "basis", box=None)
    for one in found:
        record, customer = one["record"], one["customer"]
        cells = (one["reference"], one["score"], f"{record['system']} {record['name'] or record['key']}")
        table.add_row(
            *map(escape, cells), escape(f"{customer['name']} ({customer['key']})"), escape(one["reason"]), one["basis"]
        )
    out.print(table)
    out.print(f"{len(found)} links.", highlight=False)


@app.command("confirm", epilog="Example: `tieout links confirm LNK-12 --as maria`")
def confirm(reference: Reference, actor: Actor, note: Note = "", config: ConfigOption = DEFAULT_CONFIG) -> None:
    """They are one customer: joined from the next sync on."""
    installed = installation(config)
    with installed.database.session() as session:
        print_json(link_shape(links.confirm(session, installed.owners, actor, reference, installed.clock(), note)))


@app.command("reject", epilog="Example: `tieout links reject LNK-12 --as maria --note 'The parent company'`")
def reject(reference: Reference, actor: Actor, note: Note = "", config: ConfigOption = DEFAULT_CONFIG) -> None:
    """They are two: the pair is not proposed again."""
    installed = installation(config)
    with installed.database.session() as session:
        print_json(link_shape(links.reject(session, installed.owners, actor, reference, installed.clock(), note)))
