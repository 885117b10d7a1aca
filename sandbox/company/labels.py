"""What is known of the company beforehand: the findings that there are, and those that there must not be."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

CRM, BILLING, ERP, METERING, PLATFORM = "salesforce", "zuora", "netsuite", "metering", "integrations"
AUDIT, LEDGER, OWN, OLD_BILLING = "audit", "ledger", "tieout", "migration"
SHIPPING, SERVICES = "shipping", "services"
"""The sources' names in tieout.yaml."""


@dataclass(frozen=True)
class Consequence:
    """A finding of another check that the same defect may cause: allowed, not required."""

    check: str
    system: str
    entity: str
    key: str
    period_start: date | None = None


@dataclass(frozen=True)
class Planted:
    """One defect: `check` must find it, with (system, entity, key) as its primary record.

    `amount` is the size of the finding in `currency`, None where the reference leaves open how to count it.
    `period_start` is None where the finding has no period. `adds_to` is the total that the defect distorts together
    with those of other labels of the check: there is one finding for all, about any of them.
    """

    check: str
    system: str
    entity: str
    key: str
    amount: Decimal | None
    currency: str | None
    note: str
    period_start: date | None = None
    also: tuple[Consequence, ...] = ()
    adds_to: str | None = None


SUMMING = frozenset(
    {
        "booked_vs_billed_tieout",
        "billed_vs_collected_tieout",
        "realization_rate_low",
        "small_drift_accumulator",
    }
)
"""Checks that add up what others find one by one: whatever is wrong with a customer may show in them."""


@dataclass(frozen=True)
class LookAlike:
    """A record that looks like a case of `check` and is none: no finding may name it."""

    check: str
    system: str
    entity: str
    key: str
    note: str


def seat_key(line_id: str, month: date) -> str:
    """The key of a month's seat count in the books, as the files' mapping makes it."""
    return f"{line_id}/{month:%Y-%m}"
