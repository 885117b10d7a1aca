"""What the billing system of a company that was bought had, on its last day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class LegacyAccount:
    """`successor` is the billing platform's id of the same customer; `parent` the old system's key."""

    key: str
    account_id: str
    parent: str | None
    successor: str


@dataclass(frozen=True)
class LegacySubscription:
    """`expected_delta` is by how much the month was to change, as `approved_by` signed; `end` is half-open."""

    key: str
    account_id: str
    number: str
    start: date
    end: date | None
    successor: str
    expected_delta: Decimal | None = None
    approved_by: str | None = None


@dataclass(frozen=True)
class LegacyLine:
    """A recurring line, priced per month. `grandfathered`: its price was below the rate card already.

    `in_crosswalk`: not the line but the signed crosswalk names the successor.
    """

    key: str
    subscription: str
    product_code: str
    name: str
    quantity: Decimal
    price: Decimal
    billing_months: int
    start: date
    end: date | None
    successor: str | None
    grandfathered: bool = False
    price_until: date | None = None
    in_crosswalk: bool = False

    @property
    def monthly(self) -> Decimal:
        return self.quantity * self.price
