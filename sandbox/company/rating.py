"""What a charge bills: one item for each period that is due, with its quantity, and its amount.

- A period billed in advance is due on its first day, one in arrears on the day after its last.
- The quantity is that of the segment in force on the first day. Where a segment begins within a period already
  billed in advance, the rest of the period is credited at the old quantity and billed at the new one, on the
  day of the change. A period in arrears is split where a segment begins.
- Metered usage is billed by billing period, in arrears: the sum of the events whose local day lies in it, as far as
  they have arrived when the run begins. What arrives later is billed by the next run, with the days of its period:
  by a tariff it costs what the whole period costs, less what was billed.
- Seats above those included are billed by calendar month, in arrears, and nothing is billed for other months.
- The amount is quantity × price × months, rounded half up once; of a period that is cut short, the actual days
  count over those of the whole period. Usage and one-time charges count as they are, whatever their period.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from sandbox.company.amounts import document
from sandbox.company.catalog import ONE_TIME, RECURRING
from sandbox.company.delivering import HOURS, WorkItem
from sandbox.company.documents import CHARGE, CREDIT
from sandbox.company.model import ADVANCE, Charge, SeatCount, Segment, UsageEvent
from sandbox.company.periods import add_months, months_billed, period_of, periods
from sandbox.company.world import World


@dataclass(frozen=True)
class Metered:
    """An event on the local day of its customer."""

    day: date
    event: UsageEvent


Metering = Mapping[str, Sequence[Metered]]
"""Events by charge number."""
RunStart = Callable[[date], datetime]
"""When the run of a day begins that bills the customer."""


@dataclass(frozen=True)
class Item:
    """One line to be invoiced on `due`. Of usage, `before` is what was billed of the period already."""

    charge: Charge
    segment: Segment
    due: date
    start: date
    end: date
    quantity: Decimal
    kind: str = CHARGE
    before: Decimal = Decimal(0)
    events: tuple[UsageEvent, ...] = ()


def metering_of(world: World) -> Metering:
    """What the meters counted, by the customer's own days."""
    found: dict[str, list[Metered]] = defaultdict(list)
    zones = {account.crm_id: ZoneInfo(account.timezone) for account in world.accounts.values()}
    for event in world.usage:
        if event.charge and not event.heartbeat:
            day = event.happened_at.astimezone(zones[event.customer]).date()
            found[event.charge].append(Metered(day, event))
    return found


def due_items(
    charge: Charge,
    seats: Mapping[date, SeatCount],
    included: Decimal,
    metering: Metering,
    work: Sequence[WorkItem],
    until: date,
    begins: RunStart,
) -> Iterator[Item]:
    """Everything of the charge that is due up to and including `until`; `seats` are those of its contract line."""
    if charge.seat_overage:
        yield from _overage(charge, seats, included, until)
    elif charge.charge_type == RECURRING:
        yield from _recurring(charge, until)
    elif charge.charge_type == ONE_TIME:
        segment = charge.segments[0]
        if charge.start <= until:
            yield Item(charge, segment, charge.start, charge.start, add_day(charge.start), _quantity(segment))
    elif charge.product_code == HOURS:
        yield from _worked(charge, work, until, begins)
    else:
        yield from _metered(charge, metering.get(charge.number, ()), until, begins)


def amount_of(item: Item, currency: str) -> Decimal:
    """What an item costs as it stands on the invoice; usage by its tariff, beside what was billed of its period."""
    if item.charge.tariff is None:
        return price_of(item.charge, item.charge.price_of(item.segment), currency, item.start, item.end, item.quantity)
    cost = item.charge.tariff.cost
    return document(cost(item.before + item.quantity), currency) - document(cost(item.before), currency)


def price_of(charge: Charge, price: Decimal, currency: str, start: date, end: date, quantity: Decimal) -> Decimal:
    """quantity × price × months of [start, end), as it stands on the invoice; usage and one-time without months."""
    months = Fraction(1)
    if charge.charge_type == RECURRING:
        months = months_billed(start, end, charge.anchor, charge.billing_months)
    return document(Fraction(quantity * price) * months, currency)


def add_day(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _recurring(charge: Charge, until: date) -> Iterator[Item]:
    first = max(charge.start, charge.free_until or charge.start)
    for start, end in periods(first, charge.end, charge.anchor, charge.billing_months, until):
        if charge.timing == ADVANCE:
            yield from _in_advance(charge, start, end, until)
        elif end <= until:
            yield from _in_arrears(charge, start, end)


def _in_advance(charge: Charge, start: date, end: date, until: date) -> Iterator[Item]:
    current = next(s for s in reversed(charge.segments) if s.start <= start)
    if current.end is not None and current.end <= start:
        return
    yield Item(charge, current, start, start, end, _quantity(current))
    for segment in charge.segments:
        if start < segment.start < end and segment.start <= until:
            yield Item(charge, current, segment.start, segment.start, end, -_quantity(current), CREDIT)
            yield Item(charge, segment, segment.start, segment.start, end, _quantity(segment))
            current = segment


def _in_arrears(charge: Charge, start: date, end: date) -> Iterator[Item]:
    for segment in charge.segments:
        first, last = max(start, segment.start), min(end, segment.end or end)
        if first < last:
            yield Item(charge, segment, end, first, last, _quantity(segment))


def _metered(charge: Charge, metered: Sequence[Metered], until: date, begins: RunStart) -> Iterator[Item]:
    segment = charge.segments[0]
    for start, end in periods(charge.start, charge.end, charge.anchor, charge.billing_months, until):
        open_ = [one.event for one in metered if start <= one.day < end]
        before = Decimal(0)
        for due in _bill_days(charge, end, until):
            arrived = tuple(event for event in open_ if event.received_at <= begins(due))
            open_ = [event for event in open_ if event.received_at > begins(due)]
            used = sum((event.quantity for event in arrived), Decimal(0))
            if used:
                yield Item(charge, segment, due, start, end, used, before=before, events=arrived)
                before += used


def _worked(charge: Charge, work: Sequence[WorkItem], until: date, begins: RunStart) -> Iterator[Item]:
    """Hours are billed once a month, as far as they were approved when the run began, and not yet billed."""
    left = [item for item in work if item.quantity and item.approved_at]
    for start, end in periods(charge.start, charge.end, charge.anchor, charge.billing_months, until):
        if end <= until:
            ready = [item for item in left if item.approved_at and item.approved_at <= begins(end)]
            left = [item for item in left if item not in ready]
            hours = sum((item.quantity or Decimal(0) for item in ready), Decimal(0))
            if hours:
                yield Item(charge, charge.segments[0], end, start, end, hours)


def _bill_days(charge: Charge, first: date, until: date) -> Iterator[date]:
    """The day on which a period that ends there is billed, and those of the periods after it."""
    day = first
    while day <= until:
        yield day
        day = period_of(day, charge.anchor, charge.billing_months)[1]


def _overage(charge: Charge, seats: Mapping[date, SeatCount], included: Decimal, until: date) -> Iterator[Item]:
    for month, count in sorted(seats.items()):
        end = add_months(month, 1)
        if end <= until and count.active > included and not count.trial:
            yield Item(charge, charge.segments[0], end, month, end, count.active - included)


def _quantity(segment: Segment) -> Decimal:
    assert segment.quantity is not None, "only segments of usage have no quantity"
    return segment.quantity
