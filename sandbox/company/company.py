"""The company, built from one seed and shown as its systems would show it.

    company = build(seed=7)
    company.load_zuora(tenant)
    company.write_files(folder)
    company.planted, company.lookalikes

The same arguments give the same company, row for row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sandbox.company.billing import collect, invoice_everything
from sandbox.company.deals import BAD_BATCH, CLEAN_BATCH, Deals
from sandbox.company.defects import DEFECTS
from sandbox.company.documents import DRAFT, BillRun
from sandbox.company.erp import copy_to_erp
from sandbox.company.labels import LookAlike, Planted
from sandbox.company.lookalikes import LOOKALIKES
from sandbox.company.measuring import measure
from sandbox.company.names import shuffled_names
from sandbox.company.population import populate
from sandbox.company.provisioning import provision
from sandbox.company.render_files import render_metering, render_reference
from sandbox.company.render_netsuite import TABLES, render_netsuite
from sandbox.company.render_salesforce import OBJECTS, render_salesforce
from sandbox.company.render_zuora import FIELDS, render_zuora
from sandbox.company.stories import Stage, Story, Tale, Telling
from sandbox.company.world import World

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Defined(Protocol):
    """A simulator that takes tables or objects and their rows."""

    def define(self, name: str, fields: Mapping[str, str], /) -> None: ...

    def put(self, name: str, row: Mapping[str, Any], /) -> object: ...


@dataclass(frozen=True)
class Company:
    """Rows by object and files by name, as each source has them at `now`, and what is known of them.

    `bill_runs` are the runs that wait with drafts: the clean one, then the bad one.
    """

    now: datetime
    salesforce: Rows
    zuora: Rows
    netsuite: Rows
    metering: Mapping[str, str]
    reference: Mapping[str, str]
    bill_runs: tuple[BillRun, ...]
    planted: tuple[Planted, ...]
    lookalikes: tuple[LookAlike, ...]

    @property
    def clean_run(self) -> BillRun:
        """Its accounts have no defect; some of them look as if they had."""
        return self.bill_runs[0]

    @property
    def bad_run(self) -> BillRun:
        """Has the accounts of every planted defect, among others."""
        return self.bill_runs[1]

    def drafts(self, run: BillRun) -> list[str]:
        """The ids of the invoices that wait in a run."""
        invoices = self.zuora["Invoice"]
        return [row["Id"] for row in invoices if row["SourceId"] == run.billing_id and row["Status"] == DRAFT]

    def load_salesforce(self, org: Defined) -> None:
        """Define the objects and put every row."""
        _load(org, OBJECTS, self.salesforce)

    def load_zuora(self, tenant: Defined) -> None:
        """Define the custom fields and put every row, bill runs included."""
        _load(tenant, FIELDS, self.zuora)

    def load_netsuite(self, account: Defined) -> None:
        """Define the tables with their custom columns and put every row."""
        _load(account, TABLES, self.netsuite)

    def write_files(self, folder: Path) -> None:
        """Write `metering/usage/…`, `metering/seats/…` and `reference/rates.csv` below the folder."""
        for source, files in (("metering", self.metering), ("reference", self.reference)):
            for name, text in files.items():
                path = folder / source / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")


def build(seed: int = 7, accounts: int = 240, now: datetime = NOW, *, defects: bool = True) -> Company:
    """The company of a seed. Without `defects` the same customers are there, and nothing goes wrong with them.

    `now` must be the first of a month, at half past nine UTC or later, because that is when the runs wait.
    Raises ValueError for another day, and where the stories alone need more accounts.
    """
    return render(tell(seed, accounts, now, defects=defects))


@dataclass(frozen=True)
class Told:
    """The true world with its labels, before any system shows it."""

    world: World
    stories: tuple[Story, ...]


def tell(seed: int, accounts: int, now: datetime, *, defects: bool) -> Told:
    """Let the company happen, stage by stage; as `build`."""
    if now.day != 1 or (now.hour, now.minute) < (9, 30) or now.utcoffset() != timedelta(0):
        raise ValueError(f"The company is looked at on the first of a month after 09:30 UTC, not at {now}.")
    world, names = World(now), shuffled_names(Random(f"{seed}/names"))
    wrong = _begun(world, DEFECTS, seed, names)
    right = _begun(world, LOOKALIKES, seed, names)
    told = [Telling([tale.tell(story) for tale, story in right])]
    telling = Telling([tale.tell(story) for tale, story in wrong])
    if defects:
        told.append(telling)
    if len(world.accounts) >= accounts:
        raise ValueError(f"The stories need {len(world.accounts)} accounts, so {accounts} are too few.")
    populate(Deals(world, Random(f"{seed}/population"), names), accounts)
    for stage in Stage:
        for each in told:
            each.reach(stage)
        _do_next(world, seed, stage)
    return Told(world, tuple(story for _, story in (*wrong, *right)))


def render(told: Told) -> Company:
    """What each system shows of the world."""
    world = told.world
    return Company(
        world.now,
        render_salesforce(world),
        render_zuora(world),
        render_netsuite(world),
        render_metering(world),
        render_reference(world),
        tuple(run for batch in (CLEAN_BATCH, BAD_BATCH) for run in world.runs.values() if run.batches == batch),
        tuple(label for story in told.stories for label in story.planted),
        tuple(label for story in told.stories for label in story.lookalikes),
    )


def _do_next(world: World, seed: int, stage: Stage) -> None:
    """What the company does once every story has gone on from a stage."""
    match stage:
        case Stage.SIGNED:
            provision(world)
        case Stage.PROVISIONED:
            measure(world, seed)
            invoice_everything(world)
        case Stage.INVOICED:
            collect(world, Random(f"{seed}/payments"))
            copy_to_erp(world, Random(f"{seed}/erp"))


def _begun(world: World, tales: Sequence[Tale], seed: int, names: list[str]) -> list[tuple[Tale, Story]]:
    return [
        (
            tale,
            Story(
                world, Deals(world, Random(f"{seed}/{tale.tell.__module__}/{place}"), names), tale.currency, tale.batch
            ),
        )
        for place, tale in enumerate(tales)
    ]


def _load(simulator: Defined, fields: Mapping[str, Mapping[str, str]], rows: Rows) -> None:
    for name, types in fields.items():
        simulator.define(name, types)
    for name, records in rows.items():
        for record in records:
            simulator.put(name, record)
