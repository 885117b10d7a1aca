"""What metered products cost by their price lists, in steps, packages or above an allowance.

Written apart from the books' own rating on purpose: what is tested must not do its own sums. Here a price is followed
unit by unit from the top down; there it is summed up tier by tier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from sandbox.company.amounts import local_price

PER_UNIT, TIERED, VOLUME, PACKAGE, OVERAGE = "PerUnit", "Tiered", "Volume", "Package", "Overage"


@dataclass(frozen=True)
class Step:
    """Units above `above` cost `price` each, or `price` once where it `is_flat`."""

    above: Decimal
    price: Decimal
    is_flat: bool = False


@dataclass(frozen=True)
class Tariff:
    """A price list of one product. `allowance` units cost nothing; `package` units are sold at a time."""

    model: str
    steps: tuple[Step, ...]
    allowance: Decimal = Decimal(0)
    package: Decimal | None = None
    minimum: Decimal | None = None

    def cost(self, quantity: Decimal) -> Fraction:
        """What a billing period with so many units costs, exactly. A period without any costs nothing."""
        if not quantity:
            return Fraction(0)
        counted = max(quantity - self.allowance, Decimal(0))
        if self.package is not None:
            counted = (counted / self.package).to_integral_value(ROUND_CEILING)
        cost = self._at_once(counted) if self.model == VOLUME else self._from_the_top(counted)
        return max(cost, Fraction(self.minimum or 0))

    def _at_once(self, quantity: Decimal) -> Fraction:
        reached = [step for step in self.steps if step.above < quantity]
        return _price(reached[-1], quantity) if reached else Fraction(0)

    def _from_the_top(self, quantity: Decimal) -> Fraction:
        cost = Fraction(0)
        for step in reversed(self.steps):
            if quantity > step.above:
                cost += _price(step, quantity - step.above)
                quantity = step.above
        return cost


def _price(step: Step, units: Decimal) -> Fraction:
    return Fraction(step.price) if step.is_flat else Fraction(units) * Fraction(step.price)


@dataclass(frozen=True)
class _Listed:
    """In dollars: (above, price, flat or not)."""

    model: str
    steps: tuple[tuple[int, str, bool], ...]
    allowance: int = 0
    package: int | None = None
    minimum: int | None = None


_LISTED: Mapping[str, _Listed] = {
    "STORAGE": _Listed(TIERED, ((0, "0.12", False), (2_000, "0.09", False), (40_000, "0.05", False))),
    "TRANSACTION": _Listed(VOLUME, ((0, "60", True), (5_000, "0.011", False), (100_000, "0.008", False))),
    "SMS": _Listed(PACKAGE, ((0, "9", False),), allowance=2_000, package=1_000),
    "COMPUTE": _Listed(OVERAGE, ((0, "0.35", False),), allowance=5_000),
    "LOOKUP": _Listed(PER_UNIT, ((0, "0.006", False),), minimum=150),
}


def tariff(product: str, currency: str) -> Tariff | None:
    """The price list of a product in a currency; None where it has one price and no more."""
    listed = _LISTED.get(product)
    if listed is None:
        return None
    steps = (Step(Decimal(above), local_price(Decimal(price), currency), flat) for above, price, flat in listed.steps)
    return Tariff(
        listed.model,
        tuple(steps),
        Decimal(listed.allowance),
        Decimal(listed.package) if listed.package else None,
        local_price(Decimal(listed.minimum), currency) if listed.minimum else None,
    )


METERED_BY_TARIFF = tuple(_LISTED)
