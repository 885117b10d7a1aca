"""Stories: what happens to single customers, told stage by stage while the company is built.

A story is a generator. It sells what it needs, then yields the stage at whose end it goes on. What it does
after its first yield is what goes wrong (or only looks wrong); a defect that is not told further than that is
a customer like any other.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from random import Random

from sandbox.company.amounts import document, local_price
from sandbox.company.catalog import PRODUCTS
from sandbox.company.deals import BAD_BATCH, Deals, Terms
from sandbox.company.documents import DRAFT, InvoiceLine
from sandbox.company.labels import LookAlike, Planted
from sandbox.company.measuring import event, seat_count
from sandbox.company.model import ADVANCE, Account, Charge, Contract, ContractLine, UsageEvent
from sandbox.company.periods import add_months, bill_day_before, period_of
from sandbox.company.world import World


class Stage(Enum):
    """What has been done when a story goes on."""

    SIGNED = "every contract is signed, billing knows nothing yet"
    PROVISIONED = "subscriptions and charges exist, nothing is measured or invoiced"
    INVOICED = "everything due is invoiced, nothing is paid or copied"
    COPIED = "the ERP has its copies"
    BOOKED = "the general ledger has its entries"


Plot = Generator[Stage, None, None]


@dataclass
class Story:
    """One customer's story. `batch` is the bill-run batch of its accounts, `currency` that of the first."""

    world: World
    deals: Deals
    currency: str = "USD"
    batch: str = BAD_BATCH
    planted: list[Planted] = field(default_factory=list)
    lookalikes: list[LookAlike] = field(default_factory=list)

    @property
    def rng(self) -> Random:
        return self.deals.rng

    @property
    def today(self) -> date:
        return self.world.today

    def months_ago(self, months: int, bill_day: int = 1) -> date:
        """The bill day `months` before the last one."""
        return add_months(bill_day_before(self.today, bill_day), -months)

    def account(self, bill_day: int = 1) -> Account:
        return self.deals.account(self.currency, bill_day, self.batch)

    def sell(self, months_ago: int, *lines: Terms, term: int | None = 24, bill_day: int = 1) -> Contract:
        """A contract of a new account that began some months ago on its bill day."""
        return self.deals.sell(self.account(bill_day), self.months_ago(months_ago, bill_day), term, lines)

    def off_list(self, product: str, share: Decimal) -> Decimal:
        """A unit at a share of its list price, in the story's currency."""
        return document(local_price(PRODUCTS[product].list_price, self.currency) * share, self.currency)

    def line(self, contract: Contract, product: str) -> ContractLine:
        """The line of a contract that sells that product."""
        return next(line for line in self.world.lines_of(contract.crm_id) if line.product_code == product)

    def charge(self, contract: Contract, product: str) -> Charge:
        """What bills that line."""
        return self.world.charge_of(self.line(contract, product).crm_id)

    def seats(self, included: int, months: int = 1, *, product: str = "SEAT-STD", timing: str = ADVANCE) -> Terms:
        """So many seats, all in the price; each above them costs what 50 dollars are."""
        price = local_price(Decimal(50), self.currency)
        return Terms(product, included, months=months, timing=timing, included=included, overage_price=price)

    def count_seats(self, line: ContractLine, months_ago: int, active: int, *, trial: bool = False) -> date:
        """Say how many seats were active in a month before the current one; returns the month."""
        month = add_months(self.today.replace(day=1), -months_ago)
        self.world.seats[line.crm_id, month] = seat_count(self.world, line, month, Decimal(active), trial=trial)
        return month

    def count_standard_seats(self, contract: Contract, active: Mapping[int, int], *, trial: bool = False) -> None:
        """Say how many standard seats of a contract were active, by how many months ago."""
        line = self.line(contract, "SEAT-STD")
        for months_ago, seats in active.items():
            self.count_seats(line, months_ago, seats, trial=trial)

    def used(self, charge: Charge, day: date, quantity: int, *, arrives: datetime | None = None) -> UsageEvent:
        """One event of a metered charge at noon, UTC, of a day; it arrives within minutes unless said otherwise."""
        happened = datetime.combine(day, time(12, self.rng.randint(0, 59)), UTC)
        made = event(
            self.world,
            PRODUCTS[charge.product_code].meter or "",
            Decimal(quantity),
            happened,
            customer=charge.account_id,
            subject=f"tenant-{charge.number.lower()}",
            delay=arrives - happened if arrives else timedelta(minutes=7),
            charge=charge,
        )
        self.world.usage.append(made)
        return made

    def weekly(self, charge: Charge, until: date | None = None, least: int = 6_000) -> None:
        """All usage of a metered charge: one event a week, from its third day on, until a day, its end or today."""
        self.world.told_meters.add(charge.number)
        day = charge.start + timedelta(days=2)
        while day < (until or min(charge.end or self.today, self.today)):
            self.used(charge, day, least + self.rng.randint(0, 4_000))
            day += timedelta(days=7)

    def only_bill(self, charge: Charge, months_ago: int) -> InvoiceLine:
        """The one line that bills the period of a monthly charge that began so many months before the last one."""
        start = add_months(period_of(self.today, charge.anchor, 1)[0], -months_ago)
        (line,) = [line for line in self._billed(charge) if line.start == start]
        return line

    def drafted(self, charge: Charge) -> InvoiceLine:
        """The line of a draft that bills the charge."""
        return next(line for line in self._billed(charge) if self._is_draft(line))

    def posted(self, charge: Charge) -> list[InvoiceLine]:
        """The posted lines of a charge, the earliest period first."""
        return [line for line in self._billed(charge) if not self._is_draft(line)]

    def plant(self, planted: Planted) -> None:
        self.planted.append(planted)

    def resemble(self, check: str, system: str, entity: str, key: str, note: str) -> None:
        self.lookalikes.append(LookAlike(check, system, entity, key, note))

    def _billed(self, charge: Charge) -> list[InvoiceLine]:
        return self.world.billed(charge.billing_id)

    def _is_draft(self, line: InvoiceLine) -> bool:
        return self.world.invoices[line.invoice_id].status == DRAFT


@dataclass(frozen=True)
class Tale:
    """A story that can be told of any company, in one currency. `ours`: it happened to records of Tieout's own."""

    tell: Callable[[Story], Plot]
    currency: str
    batch: str = BAD_BATCH
    ours: bool = False


class Telling:
    """Several stories, each begun, and then at the stage for which it waits."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Stage, Plot]] = []

    def begin(self, plot: Plot) -> None:
        """Tell a story up to the stage for which it waits first."""
        stage = next(plot, None)
        if stage is not None:
            self._waiting.append((stage, plot))

    def reach(self, stage: Stage) -> None:
        """Go on with every story that waits for this stage."""
        ready = [plot for waits_for, plot in self._waiting if waits_for is stage]
        self._waiting = [(waits_for, plot) for waits_for, plot in self._waiting if waits_for is not stage]
        for plot in ready:
            self.begin(plot)
