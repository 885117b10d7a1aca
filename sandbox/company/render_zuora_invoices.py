"""Bill runs, invoices, their items and payments, as rows of the tenant's objects."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.company.billing import totals
from sandbox.company.catalog import PRODUCTS
from sandbox.company.documents import CHARGE, CREDIT, DISCOUNT, BillRun, CreditMemo, Invoice, InvoiceLine, Payment
from sandbox.company.model import Account, Subscription, a_day_before
from sandbox.company.world import World

Row = dict[str, Any]

_PROCESSING = {CHARGE: "0", DISCOUNT: "1", CREDIT: "2"}


def stamped(row: Row, created: datetime, modified: datetime | None = None) -> Row:
    """The row with its CreatedDate and UpdatedDate."""
    return {**row, "CreatedDate": created, "UpdatedDate": modified or created}


def run_row(run: BillRun) -> Row:
    row = {
        "Id": run.billing_id,
        "BillRunNumber": run.number,
        "Name": f"Run of {run.target_date}",
        "Batches": run.batches,
        "Status": run.status,
        "TargetDate": run.target_date,
        "InvoiceDate": run.target_date,
        "ExecutedDate": run.executed_at,
        "PostedDate": run.posted_at,
        **dict.fromkeys(("AutoPost", "AutoEmail", "AutoRenewal", "NoEmailForZeroAmountInvoice"), False),
    }
    return stamped(row, run.executed_at, run.posted_at or run.executed_at + timedelta(minutes=5))


def invoice_rows(world: World) -> list[Row]:
    sums = totals(world)
    touched: dict[str, datetime] = {}
    for line in world.invoice_lines.values():
        touched[line.invoice_id] = max(touched.get(line.invoice_id, line.created_at), line.created_at)
    return [
        _invoice(world, invoice, *sums[invoice.billing_id], touched[invoice.billing_id])
        for invoice in world.invoices.values()
    ]


def _invoice(world: World, invoice: Invoice, net: Decimal, tax: Decimal, touched: datetime) -> Row:
    account = world.accounts[invoice.account_id]
    total = net + tax + invoice.total_shift
    settled = world.settled(invoice.billing_id)
    row = {
        "Id": invoice.billing_id,
        "InvoiceNumber": invoice.number,
        "AccountId": account.billing_id,
        "Status": invoice.status,
        "Source": "BillRun" if invoice.run_id else "AdHoc",
        "SourceId": invoice.run_id,
        "InvoiceDate": invoice.day,
        "TargetDate": invoice.day,
        "DueDate": invoice.due,
        "PostedDate": invoice.posted_at,
        "Amount": total,
        "AmountWithoutTax": net,
        "TaxAmount": tax,
        "PaymentAmount": settled,
        "Balance": total - settled - world.credited(invoice.billing_id),
        "DisputedAmount__c": invoice.disputed or None,
        "Currency__c": invoice.currency or account.currency,
        "PurchaseOrder__c": invoice.po_number,
        "ContractId__c": invoice.contract_id,
    }
    paid_at = [_at(paid) for paid in world.payments.where(invoice_id=invoice.billing_id) if paid.settled]
    credited_at = [_granted_at(memo) for memo in world.credit_memos.where(invoice_id=invoice.billing_id)]
    return stamped(row, invoice.created_at, max([touched, invoice.posted_at or touched, *paid_at, *credited_at]))


def item_row(world: World, line: InvoiceLine, subscriptions: Mapping[str, Subscription]) -> Row:
    invoice = world.invoices[line.invoice_id]
    charge = world.charges[line.charge_id] if line.charge_id else None
    subscription = subscriptions[line.subscription] if line.subscription else None
    row = {
        "Id": line.billing_id,
        "InvoiceId": line.invoice_id,
        "SubscriptionId": subscription.version_on(invoice.created_at).billing_id if subscription else None,
        "SubscriptionNumber": line.subscription,
        "RatePlanChargeId": line.segment_id,
        "ChargeNumber": charge.number if charge else None,
        "ChargeName": line.name,
        "ProductName": PRODUCTS[line.product_code].name,
        "SKU": line.product_code,
        "UOM": charge.unit if charge else None,
        "ProcessingType": _PROCESSING[line.kind],
        "Quantity": line.quantity,
        # One price would not be true of an amount that was rated by tiers, or that settles a commitment.
        "UnitPrice": None if charge and (charge.tariff or charge.true_up) else line.price,
        "ChargeAmount": line.amount,
        "TaxAmount": line.tax,
        "TaxCode": line.tax_code,
        "ServiceStartDate": line.start,
        "ServiceEndDate": a_day_before(line.end),
        "ChargeDate": line.created_at,
    }
    return stamped(row, line.created_at, max(line.created_at, invoice.posted_at or line.created_at))


def adjustment_row(world: World, memo: CreditMemo) -> Row:
    """This tenant has no Invoice Settlement: it credits invoices by adjustments."""
    account = world.accounts[memo.account_id]
    row = {
        "Id": memo.billing_id,
        "AdjustmentNumber": memo.number,
        "AccountId": account.billing_id,
        "InvoiceId": memo.invoice_id,
        "InvoiceNumber": world.invoices[memo.invoice_id].number if memo.invoice_id else None,
        "AdjustmentDate": memo.day,
        "Amount": memo.amount,
        "Type": "Credit",
        "Status": "Processed",
        "ReasonCode": memo.reason_code,
        "Comments": memo.reason,
        "Currency__c": account.currency,
        "TaxAmount__c": memo.tax,
        "ApprovedBy__c": memo.approved_by,
        "Campaign__c": memo.campaign,
        "RebillInvoiceId__c": memo.rebill_id,
    }
    return stamped(row, _granted_at(memo))


def _granted_at(memo: CreditMemo) -> datetime:
    return datetime.combine(memo.day, time(14), UTC)


def processed_usage(world: World) -> list[Row]:
    """Which usage each invoice item has billed."""
    return [
        stamped(
            {
                "Id": f"8ad0{place:04x}" + line_id[8:],
                "InvoiceItemId": line_id,
                "UniqueKey": event.event_id,
                "Quantity": event.quantity,
            },
            world.invoice_lines[line_id].created_at,
        )
        for line_id, events in world.billed_usage.items()
        if line_id in world.invoice_lines
        for place, event in enumerate(events)
    ]


def payment_row(account: Account, payment: Payment) -> Row:
    row = {
        "Id": payment.billing_id,
        "PaymentNumber": payment.number,
        "AccountId": account.billing_id,
        "InvoiceId__c": payment.invoice_id,
        "Amount": payment.amount,
        "RefundAmount": payment.refunded,
        "EffectiveDate": payment.day,
        "SubmittedOn": _at(payment) - timedelta(hours=5),
        "Status": payment.status,
        "Type": "Electronic",
        "GatewayState": payment.provider_state,
        "GatewayResponse": payment.failure or "Approved",
        "MethodType__c": payment.method,
        "Currency__c": account.currency,
    }
    return stamped(row, _at(payment))


def applied_row(payment: Payment) -> Row:
    row = {
        "Id": "8ad09a11" + payment.billing_id[8:],
        "InvoiceId": payment.invoice_id,
        "PaymentId": payment.billing_id,
        "Amount": payment.settled,
    }
    return stamped(row, _at(payment))


def _at(payment: Payment) -> datetime:
    return datetime.combine(payment.day, time(15), UTC)
