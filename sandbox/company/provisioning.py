"""From contracts to subscriptions: what billing was told of each contract, amendment by amendment.

One subscription per contract. Every amendment that has taken effect makes a new version of it; a change of
quantity ends the charge's segment and begins another. Usage charges of a running contract have no end.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.catalog import ONE_TIME, PRODUCTS, USAGE
from sandbox.company.model import ARREARS, Charge, Contract, ContractLine, Quote, Segment, Subscription, Version
from sandbox.company.periods import add_months, bill_day_before
from sandbox.company.tariffs import tariff
from sandbox.company.world import World

_HAND_OVER = timedelta(hours=2)
"""How long the integration takes from the CRM to billing."""


def provision(world: World) -> None:
    """Tell billing of every contract that has something to bill, except those in `world.not_in_billing`."""
    ordered = _amendments(world)
    for contract in world.contracts.values():
        lines = [line for line in world.lines_of(contract.crm_id) if _is_charged(world, line)]
        if lines and contract.crm_id not in world.not_in_billing:
            _provision(world, contract, lines, ordered.get(contract.crm_id, []))


def end_of(world: World, contract: Contract) -> date | None:
    """The first day that the contract does not cover. What goes on after its term ends where another one renews it."""
    end = contract.cancelled_on or contract.end
    goes_on = contract.holds_over or contract.auto_renews
    if contract.cancelled_on or not goes_on or end is None or end > world.today:
        return end
    renewed = min((later.start for later in world.contracts.values() if later.renews == contract.crm_id), default=None)
    while renewed is None and contract.auto_renews and end <= world.today:
        end = add_months(end, 12)
    return end if contract.auto_renews and renewed is None else renewed


def contract_versions(world: World) -> Mapping[str, int]:
    """The version of each contract in the CRM: one, and one more with every ordered amendment in force, and its end."""
    versions = dict.fromkeys(world.contracts, 1)
    for quote in world.quotes.values():
        if quote.type == "Amendment" and quote.ordered and quote.contract_id in versions and quote.start <= world.today:
            versions[quote.contract_id] += 1
    for contract in world.contracts.values():
        versions[contract.crm_id] += contract.cancelled_on is not None
    return versions


def _amendments(world: World) -> dict[str, list[Quote]]:
    """Amendments that billing knows of, by contract, in the order in which they take effect."""
    by_contract: dict[str, list[Quote]] = {}
    for quote in sorted(world.quotes.values(), key=lambda quote: (quote.start, quote.crm_id)):
        takes_effect = quote.ordered and quote.start <= world.today and quote.crm_id not in world.not_applied
        if quote.type == "Amendment" and quote.contract_id and takes_effect:
            by_contract.setdefault(quote.contract_id, []).append(quote)
    return by_contract


def _is_charged(world: World, line: ContractLine) -> bool:
    is_own = line.rolls_up_to is None and line.follows is None
    return line.billable and line.price > 0 and is_own and line.crm_id not in world.not_charged


def _provision(world: World, contract: Contract, lines: list[ContractLine], amendments: list[Quote]) -> None:
    subscription = _subscription(world, contract)
    sold = [line for line in lines if line.added_by is None]
    charges = [_charge(world, subscription, contract, line) for line in sold]
    charges += [_overage(world, charge, line) for charge, line in zip(charges, sold, strict=True) if line.included]
    charges += [_true_up(world, charge) for charge, line in zip(charges, sold, strict=False) if line.commit]
    by_day = {day: [quote for quote in amendments if quote.start == day] for day in _days(world, lines, amendments)}
    for day, quotes in by_day.items():
        if not quotes:
            noticed = datetime.combine(day - timedelta(days=10), time(14), UTC)
            subscription, version = _next_version(world, subscription, noticed, day, "UpdateProduct")
            charges = [_followed(world, charge, day, version) for charge in charges]
        for quote in quotes:
            subscription, version = _next_version(world, subscription, quote.ordered_at, day, "UpdateProduct")
            charges = [_followed(world, _changed(world, charge, quote, version), day, version) for charge in charges]
            added = [line for line in lines if line.added_by == quote.crm_id]
            charges += [_charge(world, subscription, contract, line) for line in added]
    if contract.cancelled_on:
        noticed = datetime.combine(contract.cancelled_on - timedelta(days=6), time(15), UTC)
        subscription, _ = _next_version(world, subscription, noticed, contract.cancelled_on, "Cancellation")
    world.subscriptions[contract.crm_id] = subscription
    for charge in charges:
        world.charges[charge.billing_id] = charge


def _days(world: World, lines: list[ContractLine], amendments: list[Quote]) -> list[date]:
    """When billing is told of something: amendments, rises of prices and steps of ramps, up to today."""
    followed = {
        day
        for line in lines
        for day in (*world.rises_of(line), *(step.start for step in world.steps_of(line)))
        if day <= world.today and (line.crm_id, day) not in world.not_followed
    }
    ends = [end for line in lines if (end := end_of(world, world.contracts[line.contract_id]))]
    return sorted(
        {quote.start for quote in amendments} | {day for day in followed if day < min(ends, default=date.max)}
    )


def _subscription(world: World, contract: Contract) -> Subscription:
    number = f"A-S{world.ids.number('subscription number'):08d}"
    created = contract.activated_at + _HAND_OVER
    first = Version(world.ids.billing("subscription"), world.ids.billing("rate_plan"), 1, created, contract.start)
    return Subscription(
        number,
        contract.account_id,
        contract.crm_id,
        contract.start,
        end_of(world, contract),
        (first,),
        contract.cancelled_on,
    )


def _next_version(
    world: World, subscription: Subscription, known_at: datetime, effective: date, change: str
) -> tuple[Subscription, Version]:
    ids = world.ids
    version = Version(
        ids.billing("subscription"),
        ids.billing("rate_plan"),
        subscription.current.number + 1,
        max(known_at, subscription.current.created_at) + _HAND_OVER,
        effective,
        change,
        ids.billing("amendment"),
    )
    return replace(subscription, versions=(*subscription.versions, version)), version


def _charge(world: World, subscription: Subscription, contract: Contract, line: ContractLine) -> Charge:
    product = PRODUCTS[line.product_code]
    bill_day = world.accounts[contract.account_id].bill_day
    months = line.billing_months or 1
    end = _charge_end(world, contract, line)
    metered = line.charge_type == USAGE
    segment = Segment(
        world.ids.billing("charge"),
        1,
        subscription.current.number,
        None if metered else line.quantity,
        line.start,
        end,
        subscription.current.created_at,
    )
    return Charge(
        number=f"C-{world.ids.number('charge number'):08d}",
        subscription=subscription.name,
        account_id=contract.account_id,
        line_id=line.crm_id,
        product_code=line.product_code,
        name=product.name,
        charge_type=line.charge_type,
        price=line.price + _rolled_up(world, line),
        billing_months=months,
        timing=line.timing,
        unit=product.unit,
        anchor=bill_day_before(line.start, bill_day) if months == 1 else contract.start,
        start=line.start,
        end=end,
        segments=(segment,),
        free_until=line.free_until,
        tariff=tariff(line.product_code, world.accounts[contract.account_id].currency),
        tax_code=world.accounts[contract.account_id].tax_code,
    )


def _charge_end(world: World, contract: Contract, line: ContractLine) -> date | None:
    if line.charge_type == ONE_TIME:
        return line.start + timedelta(days=1)
    end = end_of(world, contract)
    if line.charge_type == USAGE and (end is None or end > world.today):
        return None
    return end


def _rolled_up(world: World, line: ContractLine) -> Decimal:
    components = (part for part in world.lines_of(line.contract_id) if part.rolls_up_to == line.crm_id)
    return sum((part.price for part in components), Decimal(0))


def _overage(world: World, charge: Charge, line: ContractLine) -> Charge:
    """The second charge of a seat line: what is above the seats in the price, month by month."""
    first = replace(charge.segments[0], billing_id=world.ids.billing("charge"), quantity=None)
    assert line.overage_price is not None, "a line with included seats says what more of them cost"
    return replace(
        charge,
        number=f"C-{world.ids.number('charge number'):08d}",
        name="Seat overage",
        charge_type=USAGE,
        price=line.overage_price,
        billing_months=1,
        timing=ARREARS,
        unit="Seat",
        anchor=bill_day_before(line.start, world.accounts[charge.account_id].bill_day),
        segments=(first,),
        free_until=None,
        seat_overage=True,
        tariff=None,
    )


def _true_up(world: World, charge: Charge) -> Charge:
    """One more charge of a line with a commitment: what lacks to it when a window ends."""
    return replace(
        charge,
        number=f"C-{world.ids.number('charge number'):08d}",
        product_code="COMMIT",
        name=PRODUCTS["COMMIT"].name,
        price=Decimal(0),
        unit="Commitment",
        segments=(replace(charge.segments[0], billing_id=world.ids.billing("charge"), quantity=None),),
        true_up=True,
        tariff=None,
    )


def _changed(world: World, charge: Charge, quote: Quote, version: Version) -> Charge:
    """The charge after an amendment: the last segment ends, another begins with the new quantity."""
    later = [c for step in world.steps_of(world.lines[charge.line_id]) for c in world.changes_of(step.crm_id)]
    # What changes a step on its first day is in the step.
    later = [c for c in later if c.effective > world.lines[c.line_id].start]
    deltas = [c for c in (*world.changes_of(charge.line_id), *later) if c.amendment_id == quote.crm_id]
    last = charge.segments[-1]
    if not deltas or last.quantity is None:
        return charge
    following = Segment(
        world.ids.billing("charge"),
        last.number + 1,
        version.number,
        last.quantity + sum(change.delta for change in deltas),
        quote.start,
        last.end,
        version.created_at,
        last.price,
    )
    return replace(charge, segments=(*charge.segments[:-1], replace(last, end=quote.start), following))


def _followed(world: World, charge: Charge, day: date, version: Version) -> Charge:
    """The charge after a rise of its price, or a step of its ramp, that takes effect on the day."""
    line = world.lines[charge.line_id]
    steps = [step for step in world.steps_of(line) if step.start == day]
    if charge.seat_overage or (line.crm_id, day) in world.not_followed or not (steps or day in world.rises_of(line)):
        return charge
    last = charge.segments[-1]
    quantity, price = last.quantity, world.price_on(line, day)
    if steps:
        quantity, price = world.quantity_on(steps[0], day), steps[0].price
    if last.start == day:
        return replace(charge, segments=(*charge.segments[:-1], replace(last, quantity=quantity, price=price)))
    following = replace(
        last,
        billing_id=world.ids.billing("charge"),
        number=last.number + 1,
        version=version.number,
        quantity=quantity,
        start=day,
        created_at=version.created_at,
        price=price,
    )
    return replace(charge, segments=(*charge.segments[:-1], replace(last, end=day), following))


def split_segment(world: World, contract_id: str, charge: Charge, day: date, quantity: Decimal | None = None) -> Charge:
    """The charge with its last segment split on a day by a new version of the subscription.

    The `quantity` is unchanged unless given.
    """
    known_at = datetime.combine(day - timedelta(days=5), time(14), UTC)
    subscription = world.subscriptions[contract_id]
    world.subscriptions[contract_id], version = _next_version(world, subscription, known_at, day, "UpdateProduct")
    last = charge.segments[-1]
    following = replace(
        last,
        billing_id=world.ids.billing("charge"),
        number=last.number + 1,
        version=version.number,
        quantity=last.quantity if quantity is None else quantity,
        start=day,
        created_at=version.created_at,
    )
    split = replace(charge, segments=(*charge.segments[:-1], replace(last, end=day), following))
    world.charges[charge.billing_id] = split
    return split


def stop_billing(world: World, contract_id: str, day: date, *, suspended: bool = False) -> None:
    """Cancel or suspend the subscription of a contract from a day on, in billing alone: its charges end there."""
    noticed = datetime.combine(day - timedelta(days=6), time(15), UTC)
    subscription = world.subscriptions[contract_id]
    kind = "SuspendSubscription" if suspended else "Cancellation"
    subscription, _ = _next_version(world, subscription, noticed, day, kind)
    stopped = (
        replace(subscription, status="Suspended") if suspended else replace(subscription, cancelled_on=day, end=day)
    )
    world.subscriptions[contract_id] = stopped
    for line in world.lines_of(contract_id):
        for charge in world.charges.where(line_id=line.crm_id):
            kept = [segment for segment in charge.segments if segment.start < day]
            kept[-1] = replace(kept[-1], end=day)
            world.charges[charge.billing_id] = replace(charge, end=day, segments=tuple(kept))


def pause_billing(world: World, contract_id: str, day: date, until: date) -> None:
    """Suspend the subscription of a contract on a day and resume it on another: its charges leave the days out."""
    subscription = world.subscriptions[contract_id]
    for on, kind in ((day, "SuspendSubscription"), (until, "ResumeSubscription")):
        noticed = datetime.combine(on - timedelta(days=6), time(15), UTC)
        subscription, version = _next_version(world, subscription, noticed, on, kind)
    world.subscriptions[contract_id] = subscription
    for line in world.lines_of(contract_id):
        for charge in world.charges.where(line_id=line.crm_id):
            last = charge.segments[-1]
            resumed = replace(
                last,
                billing_id=world.ids.billing("charge"),
                number=last.number + 1,
                version=version.number,
                start=until,
                created_at=version.created_at,
            )
            segments = (*charge.segments[:-1], replace(last, end=day), resumed)
            world.charges[charge.billing_id] = replace(charge, segments=segments)
