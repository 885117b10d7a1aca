"""What the old billing system had of the customers that were carried over: the same as billing, on the day before."""

from sandbox.company.catalog import RECURRING
from sandbox.company.legacy_records import LegacyAccount, LegacyLine, LegacySubscription
from sandbox.company.model import Charge, Segment, Subscription
from sandbox.company.world import World


def carry_over(world: World) -> None:
    """The snapshot of every customer in `world.carried_over` who was billed before the cut-over."""
    for subscription in list(world.subscriptions.values()):
        if subscription.account_id in world.carried_over:
            _carry(world, subscription)


def _carry(world: World, subscription: Subscription) -> None:
    contract = world.contracts[subscription.contract_id]
    charges = [
        charge for line in world.lines_of(contract.crm_id) for charge in world.charges.where(line_id=line.crm_id)
    ]
    running = [(charge, _at_cutover(world, charge)) for charge in charges if charge.charge_type == RECURRING]
    rows = [(charge, segment) for charge, segment in running if segment is not None]
    ended = contract.end is not None and contract.end <= world.cutover
    if not rows or ended or subscription.start >= world.cutover:
        return
    account = world.accounts[subscription.account_id]
    parent = world.accounts.get(account.payer_id or account.parent_id or "")
    above = f"LA-{parent.number}" if parent and parent.crm_id in world.carried_over else None
    customer = LegacyAccount(f"LA-{account.number}", account.crm_id, above, account.billing_id)
    world.legacy_accounts[customer.key] = customer
    old = LegacySubscription(
        f"LS-{contract.number}",
        account.crm_id,
        contract.number,
        subscription.start,
        contract.end,
        subscription.versions[0].billing_id,
    )
    world.legacy_subscriptions[old.key] = old
    for charge, segment in rows:
        line = _line(world, old.key, charge, segment)
        world.legacy_lines[line.key] = line


def _at_cutover(world: World, charge: Charge) -> Segment | None:
    """What the charge billed on the day of the cut-over; None where it had not begun or was over."""
    for segment in charge.segments:
        if segment.start < world.cutover and (segment.end is None or world.cutover < segment.end):
            return segment
    return None


def _line(world: World, subscription: str, charge: Charge, segment: Segment) -> LegacyLine:
    sold = world.lines[charge.line_id]
    quantity = segment.quantity
    assert quantity is not None, "what recurs has a quantity"
    price = charge.price_of(segment)
    return LegacyLine(
        f"LL-{charge.number}",
        subscription,
        charge.product_code,
        charge.name,
        quantity,
        price,
        charge.billing_months,
        charge.start,
        charge.end,
        charge.billing_id,
        # A contract with an end locks the price until then.
        grandfathered=sold.end is not None and price < sold.list_price,
    )
