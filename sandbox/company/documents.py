"""The documents of the true company: runs, invoices and their lines, payments, and finance's copies of them.

Every period is half-open. Amounts are without tax unless said otherwise.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

DRAFT, POSTED = "Draft", "Posted"
PROCESSED, FAILED = "Processed", "Error"
CHARGE, CREDIT, DISCOUNT = "charge", "credit", "discount"


@dataclass(frozen=True)
class Invoice:
    """`contract_id` and `run_id` are None on an invoice made by hand.

    `total_shift` is what the header's total says beyond its lines; zero where the platform added well.
    `currency` where it is not the account's.
    """

    billing_id: str
    number: str
    account_id: str
    contract_id: str | None
    day: date
    due: date
    status: str
    run_id: str | None
    created_at: datetime
    posted_at: datetime | None
    po_number: str | None
    total_shift: Decimal = Decimal(0)
    currency: str | None = None
    disputed: Decimal = Decimal(0)


@dataclass(frozen=True)
class InvoiceLine:
    """`charge_id` and `segment_id` name what was billed; None on a line entered by hand."""

    billing_id: str
    invoice_id: str
    charge_id: str | None
    segment_id: str | None
    subscription: str | None
    product_code: str
    name: str
    kind: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    tax: Decimal
    tax_code: str | None
    start: date
    end: date
    created_at: datetime


@dataclass(frozen=True)
class Payment:
    """An attempt to collect. `applied` is what of it went to the invoice: all where it is None, 0 of one that failed.

    `invoice_id` is None of a receipt that nobody has assigned.
    """

    billing_id: str
    number: str
    account_id: str
    invoice_id: str | None
    amount: Decimal
    day: date
    applied: Decimal | None = None
    refunded: Decimal = Decimal(0)
    status: str = PROCESSED
    provider_state: str = "Settled"
    method: str = "CreditCard"
    failure: str | None = None

    @property
    def settled(self) -> Decimal:
        """What the invoice got."""
        if self.status != PROCESSED or self.invoice_id is None:
            return Decimal(0)
        return self.amount if self.applied is None else self.applied


@dataclass(frozen=True)
class DunningStep:
    """What collections did about an invoice, and about which attempt to collect it."""

    step_id: str
    account_id: str
    invoice_id: str
    payment_id: str | None
    kind: str
    status: str
    happened_at: datetime


@dataclass(frozen=True)
class BillRun:
    """One run of invoicing. `batches` are the batches of accounts that it looked at, None for all."""

    billing_id: str
    number: str
    target_date: date
    status: str
    executed_at: datetime
    posted_at: datetime | None
    batches: str | None


@dataclass(frozen=True)
class ErpInvoice:
    """The ERP's copy of a posted invoice. `total` is with tax."""

    erp_id: int
    number: str
    invoice_id: str
    total: Decimal
    tax: Decimal
    copied_at: datetime


@dataclass(frozen=True)
class ErpLine:
    """The ERP's copy of an invoice line; `key` is unique in the whole ERP. `start` and `end` where they are others."""

    key: int
    erp_invoice: int
    line_id: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class RevenueElement:
    """The revenue schedule of one of the ERP's invoice lines.

    `amount` is the price that is allocated to the line, `planned` what the plan spreads, None where that is the same.
    """

    erp_id: int
    line_key: int
    amount: Decimal
    start: date
    end: date
    planned: Decimal | None = None

    @property
    def planned_amount(self) -> Decimal:
        return self.amount if self.planned is None else self.planned

    refers_to: int | None = None  # another line than its own, where the element names one


@dataclass(frozen=True)
class CreditMemo:
    """A credit; `amount` is positive and with its tax.

    `billing_id` is None where it was entered in the ERP alone, `invoice_id` where it names no invoice. `campaign` is
    the planned action that it belongs to, `rebill_id` the invoice that bills again what it takes back.
    """

    number: str
    billing_id: str | None
    account_id: str
    invoice_id: str | None
    amount: Decimal
    tax: Decimal
    day: date
    reason: str | None
    reason_code: str | None
    approved_by: str | None
    campaign: str | None = None
    rebill_id: str | None = None


@dataclass(frozen=True)
class ErpCredit:
    """A credit memo as the ERP has it: the copy of billing's, or the only one."""

    erp_id: int
    number: str
    memo: str
    created_at: datetime


@dataclass(frozen=True)
class LedgerEntry:
    """One side of a posting in the general ledger; `amount` is positive for a debit.

    `document_id` is the ERP's id of what was posted, `period` the key of the accounting period that it counts in,
    `service` the first day of the service that it is about.
    """

    entry_id: str
    document_id: str
    account_id: str
    ledger_account: str
    kind: str
    origin: str
    amount: Decimal
    currency: str
    posted: date
    period: str
    service: date | None
    written_at: datetime


@dataclass(frozen=True)
class PostingApproval:
    """A controller's word that a document may be posted late."""

    erp_id: int
    document_id: str
    approver: str
    at: datetime
