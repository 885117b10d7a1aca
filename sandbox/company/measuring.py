"""What customers use: metered events, and active seats month by month."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random
from zoneinfo import ZoneInfo

from sandbox.company.catalog import PRODUCTS
from sandbox.company.model import Charge, ContractLine, SeatCount, UsageEvent
from sandbox.company.periods import add_months
from sandbox.company.world import World

_SEAT_MONTHS = 12
"""For how many months back seats were counted."""

_DETAILED_MONTHS = 3
"""For how many months back the meters' events were kept one by one; before that, two sums a month."""


def measure(world: World, seed: str) -> None:
    """Fill in what no story has said: events for every metered charge, counts for every line with seats.

    Each line has its own chances, so that a line more or less elsewhere changes nothing here.
    """
    for charge in world.charges.values():
        if PRODUCTS[charge.product_code].meter and charge.number not in world.told_meters:
            world.usage.extend(_events(world, Random(f"{seed}/{charge.line_id}"), charge))
    for line in world.lines.values():
        if line.included is not None:
            rng = Random(f"{seed}/{line.crm_id}")
            for month in _months(world, line):
                world.seats.setdefault((line.crm_id, month), _count(world, rng, line, month))


def seat_count(world: World, line: ContractLine, month: date, active: Decimal, *, trial: bool = False) -> SeatCount:
    """A month's count, in the way that the line is measured."""
    customer = world.account_of(line.contract_id).crm_id
    return SeatCount(line.crm_id, line.product_code, month, active, line.measure or "peak", customer, trial)


def event(
    world: World,
    meter: str,
    quantity: Decimal,
    happened_at: datetime,
    *,
    customer: str,
    subject: str,
    delay: timedelta = timedelta(minutes=7),
    charge: Charge | None = None,
    event_id: str | None = None,
    test: bool = False,
    heartbeat: bool = False,
) -> UsageEvent:
    """One event as the meter sent it, received `delay` later but not after now. The caller keeps it."""
    number = world.ids.number("usage event")
    received = min(happened_at + delay, world.now)
    return UsageEvent(
        record_id=f"ue-{number:08d}",
        event_id=event_id or f"evt-{meter}-{number:08d}",
        meter=meter,
        customer=customer,
        subject=subject,
        subscription=charge.subscription if charge else "",
        charge=charge.number if charge else "",
        quantity=quantity,
        happened_at=happened_at,
        received_at=received,
        batch=f"{received:%Y%m%d}-{meter}",
        test=test,
        heartbeat=heartbeat,
    )


def _events(world: World, rng: Random, charge: Charge) -> Iterator[UsageEvent]:
    account = world.accounts[charge.account_id]
    zone = ZoneInfo(account.timezone)
    meter = PRODUCTS[charge.product_code].meter or ""
    usual = rng.choice((2_000, 20_000, 150_000))
    subjects = [f"tenant-{account.number.lower()}-{place}" for place in ("a", "b")]
    for day in _metered_days(world, rng, charge):
        local = datetime.combine(day, time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)), zone)
        yield event(
            world,
            meter,
            Decimal(rng.randint(usual // 2, usual * 2)),
            local.astimezone(UTC) + timedelta(milliseconds=rng.randint(0, 999)),
            customer=account.crm_id,
            subject=rng.choice(subjects),
            delay=timedelta(minutes=rng.randint(2, 90)),
            charge=charge,
        )


def _metered_days(world: World, rng: Random, charge: Charge) -> Iterator[date]:
    """Days with an event, up to the last day before today."""
    detailed = add_months(world.today, -_DETAILED_MONTHS)
    end = min(charge.end or world.today, world.today)
    month = charge.start
    while month < end:
        following = min(add_months(month, 1), end)
        days = (following - month).days
        for _ in range(6 if month >= detailed else 2):
            yield month + timedelta(days=rng.randrange(days))
        month = following


def _months(world: World, line: ContractLine) -> Iterator[date]:
    """The full months that the line covers, of the last twelve."""
    month = max(add_months(world.today, -_SEAT_MONTHS), line.start)
    month = month if month.day == 1 else add_months(month.replace(day=1), 1)
    end = min(day for day in (line.terminated, line.end, world.today) if day)
    while add_months(month, 1) <= end:
        yield month
        month = add_months(month, 1)


def _count(world: World, rng: Random, line: ContractLine, month: date) -> SeatCount:
    """Mostly below what is included; sometimes above, where overage can be billed with the month that follows."""
    assert line.included is not None, "only lines with included seats are counted"
    share = Decimal(rng.randint(60, 98))
    goes_over = rng.random() < 0.15 and world.account_of(line.contract_id).bill_day == 1
    if goes_over:
        share = Decimal(rng.randint(102, 112))
    return seat_count(world, line, month, (line.included * share / 100).quantize(Decimal(1), ROUND_DOWN))
