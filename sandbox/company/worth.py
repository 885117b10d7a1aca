"""What a contract is worth, as each system states it: the CRM the whole term, billing what recurs in a month."""

from decimal import Decimal

from sandbox.company.model import Contract
from sandbox.company.world import World


def term_of(contract: Contract) -> int | None:
    """Months from the start to the end, the last of them counted as a whole; None where there is no end."""
    if contract.end is None:
        return None
    apart = (contract.end.year - contract.start.year) * 12 + contract.end.month - contract.start.month
    return apart + (contract.end.day > contract.start.day)


def total_value(world: World, contract: Contract) -> Decimal | None:
    """What was signed, unless somebody has filled the field with something else."""
    if contract.crm_id in world.stated_values:
        return world.stated_values[contract.crm_id]
    won = world.opportunities.get(contract.opportunity_id)
    return won.amount if won else None


def monthly_value(world: World, contract_id: str) -> Decimal:
    """What recurs in the first month, before any step or addition, unless billing holds something else."""
    if contract_id in world.held_values:
        return world.held_values[contract_id]
    start = world.contracts[contract_id].start
    lines = [line for line in world.lines_of(contract_id) if line.recurs and line.start == start]
    return sum((line.quantity * line.price for line in lines), Decimal(0))
