"""Customers to whom nothing remarkable happens: contracts of every kind, renewed, amended, cancelled, all in order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from sandbox.company.amending import add_on, cancel, change
from sandbox.company.amounts import local_price
from sandbox.company.catalog import PRODUCTS, RECURRING
from sandbox.company.deals import BAD_BATCH, CLEAN_BATCH, Deals, Step, Terms
from sandbox.company.delivering import GOODS, HOURS
from sandbox.company.discounts import grant
from sandbox.company.model import ACTIVATED, ADVANCE, ARREARS, Account, Commit, Contract, ContractLine, Uplift
from sandbox.company.periods import add_months, bill_day_after, periods
from sandbox.company.tariffs import METERED_BY_TARIFF
from sandbox.company.world import World

_BILL_DAYS = (1, 1, 1, 1, 1, 1, 5, 10, 15, 20, 28)
_OVERAGE_PRICES = {"SEAT-STD": Decimal(50), "SEAT-PRO": Decimal(90)}


def populate(deals: Deals, accounts: int) -> None:
    """Add customers until there are so many accounts; the first one is a test account."""
    world = deals.world
    is_test = True
    while len(world.accounts) < accounts:
        batch = CLEAN_BATCH if is_test or deals.rng.random() < 0.75 else BAD_BATCH
        account = deals.account(bill_day=deals.rng.choice(_BILL_DAYS), batch=batch, is_test=is_test)
        is_test = False
        _history(deals, account)
        if deals.rng.random() < 0.2:
            deals.opportunity(account)
    _group(world, deals.accounts[1:])
    world.carried_over |= set(deals.accounts[1::6])


def _group(world: World, accounts: Sequence[str]) -> None:
    """Every tenth customer belongs to the one before it, which pays for it in every second case."""
    for place, (parent, child) in enumerate(pairwise(accounts)):
        if place % 10 == 0:
            payer = parent if place % 20 else None
            world.accounts[child] = replace(world.accounts[child], parent_id=parent, payer_id=payer)


def _history(deals: Deals, account: Account) -> None:
    """A first contract, then renewals until one is left to lapse, cancelled, or still runs."""
    rng, today = deals.rng, deals.world.today
    start = _first_start(rng, account, deals.world)
    terms = _terms(rng, account)
    # A commitment is counted in windows from the start of its line, and trued up on bill days.
    plain = all(said.months == 1 and not said.free_months and not said.commit for said in terms)
    if plain and rng.random() < 0.2:
        start += timedelta(days=rng.randint(1, 20))
    term = None if rng.random() < 0.1 else rng.choice((12, 12, 12, 24, 36))
    terms = [_over_time(rng, account, start, term, said) for said in terms]
    contract = deals.sell(account, start, term, terms, po_required=rng.random() < 0.15)
    while contract.end and contract.end <= today and rng.random() < 0.8:
        _amend(deals, account, contract)
        contract = deals.sell(account, contract.end, 12, _renewed(terms), renews=contract, kind="Renewal")
    _promote(deals, contract)
    _amend(deals, account, contract)
    if rng.random() < 0.06:
        _cancel(deals, account, contract)


def _first_start(rng: Random, account: Account, world: World) -> date:
    """A bill day in the last two years, a month ago at least."""
    days = (world.today - world.first_day).days - 60
    return bill_day_after(world.first_day + timedelta(days=rng.randrange(days)), account.bill_day)


def _terms(rng: Random, account: Account) -> list[Terms]:
    months = rng.choice((1, 1, 1, 3, 3, 6, 12))
    timing = ARREARS if rng.random() < 0.15 else ADVANCE
    free = 1 if months == 1 and timing == ADVANCE and rng.random() < 0.08 else 0
    kind = rng.random()
    lines: list[Terms] = []
    if kind < 0.3:
        lines.append(Terms(rng.choice(("PLATFORM", "PLATFORM-ENT")), months=months, timing=timing, free_months=free))
    elif kind < 0.85:
        lines.append(_seats(rng, account, months, timing, free))
    else:
        seats = rng.randint(15, 120)
        lines.append(Terms("SUITE", seats, months=months, timing=timing))
        lines += [Terms(part, seats, months=months, rolls_up=True) for part in ("SUITE-FORECAST", "SUITE-MOBILE")]
    if rng.random() < 0.3:
        lines.append(Terms("SUPPORT", months=months, timing=timing))
    if rng.random() < 0.3:
        meter = rng.choice(("API-CALL", "MESSAGE", *METERED_BY_TARIFF))
        by_list = meter not in METERED_BY_TARIFF and rng.random() < 0.3
        lines.append(Terms(meter, by_list=by_list, commit=_commit(rng, account)))
    if rng.random() < 0.3:
        lines.append(Terms(rng.choice(("SETUP", "TRAINING")), rng.randint(1, 3)))
    if rng.random() < 0.12:
        lines.append(Terms(GOODS, rng.randint(2, 20)))
    if rng.random() < 0.12:
        lines.append(Terms(HOURS))
    return lines


def _commit(rng: Random, account: Account) -> Commit | None:
    """One customer in four has committed to a minimum, in windows of some months."""
    if rng.random() < 0.75:
        return None
    return Commit(local_price(Decimal(rng.choice((300, 1_500, 9_000))), account.currency), rng.choice((1, 3, 12)))


def _seats(rng: Random, account: Account, months: int, timing: str, free: int) -> Terms:
    product = rng.choice(("SEAT-STD", "SEAT-STD", "SEAT-PRO", "SEAT-VIEW"))
    seats = rng.choice((10, 25, 40, 60, 100, 150, 250, 400))
    if product not in _OVERAGE_PRICES or rng.random() < 0.5:
        return Terms(product, seats, months=months, timing=timing, free_months=free)
    price = local_price(_OVERAGE_PRICES[product], account.currency)
    measure = rng.choice(("peak", "average", "month_end"))
    return Terms(product, seats, months=months, timing=timing, included=seats, overage_price=price, measure=measure)


def _over_time(rng: Random, account: Account, start: date, term: int | None, said: Terms) -> Terms:
    """Fees that rise every year, by a fixed rate or with an index; seats that ramp up after the first year."""
    if said.rolls_up or said.free_months or PRODUCTS[said.product].charge_type != RECURRING or term == 12:
        return said
    first = add_months(start, 12)
    if said.product in ("PLATFORM", "PLATFORM-ENT", "SUPPORT") and rng.random() < 0.4:
        rate = rng.choice((Decimal("0.03"), Decimal("0.04"), Decimal("0.05"), Decimal("0.072")))
        if rng.random() < 0.3:
            fixed = Uplift(rate, first, None, "CPI-U", first - timedelta(days=20), Decimal("0.02"), Decimal("0.05"))
            return replace(said, uplift=fixed)
        return replace(said, uplift=Uplift(rate, first, waived=rng.random() < 0.1))
    if said.product.startswith("SEAT") and said.included is None and term and rng.random() < 0.25:
        price = local_price(PRODUCTS[said.product].list_price * rng.choice((90, 95, 100)) / 100, account.currency)
        return replace(said, ramp=(Step(12, said.quantity + rng.randint(5, 40), price),))
    return said


def _renewed(terms: list[Terms]) -> list[Terms]:
    """What recurs, at newly negotiated prices, without its free months."""
    kept = [said for said in terms if said.product not in ("SETUP", "TRAINING", GOODS)]
    return [
        Terms(
            said.product,
            said.quantity,
            None,
            said.months,
            said.timing,
            included=said.included,
            overage_price=said.overage_price,
            measure=said.measure,
            rolls_up=said.rolls_up,
        )
        for said in kept
    ]


def _promote(deals: Deals, contract: Contract) -> None:
    """Now and then the first months are cheaper, or the whole term is by a discount of its own."""
    rng = deals.rng
    for line in deals.world.lines_of(contract.crm_id):
        if line.recurs and line.rolls_up_to is None and line.timing == ADVANCE and rng.random() < 0.06:
            end = add_months(contract.start, rng.choice((3, 6))) if rng.random() < 0.7 else None
            grant(deals.world, line, "Welcome", rng.choice((Decimal("0.05"), Decimal("0.1"))), None, line.start, end)


def _amend(deals: Deals, account: Account, contract: Contract) -> None:
    rng = deals.rng
    recurring = [line for line in deals.world.lines_of(contract.crm_id) if line.recurs]
    for line in recurring:
        if line.product_code.startswith("SEAT") and line.included is None and not line.step and rng.random() < 0.5:
            _resize(deals, account, contract, line)
    days = _bill_days(deals.world, account, contract, 1)
    if days and rng.random() < 0.12:
        months = recurring[0].billing_months or 1
        add_on(deals, contract, Terms("SUPPORT", months=months, timing=recurring[0].timing), rng.choice(days))


def _resize(deals: Deals, account: Account, contract: Contract, line: ContractLine) -> None:
    """More seats on a bill day, for monthly lines on any day; fewer seats from the start of a period on."""
    rng = deals.rng
    days = _bill_days(deals.world, account, contract, 1)
    boundaries = _bill_days(deals.world, account, contract, line.billing_months or 1)
    if boundaries and rng.random() < 0.3:
        change(deals, line, -max(1, int(line.quantity) // rng.randint(5, 12)), rng.choice(boundaries))
    elif days:
        later = rng.randint(1, 26) if line.billing_months == 1 and rng.random() < 0.5 else 0
        for day in sorted(rng.sample(days, min(len(days), rng.choice((1, 1, 2))))):
            change(deals, line, max(1, int(line.quantity) // rng.randint(4, 20)), day + timedelta(days=later))


def _cancel(deals: Deals, account: Account, contract: Contract) -> None:
    """At the end of a period that is billed, after everything else that happened to the contract."""
    world = deals.world
    lines = world.lines_of(contract.crm_id)
    changed = [change.effective for line in lines for change in world.changes_of(line.crm_id)]
    latest = max([*changed, *(line.start for line in lines)])
    months = max(line.billing_months or 1 for line in lines)
    days = [day for day in _bill_days(world, account, contract, months) if day > latest]
    if days and contract.status == ACTIVATED:
        cancel(deals, contract, deals.rng.choice(days))


def _bill_days(world: World, account: Account, contract: Contract, months: int) -> list[date]:
    """Beginnings of billing periods in the contract's term, a month or more after its start, a month ago at least."""
    first = bill_day_after(contract.start, account.bill_day)
    latest = add_months(world.today, -1)
    end = min(contract.end, latest) if contract.end else latest
    return [day for day, _ in periods(first, end, first, months, end) if day >= add_months(contract.start, 1)]
