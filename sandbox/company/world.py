"""Everything that is true of the company, by id. The records are frozen; a change puts another in their place."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sandbox.company.amounts import document
from sandbox.company.audit_records import Approval, FieldChange
from sandbox.company.delivering import Grant, Shipment, WorkItem
from sandbox.company.documents import (
    BillRun,
    CreditMemo,
    DunningStep,
    ErpCredit,
    ErpInvoice,
    ErpLine,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Payment,
    PostingApproval,
    RevenueElement,
)
from sandbox.company.flow_records import FlowError, FlowRun
from sandbox.company.ids import Ids
from sandbox.company.legacy_records import LegacyAccount, LegacyLine, LegacySubscription
from sandbox.company.model import (
    Account,
    Change,
    Charge,
    Clause,
    Contract,
    ContractLine,
    Discount,
    Opportunity,
    Quote,
    QuoteLine,
    RecordChange,
    SeatCount,
    Subscription,
    UsageEvent,
)
from sandbox.company.periods import add_months, months_between
from sandbox.company.table import Table


@dataclass
class World:
    """What happened, what single systems were not told of it, and what stories have told themselves.

    `now` is the moment at which the company is looked at; `today` is the target date of its bill runs.

    Subscriptions are kept by contract, credit memos by number, revenue elements by the ERP's line, billed usage by the
    invoice line that bills it, seats by contract line and month, the rest by own id. `own` are Tieout's own records, by
    entity, as the gateway writes them.

    `carried_over` are accounts that were billed by another system before, by CRM id; `legacy_…` is what that one had.

    What a system has otherwise: `held_otherwise` are fields of an account or contact, by system and id there;
    `stated_values` and `held_values` are what the CRM and billing say that a contract is worth; `approved_up_to` is the
    discount that a quote's approval allows, by quote, None where there is no approval.

    What a system was not told: the CRM does not know the lines `not_in_crm`; billing does not know the contracts
    `not_in_billing`, the amendments `not_applied` and the lines `not_charged`, each by its CRM id, nor the rises and
    ramp steps `not_followed`, by the line charged and the day; revenue accounting does not know the memos
    `untreated_credits`.

    What stories have told as a whole: all usage of the charges `told_meters`, by number, and all work of the contract
    lines `told_work`.
    """

    now: datetime
    ids: Ids = field(default_factory=Ids)
    accounts: dict[str, Account] = field(default_factory=dict)
    held_otherwise: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    opportunities: dict[str, Opportunity] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    lines: Table[str, ContractLine] = field(default_factory=lambda: Table("contract_id"))
    changes: Table[str, Change] = field(default_factory=lambda: Table("line_id"))
    clauses: Table[str, Clause] = field(default_factory=lambda: Table("contract_id"))
    quotes: dict[str, Quote] = field(default_factory=dict)
    quote_lines: dict[str, QuoteLine] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    charges: Table[str, Charge] = field(default_factory=lambda: Table("line_id"))
    runs: dict[str, BillRun] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    invoice_lines: Table[str, InvoiceLine] = field(default_factory=lambda: Table("invoice_id", "charge_id"))
    payments: Table[str, Payment] = field(default_factory=lambda: Table("invoice_id"))
    dunning: list[DunningStep] = field(default_factory=list)
    usage: list[UsageEvent] = field(default_factory=list)
    billed_usage: dict[str, tuple[UsageEvent, ...]] = field(default_factory=dict)
    seats: dict[tuple[str, date], SeatCount] = field(default_factory=dict)
    erp_invoices: Table[int, ErpInvoice] = field(default_factory=lambda: Table("invoice_id"))
    erp_lines: Table[int, ErpLine] = field(default_factory=lambda: Table("erp_invoice", "line_id"))
    revenue: dict[int, RevenueElement] = field(default_factory=dict)
    flow_runs: list[FlowRun] = field(default_factory=list)
    flow_errors: dict[str, FlowError] = field(default_factory=dict)
    record_changes: list[RecordChange] = field(default_factory=list)
    credit_memos: Table[str, CreditMemo] = field(default_factory=lambda: Table("invoice_id"))
    erp_credits: Table[int, ErpCredit] = field(default_factory=lambda: Table("memo"))
    untreated_credits: set[str] = field(default_factory=set)
    ledger: Table[str, LedgerEntry] = field(default_factory=lambda: Table("document_id", "account_id"))
    posting_approvals: list[PostingApproval] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    field_changes: list[FieldChange] = field(default_factory=list)
    own: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    stated_values: dict[str, Decimal] = field(default_factory=dict)
    held_values: dict[str, Decimal] = field(default_factory=dict)
    carried_over: set[str] = field(default_factory=set)
    legacy_accounts: dict[str, LegacyAccount] = field(default_factory=dict)
    legacy_subscriptions: dict[str, LegacySubscription] = field(default_factory=dict)
    legacy_lines: Table[str, LegacyLine] = field(default_factory=lambda: Table("subscription"))
    not_in_crm: set[str] = field(default_factory=set)
    not_in_billing: set[str] = field(default_factory=set)
    not_applied: set[str] = field(default_factory=set)
    not_charged: set[str] = field(default_factory=set)
    told_meters: set[str] = field(default_factory=set)
    discounts: Table[str, Discount] = field(default_factory=lambda: Table("line_id"))
    approved_up_to: dict[str, Decimal | None] = field(default_factory=dict)
    not_followed: set[tuple[str, date]] = field(default_factory=set)
    told_work: set[str] = field(default_factory=set)
    shipments: dict[str, Shipment] = field(default_factory=dict)
    work: dict[str, WorkItem] = field(default_factory=dict)
    grants: dict[tuple[str, str, date], Grant] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def first_day(self) -> date:
        """The first day of history, two years ago."""
        return add_months(self.today, -24)

    @property
    def migrated_at(self) -> datetime:
        """When most accounts and all products were loaded in bulk: they share this stamp."""
        return datetime.combine(self.first_day - timedelta(days=78), time(2), UTC)

    @property
    def cutover(self) -> date:
        """The first day on which the customers of another company, which was bought, are billed by this one."""
        return add_months(self.today, -8)

    def account_of(self, contract_id: str) -> Account:
        return self.accounts[self.contracts[contract_id].account_id]

    def lines_of(self, contract_id: str) -> list[ContractLine]:
        """The base lines of a contract in the order in which they were sold."""
        return self.lines.where(contract_id=contract_id)

    def changes_of(self, line_id: str) -> list[Change]:
        """The changes of a line by the day on which they take effect."""
        return sorted(self.changes.where(line_id=line_id), key=lambda change: change.effective)

    def quantity_on(self, line: ContractLine, day: date) -> Decimal:
        """What the contract says of a line's quantity on that day, its changes counted in."""
        return line.quantity + sum((c.delta for c in self.changes_of(line.crm_id) if c.effective <= day), Decimal(0))

    def price_on(self, line: ContractLine, day: date) -> Decimal:
        """What a unit of a line costs on that day: its price with the rises that have come, each rounded."""
        price = line.price
        for rise in self.rises_of(line):
            if rise <= day and line.uplift:
                rate = line.uplift.rate
                if line.uplift.index:
                    rate = min(rate, rate if line.uplift.cap is None else line.uplift.cap)
                    rate = max(rate, rate if line.uplift.floor is None else line.uplift.floor)
                price = document(price * (1 + rate), self.account_of(line.contract_id).currency)
        return price

    def rises_of(self, line: ContractLine) -> list[date]:
        """The days on which the price of a line rises, up to a year from now."""
        uplift = line.uplift
        if uplift is None or uplift.waived or (uplift.index and uplift.known_on is None):
            return []
        last = min(line.end or date.max, add_months(self.today, 12))
        agreed = [uplift.first]
        while uplift.months and add_months(uplift.first, len(agreed) * uplift.months) < last:
            agreed.append(add_months(uplift.first, len(agreed) * uplift.months))
        days = [max(day, uplift.known_on or day) for day in agreed]
        return [day for day in days if line.start < day < last]

    def steps_of(self, line: ContractLine) -> list[ContractLine]:
        """The later steps of the ramp that begins with this line."""
        return [later for later in self.lines_of(line.contract_id) if later.follows == line.crm_id]

    def months_left(self, contract: Contract, since: date) -> Fraction:
        """Months from a day to the end of the contract; a year where it has no end."""
        return months_between(since, contract.end or add_months(since, 12), self.account_of(contract.crm_id).bill_day)

    def charge_of(self, line_id: str) -> Charge:
        """The charge that bills a contract line itself, not its overage. KeyError where there is none."""
        for charge in self.charges.where(line_id=line_id):
            if not charge.seat_overage and not charge.true_up:
                return charge
        raise KeyError(line_id)

    def true_up_of(self, line_id: str) -> Charge:
        """The charge that bills what lacks to a commitment. KeyError where there is none."""
        for charge in self.charges.where(line_id=line_id):
            if charge.true_up:
                return charge
        raise KeyError(line_id)

    def overage_of(self, line_id: str) -> Charge:
        """The charge that bills the seats above those included. KeyError where there is none."""
        for charge in self.charges.where(line_id=line_id):
            if charge.seat_overage:
                return charge
        raise KeyError(line_id)

    def billed(self, charge_id: str) -> list[InvoiceLine]:
        """The invoice lines of a charge, the earliest period first."""
        return sorted(self.invoice_lines.where(charge_id=charge_id), key=lambda line: (line.start, line.billing_id))

    def in_erp(self, invoice_id: str) -> ErpInvoice:
        """The ERP's copy of an invoice. KeyError where there is none."""
        for copy in self.erp_invoices.where(invoice_id=invoice_id):
            return copy
        raise KeyError(invoice_id)

    def line_in_erp(self, line_id: str) -> ErpLine:
        """The ERP's copy of an invoice line. KeyError where there is none."""
        for copy in self.erp_lines.where(line_id=line_id):
            return copy
        raise KeyError(line_id)

    def credited(self, invoice_id: str) -> Decimal:
        """What credit memos have taken back of an invoice, with tax."""
        return sum((memo.amount for memo in self.credit_memos.where(invoice_id=invoice_id)), Decimal(0))

    def on_invoice(self, invoice_id: str) -> list[InvoiceLine]:
        return self.invoice_lines.where(invoice_id=invoice_id)

    def total_of(self, invoice_id: str) -> Decimal:
        """What an invoice comes to, tax included."""
        lines = sum((line.amount + line.tax for line in self.on_invoice(invoice_id)), Decimal(0))
        return lines + self.invoices[invoice_id].total_shift

    def settled(self, invoice_id: str) -> Decimal:
        """What has been paid of an invoice."""
        return sum((paid.settled for paid in self.payments.where(invoice_id=invoice_id)), Decimal(0))

    def unpay(self, invoice_id: str) -> None:
        """Take away what was paid of an invoice, and what was tried."""
        for paid in self.payments.where(invoice_id=invoice_id):
            del self.payments[paid.billing_id]

    def remove_lines(self, doomed: Iterable[InvoiceLine]) -> None:
        """Take lines from their invoices, and an invoice away when nothing is left on it."""
        for line in doomed:
            del self.invoice_lines[line.billing_id]
            if not self.on_invoice(line.invoice_id):
                del self.invoices[line.invoice_id]
