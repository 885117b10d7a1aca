"""What signed contracts say beyond prices and terms, as it was read out of their text."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from sandbox.company.model import Clause, Contract
from sandbox.company.world import World

TEXTS = {
    "Extended_Terms": "Payment is due one hundred and twenty days after the invoice.",
    "Acceptance": "Fees are earned once the customer has accepted the service in writing.",
    "Termination": "The customer may terminate for convenience and is refunded what is unused.",
    "Most_Favoured": "No comparable customer is offered a lower price.",
}


def read_clauses(world: World, rng: Random) -> None:
    """A machine reads the contracts; finance is told of what changes revenue, and what nobody is sure of stays open."""
    for contract in list(world.contracts.values()):
        if world.clauses.where(contract_id=contract.crm_id):
            continue
        way = rng.random()
        if way < 0.05:
            kind = rng.choice(("Extended_Terms", "Acceptance", "Termination"))
            read(world, contract, kind, Decimal(rng.randint(91, 99)) / 100)
            world.contracts[contract.crm_id] = replace(world.contracts[contract.crm_id], nonstandard_terms=True)
        elif way < 0.07:
            read(world, contract, "Acceptance", Decimal(rng.randint(30, 80)) / 100)
        elif way < 0.12:
            read(world, contract, "Most_Favoured", Decimal("0.97"))


def read(
    world: World, contract: Contract, kind: str, confidence: Decimal | None, confirmed_by: str | None = None
) -> Clause:
    """One clause, found the day after the contract was activated."""
    clause = Clause(
        world.ids.crm("clause"),
        contract.crm_id,
        kind,
        TEXTS[kind],
        confidence,
        confirmed_by,
        min(contract.activated_at + timedelta(days=1), world.now - timedelta(hours=2)),
    )
    world.clauses[clause.crm_id] = clause
    return clause
