"""The ERP's view: rows of the account's tables.

An invoice is a transaction with a header line, an item line for each invoice line and a line for its tax; item lines
carry negative quantities and amounts. `BUILTIN.DF` shows names, so currencies and items are named by their codes.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sandbox.company.amounts import CURRENCIES
from sandbox.company.catalog import PRODUCTS
from sandbox.company.documents import ErpCredit, ErpInvoice, ErpLine, PostingApproval, RevenueElement
from sandbox.company.labels import ERP
from sandbox.company.ledger import closed_on, period_key
from sandbox.company.model import Account, a_day_before
from sandbox.company.names import SELLERS
from sandbox.company.periods import add_months
from sandbox.company.recognition import recognised
from sandbox.company.world import World
from sandbox.netsuite import STANDARD_TABLES

Row = dict[str, Any]

TABLES: Mapping[str, Mapping[str, str]] = {
    **{name: STANDARD_TABLES[name] for name in ("currency", "subsidiary", "item", "accountingperiod")},
    "customer": {**STANDARD_TABLES["customer"], "terms": "text", "custentity_salesforce_id": "text"},
    "transaction": {
        **STANDARD_TABLES["transaction"],
        "custbody_billing_invoice": "text",
        "custbody_billing_credit": "text",
        "custbody_credit_reason": "text",
        "custbody_approved_by": "text",
        "custbody_campaign": "text",
        "custbody_rebill_invoice": "text",
    },
    "transactionline": {
        **STANDARD_TABLES["transactionline"],
        "custcol_billing_line": "text",
        "custcol_service_start": "date",
        "custcol_service_end": "date",
        "custcol_recognition": "text",
    },
    # The element of an invoice line is referred to as CustInvc_<uniquekey>, which is no number.
    "revenueelement": {**STANDARD_TABLES["revenueelement"], "referenceid": "text"},
    "revenueplan": STANDARD_TABLES["revenueplan"],
    # Who may post late: a record type of this account's own.
    "customrecord_posting_approval": {
        "id": "integer",
        "custrecord_document": "text",
        "custrecord_approver": "text",
        "custrecord_status": "text",
        "custrecord_decided": "datetime",
        "lastmodified": "datetime",
    },
}
"""The tables that are filled, with the columns that this account has beyond the standard ones."""

_CURRENCY_IDS = {code: number for number, code in enumerate(CURRENCIES, start=1)}
_SUBSIDIARY_IDS = {name: number for number, name in enumerate(SELLERS.values(), start=2)}
_ITEM_IDS = {code: number for number, code in enumerate(PRODUCTS, start=301)}
PLANS = 4_000_000
_HEADER_LINES, _TAX_LINES = 5_000_000, 6_000_000
"""Where the unique keys of header and tax lines begin, away from those of item lines."""


def render_netsuite(world: World) -> dict[str, list[Row]]:
    """Rows by table. Values are str, bool, int, Decimal, date, aware datetime or None."""
    copies = list(world.erp_invoices.values())
    return {
        "currency": _currencies(),
        "subsidiary": _subsidiaries(),
        "item": _items(),
        "accountingperiod": _periods(world),
        "customer": _customers(world),
        "transaction": [_invoice(world, copy) for copy in copies]
        + [_credit_memo(world, credit) for credit in world.erp_credits.values()],
        "transactionline": [row for copy in copies for row in _frame(world, copy)]
        + [_line(world, line) for line in world.erp_lines.values()],
        "revenueelement": [_element(world, element) for element in world.revenue.values()],
        "revenueplan": [_plan(world, element) for element in world.revenue.values()],
        "customrecord_posting_approval": [_approval(approval) for approval in world.posting_approvals],
    }


def _currencies() -> list[Row]:
    return [{"id": number, "name": code, "symbol": code} for code, number in _CURRENCY_IDS.items()]


def _subsidiaries() -> list[Row]:
    """All below one holding: the full name of each says so."""
    return [{"id": number, "name": name, "fullname": f"Holding : {name}"} for name, number in _SUBSIDIARY_IDS.items()]


def _items() -> list[Row]:
    return [
        {"id": _ITEM_IDS[code], "itemid": code, "fullname": code, "displayname": code, "description": product.name}
        for code, product in PRODUCTS.items()
    ]


def _periods(world: World) -> list[Row]:
    """Months from the first day of history on; all but the last two are closed."""
    rows: list[Row] = []
    month = world.first_day
    while month <= world.today:
        following = add_months(month, 1)
        closed = closed_on(world, month)
        rows.append(
            {
                "id": int(period_key(world, month)),
                "periodname": f"{month:%b %Y}",
                "startdate": month,
                "enddate": a_day_before(following),
                "closed": closed is not None,
                "closedondate": closed,
                "isposting": True,
                "isadjust": False,
                "isquarter": False,
                "isyear": False,
            }
        )
        month = following
    return rows


def _customers(world: World) -> list[Row]:
    """Customers come over with their first subscription."""
    first: dict[str, datetime] = {}
    for subscription in world.subscriptions.values():
        created = subscription.versions[0].created_at
        first[subscription.account_id] = min(first.get(subscription.account_id, created), created)
    return [_customer(world, world.accounts[account_id], created) for account_id, created in first.items()]


def _customer(world: World, account: Account, created: datetime) -> Row:
    copied = created + timedelta(minutes=25)
    parent = world.accounts.get(account.parent_id or "")
    row = {
        "id": account.erp_id,
        "entityid": f"CUST{account.erp_id}",
        "companyname": account.name,
        "currency": _CURRENCY_IDS[account.currency],
        "terms": account.payment_terms,
        "subsidiary": _SUBSIDIARY_IDS[account.legal_entity],
        "taxable": account.tax_rate > 0,
        "email": account.bill_to.email if account.bill_to else None,
        "parent": parent.erp_id if parent else None,
        "custentity_salesforce_id": account.crm_id,
        "isinactive": False,
        "isperson": False,
        "datecreated": copied,
        "lastmodifieddate": copied,
    }
    return row | world.held_otherwise.get((ERP, str(account.erp_id)), {})


def _invoice(world: World, copy: ErpInvoice) -> Row:
    invoice = world.invoices[copy.invoice_id]
    account = world.accounts[invoice.account_id]
    paid = [paid.day for paid in world.payments.where(invoice_id=invoice.billing_id) if paid.settled]
    paid_at = datetime.combine(max(paid), time(16), UTC) if paid else copy.copied_at
    return {
        "id": copy.erp_id,
        "tranid": copy.number,
        "type": "CustInvc",
        "recordtype": "invoice",
        "status": "B" if paid else "A",
        "entity": account.erp_id,
        "trandate": invoice.day,
        "duedate": invoice.due,
        "currency": _CURRENCY_IDS[account.currency],
        "foreigntotal": copy.total,
        "taxtotal": copy.tax,
        "posting": True,
        "voided": False,
        "custbody_billing_invoice": invoice.number,
        "createddate": copy.copied_at,
        "lastmodifieddate": max(copy.copied_at, paid_at),
    }


def _credit_memo(world: World, credit: ErpCredit) -> Row:
    memo = world.credit_memos[credit.memo]
    account = world.accounts[memo.account_id]
    rebill = world.invoices.get(memo.rebill_id or "")
    return {
        "id": credit.erp_id,
        "tranid": credit.number,
        "type": "CustCred",
        "recordtype": "creditmemo",
        "status": "A",
        "entity": account.erp_id,
        "trandate": memo.day,
        "currency": _CURRENCY_IDS[account.currency],
        "foreigntotal": -memo.amount,
        "taxtotal": -memo.tax,
        "memo": memo.reason,
        "posting": True,
        "voided": False,
        "custbody_billing_invoice": world.invoices[memo.invoice_id].number if memo.invoice_id else None,
        "custbody_billing_credit": memo.number if memo.billing_id else None,
        "custbody_credit_reason": memo.reason_code,
        "custbody_approved_by": memo.approved_by,
        "custbody_campaign": memo.campaign,
        "custbody_rebill_invoice": rebill.number if rebill else None,
        "createddate": credit.created_at,
        "lastmodifieddate": credit.created_at,
    }


def _frame(world: World, copy: ErpInvoice) -> Iterator[Row]:
    """The header line of a transaction, and the line of its tax where there is any."""
    net = copy.total - copy.tax
    for first, number, amount, is_header in ((_HEADER_LINES, 0, copy.total, True), (_TAX_LINES, 99, -copy.tax, False)):
        if is_header or copy.tax:
            yield {
                "uniquekey": first + copy.erp_id,
                "transaction": copy.erp_id,
                "id": number,
                "linesequencenumber": number,
                "mainline": is_header,
                "taxline": not is_header,
                "netamount": net if is_header else amount,
                "foreignamount": amount,
                "entity": world.accounts[world.invoices[copy.invoice_id].account_id].erp_id,
                "linelastmodifieddate": copy.copied_at,
            }


def _line(world: World, copied: ErpLine) -> Row:
    line = world.invoice_lines[copied.line_id]
    copy = world.erp_invoices[copied.erp_invoice]
    return {
        "uniquekey": copied.key,
        "transaction": copied.erp_invoice,
        "id": copied.key % 90 + 1,
        "linesequencenumber": copied.key % 90 + 1,
        "mainline": False,
        "taxline": False,
        "item": _ITEM_IDS[line.product_code],
        "quantity": -line.quantity,
        "rate": line.price,
        "netamount": -line.amount,
        "foreignamount": -line.amount,
        "entity": world.accounts[world.invoices[line.invoice_id].account_id].erp_id,
        "memo": line.name,
        "custcol_billing_line": line.billing_id,
        "custcol_service_start": copied.start or line.start,
        "custcol_service_end": a_day_before(copied.end or line.end),
        "custcol_recognition": PRODUCTS[line.product_code].recognition,
        "linelastmodifieddate": copy.copied_at,
    }


def _element(world: World, element: RevenueElement) -> Row:
    copied = world.erp_lines[element.line_key]
    line, copy = world.invoice_lines[copied.line_id], world.erp_invoices[copied.erp_invoice]
    account = world.accounts[world.invoices[line.invoice_id].account_id]
    return {
        "id": element.erp_id,
        "recordnumber": f"RE{element.erp_id}",
        "source": f"Invoice #{copy.number}",
        "sourcerecordtype": "invoice",
        "referenceid": f"CustInvc_{element.refers_to or element.line_key}",
        "item": _ITEM_IDS[line.product_code],
        "quantity": line.quantity,
        "salesamount": line.amount,
        "discountedsalesamount": line.amount,
        "allocationamount": element.amount,
        "elementdate": world.invoices[line.invoice_id].day,
        "revrecstartdate": line.start,
        "revrecenddate": a_day_before(line.end),
        "revenueplanstatus": "Completed" if element.end <= world.today else "In Progress",
        "entity": account.erp_id,
        "currency": _CURRENCY_IDS[account.currency],
        "lastmodifieddate": copy.copied_at + timedelta(minutes=10),
    }


def _plan(world: World, element: RevenueElement) -> Row:
    """The plan that the account recognises by: what of the element is earned when."""
    copied = world.erp_lines[element.line_key]
    copy = world.erp_invoices[copied.erp_invoice]
    invoice = world.invoices[copy.invoice_id]
    currency = world.accounts[invoice.account_id].currency
    amount = element.planned_amount
    earned = recognised(amount, element.start, element.end, currency, invoice.day, world.today)
    return {
        "id": element.erp_id + PLANS,
        "recordnumber": f"RP{element.erp_id}",
        "createdfrom": element.erp_id,
        "amount": amount,
        "revenueplantype": "ACTUAL",
        "revrecstartdate": element.start,
        "revrecenddate": a_day_before(element.end),
        "totalrecognized": earned,
        "remainingdeferredbalance": amount - earned,
        "statusfordisplay": "Completed" if element.end <= world.today else "In Progress",
        "lastmodifieddate": copy.copied_at + timedelta(minutes=10),
    }


def _approval(approval: PostingApproval) -> Row:
    return {
        "id": approval.erp_id,
        "custrecord_document": approval.document_id,
        "custrecord_approver": approval.approver,
        "custrecord_status": "Approved",
        "custrecord_decided": approval.at,
        "lastmodified": approval.at,
    }
