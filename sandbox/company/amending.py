"""What happens to a contract after it was sold: amendments, lines added later, cancellations."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Deals, Terms
from sandbox.company.model import CANCELLED, Change, Contract, ContractLine, Opportunity, Quote, QuoteLine


def change(deals: Deals, line: ContractLine, delta: int, effective: date, *, ordered: date | None = None) -> Change:
    """An ordered amendment that changes the quantity of a line from `effective` on."""
    world = deals.world
    contract = world.contracts[line.contract_id]
    prior, price = world.quantity_on(line, effective), world.price_on(line, effective)
    quote = amendment(deals, contract, effective, ordered=ordered)
    quote_line = QuoteLine(
        world.ids.crm("quote_line"),
        quote.crm_id,
        line.product_code,
        prior + delta,
        prior,
        price,
        effective,
        line.end,
        line.crm_id,
    )
    world.quote_lines[quote_line.crm_id] = quote_line
    made = Change(
        world.ids.crm("subscription"), line.crm_id, quote.crm_id, quote_line.crm_id, Decimal(delta), effective
    )
    world.changes[made.crm_id] = made
    _value(deals, quote, Fraction(delta * price) * world.months_left(contract, effective))
    return made


def add_on(deals: Deals, contract: Contract, terms: Terms, effective: date) -> ContractLine:
    """An ordered amendment that adds a line, which ends with the contract."""
    quote = amendment(deals, contract, effective)
    line = deals.line(contract, terms, effective, quote.crm_id)
    _value(deals, quote, Fraction(line.quantity * line.price) * deals.world.months_left(contract, effective))
    return line


def amendment(
    deals: Deals, contract: Contract, effective: date, *, ordered: date | None = None, is_ordered: bool = True
) -> Quote:
    """An amendment quote on a contract with its opportunity, still without lines and worth nothing.

    `ordered` is the day on which it was ordered, three to twelve days before it takes effect unless given.
    """
    world = deals.world
    ordered = ordered or effective - timedelta(days=deals.rng.randint(3, 12))
    quote = Quote(
        world.ids.crm("quote"),
        f"Q-{world.ids.number('quote number'):05d}",
        contract.account_id,
        world.ids.crm("opportunity"),
        "Amendment",
        "Accepted" if is_ordered else "Draft",
        is_ordered,
        contract.crm_id,
        effective,
        contract.end,
        Decimal(0),
        deals.moment(ordered, 0),
    )
    world.quotes[quote.crm_id] = quote
    world.opportunities[quote.opportunity_id] = Opportunity(
        quote.opportunity_id,
        contract.account_id,
        f"Amendment of {contract.number}",
        "Existing Business",
        "Closed Won" if is_ordered else "Proposal",
        is_ordered,
        is_ordered,
        ordered,
        Decimal(0),
        contract.crm_id,
        quote.crm_id,
    )
    return quote


def cancel(deals: Deals, contract: Contract, on: date) -> Contract:
    """End a contract before its term: no day from `on` is covered."""
    world = deals.world
    cancelled = replace(contract, status=CANCELLED, cancelled_on=on)
    world.contracts[contract.crm_id] = cancelled
    for line in world.lines_of(contract.crm_id):
        world.lines[line.crm_id] = replace(line, terminated=on)
    return cancelled


def _value(deals: Deals, quote: Quote, value: Fraction) -> None:
    world = deals.world
    amount = document(value, world.accounts[quote.account_id].currency)
    world.quotes[quote.crm_id] = replace(quote, net_amount=amount)
    opportunity = world.opportunities[quote.opportunity_id]
    world.opportunities[opportunity.crm_id] = replace(opportunity, amount=amount)
