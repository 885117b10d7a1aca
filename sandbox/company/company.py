"""The company, built from one seed and shown as its systems would show it.

    company = build(seed=7)
    company.load_zuora(tenant)
    company.write_files(folder)
    company.planted, company.lookalikes

The same arguments give the same company, row for row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sandbox.company import defects as wrongs
from sandbox.company import lookalikes as rights
from sandbox.company.auditing import note_manual_work
from sandbox.company.billing import collect, invoice_everything
from sandbox.company.carrying_over import carry_over
from sandbox.company.clauses import read_clauses
from sandbox.company.crediting import grant_credits
from sandbox.company.deals import BAD_BATCH, CLEAN_BATCH, Deals
from sandbox.company.delivering import deliver
from sandbox.company.documents import DRAFT, BillRun
from sandbox.company.erp import copy_to_erp
from sandbox.company.flows import run_flows
from sandbox.company.ids import Ids
from sandbox.company.labels import LookAlike, Planted
from sandbox.company.ledger import post_ledger
from sandbox.company.measuring import measure
from sandbox.company.names import names_of
from sandbox.company.population import populate
from sandbox.company.provisioning import provision
from sandbox.company.render_files import render_files
from sandbox.company.render_netsuite import TABLES, render_netsuite
from sandbox.company.render_salesforce import OBJECTS, render_salesforce
from sandbox.company.render_zuora import FIELDS, render_zuora
from sandbox.company.stories import Stage, Story, Tale, Telling
from sandbox.company.tales import tales_below
from sandbox.company.world import World

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
SITE = 2_000
_IDS_OF_A_SITE = 1_000_000
# The rest are customers to whom nothing remarkable happens.
_SHARE_OF_STORIES = 0.75
DEFECTS, LOOKALIKES = tales_below(wrongs), tales_below(rights)
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Defined(Protocol):
    """A simulator that takes tables or objects and their rows."""

    def define(self, name: str, fields: Mapping[str, str], /) -> None: ...

    def put(self, name: str, row: Mapping[str, Any], /) -> object: ...


@dataclass(frozen=True)
class Company:
    """Rows by object, and by source the text of its files, as they are at `now`, and what is known of them.

    `own` are rows of Tieout's own, by entity of the books: the gateway writes them, no system shows them.

    `bill_runs` are the runs that wait with drafts: the clean one, then the bad one. `disturbed` are the customers with
    a planted defect.
    """

    now: datetime
    salesforce: Rows
    zuora: Rows
    netsuite: Rows
    files: Mapping[str, Mapping[str, str]]
    own: Rows
    bill_runs: tuple[BillRun, ...]
    planted: tuple[Planted, ...]
    lookalikes: tuple[LookAlike, ...]
    disturbed: frozenset[str]

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
        """Write every source's files into a folder of its name."""
        for source, files in self.files.items():
            (folder / source).mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                path = folder / source / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")


def build(
    seed: int = 7, accounts: int = 240, now: datetime = NOW, *, defects: bool = True, ours: bool = True
) -> Company:
    """The company of a seed. Without `defects` the same customers are there, and nothing goes wrong with them.

    Without `ours` nothing is told of Tieout's own records, for a gateway that has just been set up and has none.
    `now` must be the first of a month, at half past nine UTC or later, because that is when the runs wait.
    Raises ValueError for another day, and where the first story of each kind alone needs more accounts.
    """
    return render(tell(seed, accounts, now, defects=defects, ours=ours))


def sites(seed: int, accounts: int, now: datetime = NOW, *, defects: bool = True) -> Iterator[Company]:
    """The company of so many accounts in parts of some two thousand, one after the other.

    Every part tells the stories with customers of its own. Ids and names are not repeated; what belongs to no
    customer, such as products and rates, is the same in each.
    """
    names = names_of(Random(f"{seed}/names"))
    count = max(1, round(accounts / SITE))
    for place in range(count):
        share = accounts * (place + 1) // count - accounts * place // count
        world = World(now, Ids(place * _IDS_OF_A_SITE))
        yield render(_tell(world, f"{seed}" if place == 0 else f"{seed}.{place}", share, names, defects=defects))


@dataclass(frozen=True)
class Told:
    """The true world with its labels, before any system shows it."""

    world: World
    stories: tuple[Story, ...]


def tell(seed: int, accounts: int, now: datetime, *, defects: bool, ours: bool = True) -> Told:
    """Let the company happen, stage by stage; as `build`."""
    return _tell(World(now), f"{seed}", accounts, names_of(Random(f"{seed}/names")), defects=defects, ours=ours)


def _tell(world: World, seed: str, accounts: int, names: Iterator[str], *, defects: bool, ours: bool = True) -> Told:
    now = world.now
    if now.day != 1 or (now.hour, now.minute) < (9, 30) or now.utcoffset() != timedelta(0):
        raise ValueError(f"The company is looked at on the first of a month after 09:30 UTC, not at {now}.")
    wrong, right = Telling(), Telling()
    stories: list[Story] = []
    for place, tale in _in_turns(*([tale for tale in book if ours or not tale.ours] for book in (DEFECTS, LOOKALIKES))):
        if place and len(world.accounts) >= _SHARE_OF_STORIES * accounts:
            break
        rng = Random(f"{seed}/{tale.tell.__module__}/{place}")
        story = Story(world, Deals(world, rng, names), tale.currency, tale.batch)
        (wrong if tale in DEFECTS else right).begin(tale.tell(story))
        stories.append(story)
    if len(world.accounts) >= accounts:
        raise ValueError(f"The first story of each kind needs {len(world.accounts)} accounts: {accounts} are too few.")
    populate(Deals(world, Random(f"{seed}/population"), names), accounts)
    for stage in Stage:
        for each in (right, wrong) if defects else (right,):
            each.reach(stage)
        _do_next(world, seed, stage)
    return Told(world, tuple(stories))


def _in_turns(*books: Sequence[Tale]) -> Iterator[tuple[int, Tale]]:
    """The first tale of every module, then the second of every module that has two, and so on; with its place."""
    shelves: dict[str, list[Tale]] = {}
    for tale in (tale for book in books for tale in book):
        shelves.setdefault(tale.tell.__module__, []).append(tale)
    for place in range(max(map(len, shelves.values()))):
        yield from ((place, shelf[place]) for shelf in shelves.values() if place < len(shelf))


def render(told: Told) -> Company:
    """What each system shows of the world."""
    world = told.world
    return Company(
        world.now,
        render_salesforce(world),
        render_zuora(world),
        render_netsuite(world),
        render_files(world),
        dict(world.own),
        tuple(run for batch in (CLEAN_BATCH, BAD_BATCH) for run in world.runs.values() if run.batches == batch),
        tuple(label for story in told.stories for label in story.planted),
        tuple(label for story in told.stories for label in story.lookalikes),
        frozenset(account for story in told.stories if story.planted for account in story.deals.accounts),
    )


def _do_next(world: World, seed: str, stage: Stage) -> None:
    """What the company does once every story has gone on from a stage."""
    match stage:
        case Stage.SIGNED:
            read_clauses(world, Random(f"{seed}/clauses"))
            provision(world)
            carry_over(world)
        case Stage.PROVISIONED:
            measure(world, seed)
            deliver(world, seed)
            invoice_everything(world)
        case Stage.INVOICED:
            grant_credits(world, Random(f"{seed}/credits"))
            collect(world, Random(f"{seed}/payments"))
            copy_to_erp(world, Random(f"{seed}/erp"))
        case Stage.COPIED:
            post_ledger(world, Random(f"{seed}/ledger"))
            run_flows(world, Random(f"{seed}/flows"))
            note_manual_work(world, Random(f"{seed}/audit"))


def _load(simulator: Defined, fields: Mapping[str, Mapping[str, str]], rows: Rows) -> None:
    for name, types in fields.items():
        simulator.define(name, types)
    for name, records in rows.items():
        for record in records:
            simulator.put(name, record)
