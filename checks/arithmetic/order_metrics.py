"""Order metrics: what a change of an order does to recurring revenue and to the value of a contract.

The terms are Zuora's: MRR, the monthly recurring amount; TCB, what the change will bill; TCV, what it is worth by
the contract; ELP, what it would be worth at list price. Billing and contract may count the days of a cut month by
different conventions (TCB by 30-day months, TCV by actual days), so that the same change is worth 156.33 in one and
155.81 in the other: a difference between two metrics proves nothing by itself.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from checks.arithmetic.proration import prorated


@dataclass(frozen=True)
class Delta:
    """A change of quantity at a unit price per month, over so many months as each convention counts them."""

    quantity: Decimal
    price: Decimal
    list_price: Decimal
    months_billed: Fraction
    months_contracted: Fraction

    @property
    def mrr(self) -> Decimal:
        """The change of the monthly recurring amount."""
        return self.quantity * self.price

    @property
    def tcb(self) -> Decimal:
        """What the change bills in all."""
        return prorated(self.mrr, self.months_billed)

    @property
    def tcv(self) -> Decimal:
        """What the change is worth by the contract."""
        return prorated(self.mrr, self.months_contracted)

    @property
    def elp(self) -> Decimal:
        """What the change would be worth at list price."""
        return prorated(self.quantity * self.list_price, self.months_contracted)
