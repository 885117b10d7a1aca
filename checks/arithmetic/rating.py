"""Rating: what a quantity costs by a price, as Decimal. This decides; `rating_columns` does the same in SQL.

A price has tiers. A tier holds the units above the tier before it, up to and including its own bound, or up to
that bound without it (`Bounds`: where a customer says «up to 10» or «below 10»). Its price is for one unit, or for
a block of units, where a block that was begun is a whole one unless `Blocks` says otherwise. Its flat fee is due
once, when the quantity reaches the tier.

- flat: the price, whatever the quantity.
- per unit: quantity × price.
- graduated: every tier prices the units that lie in it. (Zuora: tiered; Kill Bill: all tiers.)
- volume: the tier that the whole quantity reaches prices all of it.
- package: graduated with one tier of blocks.
- overage: nothing up to the included quantity, then per unit.

Included units cost nothing, and the tiers begin after them. What lies above a last tier with a bound costs the
overage price; where there is none, the price does not say what it costs. Minimum and maximum hold for the charge
of a billing period. Shares of an amount are graduated too: the quantity is then the amount, the price a rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from books.money import PRECISION
from checks.contract import Setting
from checks.errors import ArithmeticFault
from checks.formula import Formula, Worked

ZERO = Decimal(0)


class Model(StrEnum):
    """How a price is applied to a quantity: the values of the books' `model` columns."""

    FLAT = "flat"
    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGE = "package"
    OVERAGE = "overage"


class Bounds(StrEnum):
    """To which tier a quantity belongs that is exactly at a tier's bound: to that tier, or to the next."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


class Blocks(StrEnum):
    """What a block of units costs that was only begun: a whole one, nothing, or its share."""

    UP = "up"
    DOWN = "down"
    EXACT = "exact"


TIER_BOUNDS = Setting(
    "tier_bounds",
    Bounds.INCLUSIVE.value,
    "Contracts say «up to 10 units»; where yours say «below 10 units», the bound itself belongs to the next tier.",
)
BLOCK_ROUNDING = Setting(
    "block_rounding",
    Blocks.UP.value,
    "A package that was begun is sold as a whole; write down or exact where your platform rates otherwise.",
)
SETTINGS = (TIER_BOUNDS, BLOCK_ROUNDING)


@dataclass(frozen=True)
class Tier:
    """Units up to `up_to` (None: without end) at `price` for one `block` of them (None: for one unit, not rounded)."""

    up_to: Decimal | None
    price: Decimal
    flat: Decimal = ZERO
    block: Decimal | None = None


@dataclass(frozen=True)
class Price:
    """A price. Its tiers stand in the order of their bounds."""

    model: Model
    tiers: tuple[Tier, ...]
    included: Decimal = ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    overage: Decimal | None = None
    bounds: Bounds = Bounds.INCLUSIVE
    blocks: Blocks = Blocks.UP

    def __post_init__(self) -> None:
        bounds = [tier.up_to for tier in self.tiers]
        known = [bound for bound in bounds if bound is not None]
        if not bounds or None in bounds[:-1] or known != sorted(set(known)):
            raise ArithmeticFault("The tiers of a price need rising bounds, and only the last may have none.")


@dataclass(frozen=True)
class Part:
    """What one tier costs: `units` of it at `price`, and its flat fee."""

    units: Decimal
    price: Decimal
    flat: Decimal


@dataclass(frozen=True)
class Rated:
    """What a quantity costs, tier by tier."""

    price: Price
    parts: tuple[Part, ...]

    @property
    def amount(self) -> Decimal:
        """The exact amount, not rounded."""
        return self.worked.value

    @property
    def worked(self) -> Worked:
        """The same as a formula with its numbers, so that a finding can show it."""
        terms: dict[str, Decimal] = {}
        sums = [text for n, part in enumerate(self.parts, 1) for text in _summands(n, part, terms)]
        text = " + ".join(sums) or "0"
        if self.price.minimum is not None:
            terms["minimum"] = self.price.minimum
            text = f"max({text}, minimum)"
        if self.price.maximum is not None:
            terms["maximum"] = self.price.maximum
            text = f"min({text}, maximum)"
        return Worked(Formula(text), terms)


def _summands(n: int, part: Part, terms: dict[str, Decimal]) -> Iterator[str]:
    if part.units or not part.flat:
        terms |= {f"units_{n}": part.units, f"price_{n}": part.price}
        yield f"units_{n} * price_{n}"
    if part.flat:
        terms[f"flat_{n}"] = part.flat
        yield f"flat_{n}"


def rate(price: Price, quantity: Decimal) -> Rated:
    """What the quantity costs. Raises ArithmeticFault where the price does not say."""
    with localcontext() as context:
        context.prec = PRECISION
        return Rated(price, tuple(_parts(price, max(quantity - price.included, ZERO))))


def rest(price: Price, quantity: Decimal, billed: Decimal) -> Decimal:
    """What is still to bill of a period that is invoiced in parts: all of it so far, rated as one, less what was
    billed. Negative where too much was billed."""
    return rate(price, quantity).amount - billed


def true_up(committed: Decimal, billed: Decimal) -> Decimal:
    """What lacks to the amount that was committed to; never negative."""
    return max(committed - billed, ZERO)


def _parts(price: Price, quantity: Decimal) -> Iterator[Part]:
    first = price.tiers[0]
    match price.model:
        case Model.FLAT:
            yield Part(Decimal(1), first.price, first.flat)
        case Model.PER_UNIT | Model.OVERAGE:
            yield Part(_blocks(price, first, quantity), first.price, first.flat if quantity > 0 else ZERO)
        case Model.VOLUME:
            if quantity > 0:
                yield _volume(price, quantity)
        case Model.GRADUATED | Model.PACKAGE:
            yield from _graduated(price, quantity)


def _volume(price: Price, quantity: Decimal) -> Part:
    below = [tier for tier in price.tiers if tier.up_to is None or _fits(price, quantity, tier.up_to)]
    if below:
        return Part(_blocks(price, below[0], quantity), below[0].price, below[0].flat)
    if price.overage is None:
        raise _beyond(price, quantity)
    return Part(quantity, price.overage, ZERO)


def _graduated(price: Price, quantity: Decimal) -> Iterator[Part]:
    below = ZERO
    for place, tier in enumerate(price.tiers):
        is_reached = quantity > below or (place > 0 and quantity == below and price.bounds is Bounds.EXCLUSIVE)
        if not is_reached:
            return
        units = quantity - below if tier.up_to is None else min(quantity, tier.up_to) - below
        yield Part(_blocks(price, tier, units), tier.price, tier.flat)
        if tier.up_to is None:
            return
        below = tier.up_to
    if quantity > below:
        if price.overage is None:
            raise _beyond(price, quantity)
        yield Part(quantity - below, price.overage, ZERO)


def _fits(price: Price, quantity: Decimal, bound: Decimal) -> bool:
    return quantity <= bound if price.bounds is Bounds.INCLUSIVE else quantity < bound


def _blocks(price: Price, tier: Tier, units: Decimal) -> Decimal:
    """How often the tier's price is due for so many units."""
    if tier.block is None:
        return units
    if tier.block <= 0:
        raise ArithmeticFault("A block of a price must hold some units.")
    if price.blocks is Blocks.EXACT:
        return units / tier.block
    whole, over = divmod(units, tier.block)
    return whole + 1 if over and price.blocks is Blocks.UP else whole


def _beyond(price: Price, quantity: Decimal) -> ArithmeticFault:
    return ArithmeticFault(f"The price ends at {price.tiers[-1].up_to} units and does not say what {quantity} cost.")
