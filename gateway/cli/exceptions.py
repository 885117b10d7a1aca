"""`tieout exceptions`: the queue from the shell."""

from typing import Annotated

import typer
from rich.table import Table

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, JsonOption, installation, out, print_json
from gateway.exceptions.actions import Acting, acknowledge
from gateway.exceptions.search import Query, Sort, case_file, search
from gateway.exceptions.shape import case_shape, file_shape, page_shape
from gateway.notices.tiers import Tier

app = typer.Typer(help="The exception queue: list it, read one case, acknowledge it.", no_args_is_help=True)
Filter = Annotated[list[str] | None, typer.Option(help="May be repeated.")]


@app.command("list", epilog="Example: `tieout exceptions list --severity S1 --sort due --json`")
def listed(
    owner: Filter = None,
    team: Filter = None,
    severity: Filter = None,
    state: Filter = None,
    check: Filter = None,
    tier: Annotated[list[Tier] | None, typer.Option(help="By confidence; may be repeated.")] = None,
    sort: Annotated[Sort, typer.Option(help="What comes first.")] = Sort.EXPOSURE,
    page: Annotated[int, typer.Option(min=1)] = 1,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """A page of the queue: active cases, the largest dollars × age first."""
    installed = installation(config)
    query = Query(
        owner=tuple(owner or ()),
        team=tuple(team or ()),
        severity=tuple(severity or ()),
        state=tuple(state or ()),
        check=tuple(check or ()),
        tier=tuple(tier or ()),
        tiers=installed.config.tiers(),
        sort=sort,
        page=page,
    )
    with installed.database.session() as session:
        found = search(session, query, installed.clock())
        shape = page_shape(found)
    if as_json:
        print_json(shape)
        return
    table = Table(box=None)
    for heading in ("case", "sev", "state", "check", "account", "amount", "kind", "owner", "resolve by"):
        whole = heading in ("case", "amount", "resolve by")  # cut in two they would mislead
        table.add_column(heading, justify="right" if heading == "amount" else "left", no_wrap=whole, overflow="fold")
    for case in found.cases:
        due = f"{case.resolve_due_at:%Y-%m-%d %H:%M}" if case.resolve_due_at else ""
        amount = f"{case.amount:,.2f} {case.currency or ''}"
        account = case.account_name or case.account_key or "nobody"
        cells = (case.reference, case.severity, case.state, case.check_id, account, amount, case.money_kind)
        table.add_row(*cells, case.business_owner, due)
    out.print(table)
    out.print(f"{found.found} found, page {found.page} of {found.pages}.", highlight=False)


@app.command("show", epilog="Example: `tieout exceptions show EXC-12`")
def show(
    reference: Annotated[str, typer.Argument(help="The case, such as EXC-12.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """One case with its evidence, clocks and timeline, as JSON."""
    installed = installation(config)
    with installed.database.session() as session:
        print_json(file_shape(case_file(session, installed.owners, reference, installed.clock())))


@app.command("ack", epilog="Example: `tieout exceptions ack EXC-12 --as maria --note 'Looking at it'`")
def ack(
    reference: Annotated[str, typer.Argument(help="The case, such as EXC-12.")],
    actor: Annotated[str, typer.Option("--as", help="Who acknowledges: a person in owners.yaml.")],
    note: Annotated[str, typer.Option(help="What to say with it.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say that a member of the owning team has the case; its ack clock stops."""
    installed = installation(config)
    with installed.database.session() as session:
        acting = Acting(session, installed.owners, actor, installed.clock())
        print_json(case_shape(acknowledge(acting, reference, note or None)))
