"""An invoice line lacks what makes it collectable: a contract, payment terms, a purchase order or a tax code.

Why it matters: a customer may refuse an invoice that names no contract or purchase order, and an amount without
terms or tax code cannot be dunned or reported. What cannot be traced to a contract may also be nobody's debt.

Usual cause: the line was entered by hand, or the reference was lost when the subscription was set up.

How to fix: name the contract line, terms, purchase order or tax code on the draft. If the line is a deliberate
one-off, give it a charge type that is allowed to stand alone.

What it is not: a credit, a discount or a tax line, which goes with another line; a purchase order that the contract
does not ask for; payment terms that stand at the account instead of the invoice.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER
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
from checks.facts import billed, terms
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Lines with an amount to pay that lack something, one row per line with all that it lacks."""
    line = billed.LINES.table
    line = line.filter((line.amount > 0) & ~line.kind.isin(params.texts("alone")))
    rows = _with_terms(books, _with_contract(line))
    is_lost = rows.contract_line_key.notnull() & rows.g_key.isnull() & rows.k_key.isnull()
    lacks = [
        (rows.contract_line_key.isnull() & rows.contract_key.isnull(), "contract reference"),
        (is_lost, "contract in the CRM"),
        (rows.due_date.isnull() & rows.agreed_terms.isnull(), "payment terms"),
        (rows.po_required.fill_null(False) & (rows.po_number.fill_null("") == ""), "purchase order"),
        ((rows.tax.fill_null(0) != 0) & rows.tax_code.isnull(), "tax code"),
    ]
    texts = ibis.array([missing.ifelse(text, ibis.null("string")) for missing, text in lacks])
    off = rows.mutate(lacks=texts.filter(lambda text: text.notnull()).join(", "), is_lost=is_lost)
    off = _numbered(off.filter(off.lacks != ""))
    return candidates(
        off,
        "invoice_lines",
        "lacks",
        "number",
        subject=off.subject,
        period=(off.since, off.until),
        evidence=listed(
            reference(off.system, "invoice_lines", off.key),
            reference(off.system, "invoices", off.invoice_key),
            reference(off.k_system, "contracts", off.k_key),
        ),
        invoice=off.invoice_key,
        line=off.key,
        # Only «the CRM has no such contract» claims that something is absent; billing has named the contract since
        # the subscription line was last changed, however new the draft is.
        known_at=off.is_lost.ifelse(
            ibis.coalesce(off.s_modified_at, off.modified_at), ibis.null(off.modified_at.type())
        ),
        line_amount=off.amount,
    )


def _with_contract(line: ir.Table) -> ir.Table:
    agreed = terms.LINES.table.select(g_key="key", g_contract="contract_key")
    joined = line.left_join(agreed, line.contract_line_key == agreed.g_key)
    joined = joined.mutate(of_contract=ibis.coalesce(joined.g_contract, joined.contract_key))
    contract = terms.CONTRACTS.table.select(
        k_system="system", k_key="key", k_terms="payment_terms", po_required="po_required"
    )
    return joined.left_join(contract, joined.of_contract == contract.k_key)


def _with_terms(books: Books, line: ir.Table) -> ir.Table:
    invoice = billed.invoices(books).select(v_system="system", v_key="key", due_date="due_date", po_number="po_number")
    joined = line.inner_join(invoice, [line.system == invoice.v_system, line.invoice_key == invoice.v_key])
    account = books.table("accounts", "billing")
    account = account.group_by(t_system="system", t_account="account_key").agg(t_terms=account.payment_terms.max())
    joined = joined.left_join(account, [joined.system == account.t_system, joined.account_key == account.t_account])
    return joined.mutate(agreed_terms=ibis.coalesce(joined.k_terms, joined.t_terms))


def _numbered(off: ir.Table) -> ir.Table:
    """`subject` says what is billed, since drafts are made anew: the line, else customer, product and a number."""
    named = off.account_key.fill_null("nobody") + "/" + ibis.coalesce(off.product_code, off.name, "")
    off = off.mutate(named=ibis.coalesce(off.line_of, off.contract_line_key, named))
    place = ibis.row_number().over(
        group_by=[off.system, off.named, off.since.fill_null(FOREVER)], order_by=[off.invoice_date, off.key]
    )
    again = (place > 0).ifelse("/" + (place + 1).cast("string"), "")
    return off.mutate(subject=off.named + again)


CHECK = Check(
    id="invoice_without_contract_detail",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*billed.NEEDS, *terms.LINE_NEEDS),
    settings=(
        Setting(
            "alone", ("credit", "discount", "tax"), "Charge types that need no contract: they go with another line."
        ),
    ),
    absent_from=Need("contract_lines", "crm"),
    arithmetic=Arithmetic.of("line_amount", "0"),
    message="A line of {line_amount} {currency} on invoice {number} lacks: {lacks}.",
    find=find,
)
