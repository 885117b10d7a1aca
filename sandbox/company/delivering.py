"""What customers receive besides usage and seats: goods, consulting hours, and modules that are switched on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from sandbox.company.periods import add_months

if TYPE_CHECKING:
    from sandbox.company.model import ContractLine
    from sandbox.company.world import World

GOODS, HOURS = "ROUTER", "CONSULTING"
MODULES = ("SUPPORT", "SUITE-FORECAST", "SUITE-MOBILE")


@dataclass(frozen=True)
class Shipment:
    """`price` only where no contract says one."""

    key: str
    line_id: str | None
    customer: str
    product_code: str
    quantity: Decimal
    currency: str
    day: date
    status: str = "Shipped"
    price: Decimal | None = None


@dataclass(frozen=True)
class WorkItem:
    """Hours have a quantity, milestones and expenses an amount. `line_billed` is the invoice line, where known."""

    key: str
    contract_id: str
    line_id: str
    customer: str
    kind: str
    quantity: Decimal | None
    amount: Decimal | None
    currency: str
    day: date
    approved_at: datetime | None
    line_billed: str | None = None


@dataclass(frozen=True)
class Grant:
    """A module that a customer had in a month."""

    customer: str
    product_code: str
    month: date
    quantity: Decimal
    tag: str | None = None
    expires: date | None = None

    @property
    def key(self) -> str:
        """As the files' mapping makes it."""
        return f"{self.customer}/{self.product_code}/{self.month:%Y-%m}"


def deliver(world: "World", seed: str) -> None:
    """Send what was ordered, work what was agreed, and switch on what was bought; stories have told theirs before."""
    for line in list(world.lines.values()):
        rng = Random(f"{seed}/{line.crm_id}/delivery")
        if line.product_code == GOODS:
            _send(world, rng, line)
        elif line.product_code == HOURS and line.crm_id not in world.told_work:
            for day in _work_days(world, rng, line):
                work(world, line, rng.randint(1, 9), day)
        elif line.product_code in MODULES:
            _switch_on(world, line)


def work(world: "World", line: "ContractLine", hours: int, day: date) -> WorkItem:
    """Hours of a day, approved the evening after."""
    approved = datetime.combine(day + timedelta(days=1), time(18), UTC)
    return item(world, line, "Time", day, approved, quantity=Decimal(hours))


def item(
    world: "World",
    line: "ContractLine",
    kind: str,
    day: date,
    approved_at: datetime | None,
    *,
    quantity: Decimal | None = None,
    amount: Decimal | None = None,
) -> WorkItem:
    """One item of work, kept."""
    account = world.account_of(line.contract_id)
    made = WorkItem(
        f"w-{world.ids.number('work item'):07d}",
        line.contract_id,
        line.crm_id,
        account.crm_id,
        kind,
        quantity,
        amount,
        account.currency,
        day,
        approved_at,
    )
    world.work[made.key] = made
    return made


def ship(world: "World", line: "ContractLine", quantity: int, day: date, status: str = "Shipped") -> Shipment:
    """Goods of a contract line, kept."""
    account = world.account_of(line.contract_id)
    sent = Shipment(
        f"s-{world.ids.number('shipment'):07d}",
        line.crm_id,
        account.crm_id,
        line.product_code,
        Decimal(quantity),
        account.currency,
        day,
        status,
    )
    world.shipments[sent.key] = sent
    return sent


def _send(world: "World", rng: Random, line: "ContractLine") -> None:
    """All that was ordered, in one or two parts, within a fortnight."""
    first = rng.randint(1, int(line.quantity))
    for quantity in (first, int(line.quantity) - first):
        day = line.start + timedelta(days=rng.randint(1, 14))
        if quantity and day < world.today:
            ship(world, line, quantity, day)


def _work_days(world: "World", rng: Random, line: "ContractLine") -> Iterator[date]:
    """Some days of each month of the contract."""
    month, end = line.start, _end(world, line)
    while month < end:
        for _ in range(rng.randint(0, 3)):
            day = month + timedelta(days=rng.randint(0, 24))
            if day < end - timedelta(days=2):
                yield day
        month = add_months(month, 1)


def _switch_on(world: "World", line: "ContractLine") -> None:
    """What was bought, in each of the last two whole months that the line covers."""
    customer = world.account_of(line.contract_id).crm_id
    ends = _end(world, line)
    for back in (2, 1):
        month = add_months(world.today.replace(day=1), -back)
        if line.start <= month and add_months(month, 1) <= ends:
            key = (customer, line.product_code, month)
            before = world.grants.get(key)
            quantity = line.quantity + (before.quantity if before else 0)
            world.grants[key] = Grant(customer, line.product_code, month, quantity)


def _end(world: "World", line: "ContractLine") -> date:
    """The first day on which nothing is delivered any more, or today."""
    cancelled = world.contracts[line.contract_id].cancelled_on
    return min(day for day in (line.terminated, line.end, cancelled, world.today) if day)
