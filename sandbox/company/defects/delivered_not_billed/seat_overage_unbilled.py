"""More seats were active than the price includes, and no invoice says so."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.deals import Terms
from sandbox.company.labels import METERING, Planted, seat_key
from sandbox.company.model import ContractLine
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "seat_overage_unbilled"
_SIX_MONTHS = (502, 518, 547, 523, 556, 541)
"""Active seats of 500, the oldest month first: at 50 a seat, 9,350 were never billed."""


def six_months(story: Story) -> Plot:
    seats = Terms("SEAT-STD", 500, Decimal(40), included=500, overage_price=Decimal(50))
    contract = story.sell(6, seats)
    line = story.line(contract, "SEAT-STD")
    yield Stage.PROVISIONED
    months = {story.count_seats(line, 6 - i, active): active for i, active in enumerate(_SIX_MONTHS)}
    yield Stage.INVOICED
    _forget(story, line, months)


def one_month_of_three(story: Story) -> Plot:
    """The months before and after were billed, so the overage charge itself works."""
    price = local_price(Decimal(90), story.currency)
    seats = Terms("SEAT-PRO", 120, included=120, overage_price=price, measure="average")
    contract = story.sell(10, seats)
    line = story.line(contract, "SEAT-PRO")
    active = [120 + story.rng.randint(3, 15) for _ in range(3)]
    yield Stage.PROVISIONED
    months = [story.count_seats(line, 4 - i, count) for i, count in enumerate(active)]
    yield Stage.INVOICED
    _forget(story, line, {months[1]: active[1]})


def not_billed_by_itself(story: Story) -> Plot:
    """The contract leaves the overage to a person, who did not look."""
    price = local_price(Decimal(300), story.currency)
    terms = Terms("PLATFORM", 1, included=25, overage_price=price, measure="month_end")
    contract = story.deals.sell(story.account(), story.months_ago(8), 24, [terms], auto_bills_overage=False)
    line = story.line(contract, "PLATFORM")
    active = [25 + story.rng.randint(1, 6) for _ in range(2)]
    yield Stage.PROVISIONED
    months = {story.count_seats(line, 3 - i, count): count for i, count in enumerate(active)}
    yield Stage.INVOICED
    _forget(story, line, months)


def _forget(story: Story, line: ContractLine, months: Mapping[date, int]) -> None:
    world = story.world
    overage = world.overage_of(line.crm_id)
    billed = {billed.start: billed for billed in world.billed(overage.billing_id)}
    assert line.included is not None, "the line says how many seats are in its price"
    for month, active in months.items():
        world.remove_lines([billed[month]])
        amount = (active - line.included) * overage.price
        note = f"{active} active seats of {line.included}"
        key = seat_key(line.crm_id, month)
        story.plant(Planted(CHECK, METERING, "entitlements", key, amount, story.currency, note, month))


TALES = (Tale(six_months, "USD"), Tale(one_month_of_three, "EUR"), Tale(not_billed_by_itself, "JPY"))
