"""The true company: what was sold, what is used, and what was billed, before any system shows it.

Every period is half-open: an `end` is the first day that is no longer covered, None where nothing ends it.
Prices of recurring lines are per unit and month; amounts are without tax unless said otherwise.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sandbox.company.catalog import RECURRING
from sandbox.company.names import SELLERS
from sandbox.company.tariffs import Tariff

ADVANCE, ARREARS = "Advance", "Arrears"
ACTIVATED, CANCELLED, EXPIRED, SUPERSEDED = "Activated", "Cancelled", "Expired", "Superseded"


@dataclass(frozen=True)
class Contact:
    """A person of a customer, with the id in each system that keeps people. `country` is in ISO 3166."""

    crm_id: str
    billing_id: str
    name: str
    email: str
    street: str
    city: str
    postal_code: str
    country: str


@dataclass(frozen=True)
class Account:
    """A customer, with its id in each system. `batch` is the bill-run batch, `tax_rate` a fraction.

    `bill_to` gets the invoices. `parent_id` is the company that it belongs to and `payer_id` the one that pays for it,
    where that is another customer; both are CRM ids.
    """

    crm_id: str
    billing_id: str
    erp_id: int
    name: str
    number: str
    currency: str
    timezone: str
    terms_days: int
    bill_day: int
    tax_rate: Decimal
    tax_code: str
    batch: str
    created_at: datetime
    is_test: bool = False
    segment: str = "Mid-market"
    bill_to: Contact | None = None
    parent_id: str | None = None
    payer_id: str | None = None

    @property
    def legal_entity(self) -> str:
        """Which of the company's own entities sells to the customer."""
        return SELLERS[self.currency]

    @property
    def tax_status(self) -> str:
        return "Taxable" if self.tax_rate else "Exempt"

    @property
    def payment_terms(self) -> str:
        return f"Net {self.terms_days}"


@dataclass(frozen=True)
class Opportunity:
    """`contract_id` is the contract that it became, or that it changed; `renews` the one that it would continue."""

    crm_id: str
    account_id: str
    name: str
    type: str
    stage: str
    is_won: bool
    is_closed: bool
    close_date: date
    amount: Decimal
    contract_id: str | None
    quote_id: str | None = None
    renews: str | None = None


@dataclass(frozen=True)
class Contract:
    """`touched_at` is when the record was saved last, where no event of the contract says it."""

    crm_id: str
    account_id: str
    number: str
    status: str
    start: date
    end: date | None
    activated_at: datetime
    opportunity_id: str
    quote_id: str
    po_number: str | None = None
    po_required: bool = False
    auto_bills_overage: bool = True
    billing_rule: str | None = None
    cap: Decimal | None = None
    cancelled_on: date | None = None
    renews: str | None = None
    nonstandard_terms: bool = False
    auto_renews: bool = False
    holds_over: bool = False
    allows_stacking: bool = False
    touched_at: datetime | None = None


@dataclass(frozen=True)
class Clause:
    """What was read out of a signed contract: by a machine with its `confidence`, by a person where that is None."""

    crm_id: str
    contract_id: str
    kind: str
    text: str
    confidence: Decimal | None
    confirmed_by: str | None
    read_at: datetime


@dataclass(frozen=True)
class Uplift:
    """The price rises by `rate` on `first` and then every `months`, None for once.

    With an `index` the rate was fixed on `known_on` and holds from then on; it lies between `floor` and `cap`.
    """

    rate: Decimal
    first: date
    months: int | None = 12
    index: str | None = None
    known_on: date | None = None
    floor: Decimal | None = None
    cap: Decimal | None = None
    waived: bool = False


@dataclass(frozen=True)
class Commit:
    """The least that is billed in each window of so many months from the line's start; None: in the whole term."""

    amount: Decimal
    months: int | None
    rolls_over: bool = False


@dataclass(frozen=True)
class ContractLine:
    """A base line. `rolls_up_to` is the bundle's line that carries its price in billing.

    `free_until` is the first day that is billed, `included` the seats in the price. `follows` is the first step of
    the ramp of which the line is a later one, `step` its number in the ramp. `by_list`: it states no price.
    """

    crm_id: str
    contract_id: str
    quote_line_id: str
    product_code: str
    quantity: Decimal
    price: Decimal
    list_price: Decimal
    charge_type: str
    billing_months: int | None
    timing: str
    start: date
    end: date | None
    free_until: date | None = None
    included: Decimal | None = None
    commit: "Commit | None" = None
    overage_price: Decimal | None = None
    measure: str | None = None
    billable: bool = True
    rolls_up_to: str | None = None
    terminated: date | None = None
    added_by: str | None = None
    uplift: Uplift | None = None
    step: int | None = None
    follows: str | None = None
    by_list: bool = False

    @property
    def recurs(self) -> bool:
        return self.charge_type == RECURRING


@dataclass(frozen=True)
class Change:
    """A change of a base line's quantity: one more subscription row in CPQ, which carries the delta."""

    crm_id: str
    line_id: str
    amendment_id: str
    quote_line_id: str
    delta: Decimal
    effective: date


@dataclass(frozen=True)
class Quote:
    """`contract_id` is the contract that an amendment or a renewal starts from."""

    crm_id: str
    number: str
    account_id: str
    opportunity_id: str
    type: str
    status: str
    ordered: bool
    contract_id: str | None
    start: date
    end: date | None
    net_amount: Decimal
    ordered_at: datetime


@dataclass(frozen=True)
class QuoteLine:
    """`quantity` is what it shall be, `prior_quantity` what it was; `amends` is the base line changed."""

    crm_id: str
    quote_id: str
    product_code: str
    quantity: Decimal
    prior_quantity: Decimal | None
    price: Decimal
    start: date
    end: date | None
    amends: str | None = None


@dataclass(frozen=True)
class Version:
    """One version of a subscription; `change` is the type of the amendment that made it.

    `sequence` is the CRM's number of the change, one less than that of the version where they came in order.
    """

    billing_id: str
    rate_plan_id: str
    number: int
    created_at: datetime
    effective: date
    change: str | None = None
    amendment_id: str | None = None
    sequence: int | None = None


@dataclass(frozen=True)
class Subscription:
    """What billing holds of one contract. `name` stays, versions are added.

    `status` is billing's word where the dates alone do not say it, such as Suspended; `legal_entity` the seller, where
    it is not the one of the currency; `source_version` the version of the contract that was handed over last, where it
    is not the present one.
    """

    name: str
    account_id: str
    contract_id: str
    start: date
    end: date | None
    versions: tuple[Version, ...]
    cancelled_on: date | None = None
    status: str | None = None
    legal_entity: str | None = None
    source_version: int | None = None

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def version_on(self, moment: datetime) -> Version:
        """The version that was in force then."""
        return next((v for v in reversed(self.versions) if v.created_at <= moment), self.versions[0])


@dataclass(frozen=True)
class Segment:
    """What a charge bills from `start` to `end`: one row of the charge in billing. Usage has no quantity.

    `price` is None where it is the charge's.
    """

    billing_id: str
    number: int
    version: int
    quantity: Decimal | None
    start: date
    end: date | None
    created_at: datetime
    price: Decimal | None = None


@dataclass(frozen=True)
class Charge:
    """A subscription line. `anchor` is the day from which billing periods are counted, `price` the one at its start.

    `seat_overage`: bills the seats of a month above those included, of the same contract line; `true_up`: what lacks to
    its commitment. `tariff`: the price list by which its usage is rated, None where it costs `price` a unit.
    `price_until` and `price_approved_by` are of a price that was kept from before.
    """

    number: str
    subscription: str
    account_id: str
    line_id: str
    product_code: str
    name: str
    charge_type: str
    price: Decimal
    billing_months: int
    timing: str
    unit: str
    anchor: date
    start: date
    end: date | None
    segments: tuple[Segment, ...]
    free_until: date | None = None
    seat_overage: bool = False
    true_up: bool = False
    tariff: Tariff | None = None
    tax_code: str | None = None
    price_until: date | None = None
    price_approved_by: str | None = None

    @property
    def billing_id(self) -> str:
        """The id that stays through the versions: that of the first segment."""
        return self.segments[0].billing_id

    def price_of(self, segment: Segment) -> Decimal:
        """What a unit costs in one of its segments."""
        return self.price if segment.price is None else segment.price


@dataclass(frozen=True)
class UsageEvent:
    """As the meter sent it. `customer` is the CRM's account id or whatever the sender believed it to be."""

    record_id: str
    event_id: str
    meter: str
    customer: str
    subject: str
    subscription: str
    charge: str
    quantity: Decimal
    happened_at: datetime
    received_at: datetime
    batch: str
    test: bool = False
    heartbeat: bool = False


@dataclass(frozen=True)
class SeatCount:
    """Active seats of one contract line in one month, counted as the line defines."""

    line_id: str
    product_code: str
    month: date
    active: Decimal
    measure: str
    customer: str
    trial: bool = False


@dataclass(frozen=True)
class RecordChange:
    """One changed field of a record, as the audit trail of the system that holds it has it.

    `sequence` is the sender's order of events for the record, `amount` what the change is worth on the next invoice;
    both None where the trail does not say. `customer` is the CRM's account id.
    """

    change_id: str
    customer: str
    object: str
    record_key: str
    field: str
    before: str | None
    after: str
    changed_at: datetime
    changed_by: str
    via: str
    client: str | None = None
    ticket: str | None = None
    sequence: int | None = None
    effective: date | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Discount:
    """What is granted off a line for a time: a `rate`, or an `amount` for each billing period.

    Billing takes it off up to `applied_until`, which is `end` where billing was told.
    """

    crm_id: str
    line_id: str
    name: str
    rate: Decimal | None
    amount: Decimal | None
    start: date
    end: date | None
    applied_until: date | None
    stackable: bool = True

    def is_applied_on(self, day: date) -> bool:
        """Whether billing takes it off a period that begins on the day."""
        return self.start <= day and (self.applied_until is None or day < self.applied_until)


def a_day_before(day: date) -> date:
    """The inclusive end of a half-open period."""
    return day - timedelta(days=1)
