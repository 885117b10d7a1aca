"""Charges on amounts: a percentage of each event's amount, with a fee per event, some of which are free.

What is free is used up by the events in the order in which they came, and ends with the first of its two limits:
so many events, or so much of their amounts. An event within it costs neither the percentage nor the fee. Of an
event that crosses the amount, the part above it is charged, and the fee.

A graduated percentage is a graduated price (`rating`) whose quantity is the amount and whose prices are rates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from checks.arithmetic.rating import Model, Price, Rated, Tier, rate

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Percentage:
    """`rate` in percent. `free_events` and `free_amount` None: no such limit; both None: nothing is free."""

    rate: Decimal
    fee: Decimal = Decimal(0)
    free_events: int | None = None
    free_amount: Decimal | None = None

    def amount(self, events: Iterable[Decimal]) -> Decimal:
        """What these events cost together, exactly. Their amounts stand in the order in which they came."""
        charged, fees, so_far, free_so_far = Decimal(0), Decimal(0), Decimal(0), self._has_free
        for number, amount in enumerate(events, 1):
            free_so_far = free_so_far and (self.free_events is None or number <= self.free_events)
            within = self._within(so_far, amount) if free_so_far else Decimal(0)
            so_far += amount
            if not free_so_far or within < amount:
                charged += amount - within
                fees += self.fee
        return charged * self.rate / HUNDRED + fees

    @property
    def _has_free(self) -> bool:
        return self.free_events is not None or self.free_amount is not None

    def _within(self, so_far: Decimal, amount: Decimal) -> Decimal:
        if self.free_amount is None:
            return amount
        return min(amount, max(self.free_amount - so_far, Decimal(0)))


def graduated(tiers: Iterable[Tier], amount: Decimal) -> Rated:
    """What an amount costs where each tier takes its own percentage (`Tier.price`) and flat fee."""
    shares = tuple(Tier(tier.up_to, tier.price / HUNDRED, tier.flat) for tier in tiers)
    return rate(Price(Model.GRADUATED, shares), amount)
