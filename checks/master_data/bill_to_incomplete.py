"""A draft waits for a customer whose bill-to lacks a contact, an address, an e-mail or the purchase order.

Why it matters: an invoice that reaches nobody, or that the customer's own accounting must refuse, is paid late. It is
cheaper to ask before the run than to look for the invoice after its due date.

Usual cause: the customer was set up in a hurry, the contact has left and was deleted, or the purchase order was
promised for later.

How to fix: complete the bill-to contact in billing, or enter the customer's order number at the contract, and then run
the invoice again.

What it is not: a contract that asks for no purchase order; an order number that stands on the draft though not on the
contract; a customer for which another account pays, whose contact is complete.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
)
from checks.facts import billed
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

_WORDS = {"name": "name", "email": "e-mail", "street": "street", "city": "city", "country": "country"}


def find(books: Books, params: Params) -> ir.Table:
    """Drafts with something to pay, one row each, with all that their bill-to lacks."""
    draft = billed.invoices(books).filter(lambda t: (t.status == "draft") & (t.total > 0))
    rows = _with_order(books, _with_contact(books, of_customers(books, draft)))
    lost = rows.p_key.isnull()
    lacks = [(lost, "contact")]
    for column in params.texts("required"):
        lacks.append((~lost & (rows[f"p_{column}"].fill_null("").strip() == ""), _WORDS.get(column, column)))
    lacks.append((rows.orders_missing.fill_null(False), "purchase order"))
    texts = ibis.array([missing.ifelse(text, ibis.null("string")) for missing, text in lacks])
    off = rows.mutate(lacks=texts.filter(lambda text: text.notnull()).join(", ")).filter(lambda t: t.lacks != "")
    place = ibis.row_number().over(group_by=[off.system, off.a_key], order_by=[off.invoice_date, off.key])
    off = off.mutate(again=(place > 0).ifelse("/" + (place + 1).cast("string"), ""))
    return candidates(
        off,
        "invoices",
        "number",
        "lacks",
        subject=ibis.coalesce(off.account_key, off.a_key, off.system) + off.again,
        evidence=listed(
            reference(off.system, "invoices", off.key),
            reference(off.system, "accounts", off.a_key),
            reference(off.system, "contacts", off.p_key),
            reference(off.k_system, "contracts", off.k_key),
        ),
        invoice=off.key,
        # Only «there is no such contact» claims that something is absent.
        known_at=(off.p_key.isnull() & off.contact_key.notnull()).ifelse(
            off.a_modified_at, ibis.null(off.a_modified_at.type())
        ),
        total=off.total,
    )


def _with_contact(books: Books, invoice: ir.Table) -> ir.Table:
    """With the account and its bill-to contact, or that of the account that pays for it."""
    account = books.table("accounts", "billing")
    payer = account.select(o_system="system", o_key="key", o_contact="bill_to_key")
    account = account.left_join(payer, [account.system == payer.o_system, account.invoice_owner_key == payer.o_key])
    account = account.select(
        a_system="system",
        a_key="key",
        a_modified_at="modified_at",
        contact_key=ibis.coalesce(account.o_contact, account.bill_to_key),
    )
    person = books.table("contacts", "billing").select(
        p_system="system", p_key="key", **{f"p_{name}": name for name in (*_WORDS, "postal_code")}
    )
    rows = invoice.inner_join(account, [invoice.system == account.a_system, invoice.account_id == account.a_key])
    return rows.left_join(person, [rows.system == person.p_system, rows.contact_key == person.p_key])


def _with_order(books: Books, invoice: ir.Table) -> ir.Table:
    """Whether a contract of the invoice asks for a purchase order that neither it nor the invoice names."""
    line = billed.LINES.table.filter(lambda t: t.status == "draft")
    named = line.select(n_system="system", n_invoice="invoice_key", n_contract="contract_key").distinct()
    contract = books.table("contracts", "crm").select(
        k_system="system", k_key="key", wants="po_required", order_number="po_number"
    )
    asked = named.inner_join(contract, named.n_contract == contract.k_key)
    asked = asked.filter(asked.wants.fill_null(False) & (asked.order_number.fill_null("").strip() == ""))
    asked = asked.group_by("n_system", "n_invoice").agg(k_system=asked.k_system.max(), k_key=asked.k_key.max())
    rows = invoice.left_join(asked, [invoice.system == asked.n_system, invoice.key == asked.n_invoice])
    unnamed = rows.po_number.fill_null("").strip() == ""
    return rows.mutate(orders_missing=rows.k_key.notnull() & unnamed)


CHECK = Check(
    id="bill_to_incomplete",
    doc=__doc__,
    pattern=Pattern.MASTER_DATA,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        Need("accounts", "billing"),
        Need("accounts", "crm").where_filled(),
        Need("contacts", "billing"),
        Need("contracts", "crm").where_filled(),
    ),
    settings=(
        Setting(
            "required",
            ("email", "street", "city", "country"),
            "What a bill-to contact must have. Not every country has postal codes.",
        ),
    ),
    absent_from=Need("contacts", "billing"),
    arithmetic=Arithmetic.of("total", "0"),
    message="Invoice {number} over {total} {currency} waits, and its bill-to lacks: {lacks}.",
    find=find,
)
