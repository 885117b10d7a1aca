"""An invoice charges tax that the customer does not owe, leaves tax out, uses another tax code, or another currency.

Why it matters: tax that was not charged is owed all the same, by us; tax that was charged in error has to be paid
back, with a corrected invoice; and an invoice in the wrong currency is paid in the wrong amount.

Usual cause: an exemption certificate was entered in one system only, the customer moved, a charge was set up with a
tax code of its own, or an account was created in the default currency.

How to fix: correct the account's tax status or the charge's code, and have the draft calculated again. A posted
invoice is credited and made anew.

What it is not: a draft on which no tax has been calculated yet (it is judged once it has some, or is posted), tax on
lines of its own, half a minor unit of rounding for each line, or a customer that has agreed on another currency than
its account's.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit
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
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import billed, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

EXACT = "decimal(38, 8)"
WITHOUT_TAX = ("exempt", "reverse_charge")
CODE = ("system", "account_key", "tax_code")


def find(books: Books, params: Params) -> ir.Table:
    """Lines whose tax is not what the account and their code make of it; invoices in a currency nobody agreed on."""
    return ibis.union(_mistaxed(books, params), _in_another_currency(books))


def _mistaxed(books: Books, params: Params) -> ir.Table:
    off = of_customers(books, _apart(_with_usual_rate(_lines(books, params))))
    code = off.tax_code.fill_null("no code")
    return candidates(
        off,
        "invoice_lines",
        "number",
        state=ibis.cases(
            (off.is_free, "charges tax to a customer that is " + off.tax_status),
            (off.is_other_code, "is taxed by " + code + " and not by " + off.right_code),
            else_="is not taxed as " + code + " was before",
        ),
        subject=off.bills.fill_null(off.key) + "/tax",
        period=(off.since, off.until),
        evidence=listed(
            reference(off.system, "invoice_lines", off.key),
            reference(off.system, "invoices", off.invoice_key),
            reference(off.system, "invoice_lines", off.ref_key),
        ),
        invoice=off.invoice_key,
        line=off.key,
        base=off.amount.cast(EXACT),
        usual_tax=off.ref_tax,
        usual_base=off.ref_amount,
        charged=off.tax.cast(EXACT),
        total=ibis.literal(0).cast(EXACT),
        rate=ibis.literal(1).cast("decimal(24, 8)"),
    )


def _lines(books: Books, params: Params) -> ir.Table:
    """Charges of invoices on which tax has been calculated, beside the code that was agreed and the tax status."""
    line = billed.LINES.table
    apart = line.filter(line.kind == "tax").select(x_system="system", x_invoice="invoice_key").distinct()
    charge = line.filter(~line.kind.isin(("tax", "discount")) & (line.amount != 0))
    has_tax = ibis.window(group_by=[charge.system, charge.invoice_key])
    charge = charge.mutate(tax=charge.tax.fill_null(0), taxed=(charge.tax.fill_null(0) != 0).any().over(has_tax))
    charge = charge.filter(charge.taxed | (charge.status != "draft"))
    charge = charge.anti_join(apart, [charge.system == apart.x_system, charge.invoice_key == apart.x_invoice])
    sold = books.table("subscription_lines", "billing").select(s_sys="system", s_line="key", s_code="tax_code")
    agreed = books.table("contract_lines", "crm").select(a_line="key", a_code="tax_code")
    status = _status(books, params)
    charge = charge.left_join(sold, [charge.system == sold.s_sys, charge.line_of == sold.s_line])
    charge = charge.left_join(agreed, charge.contract_line_key == agreed.a_line)
    charge = charge.left_join(status, charge.account_key == status.t_account)
    right = ibis.coalesce(charge.a_code, charge.s_code)
    return charge.mutate(
        right_code=right,
        is_free=charge.tax_status.isin(WITHOUT_TAX).fill_null(False),
        is_other_code=(right != charge.tax_code.fill_null("")).fill_null(False),
        wanted_code=ibis.coalesce(right, charge.tax_code),
    )


def _status(books: Books, params: Params) -> ir.Table:
    """One tax status per customer: of the system that is right about it, else of the next that says one."""
    first, *others = (
        books.table(copy.entity, copy.role).select("account_key", "tax_status", place=ibis.literal(place))
        for place, copy in enumerate(params.attribute("tax_status").copies)
    )
    said = first.union(*others) if others else first
    said = said.filter(said.tax_status.notnull() & said.account_key.notnull())
    order = [said.place, said.tax_status]
    return said.group_by(t_account="account_key").agg(tax_status=said.tax_status.first(order_by=order))


def _with_usual_rate(line: ir.Table) -> ir.Table:
    """`line` with the posted line that shows how the customer's code is usually taxed: `ref_tax` on `ref_amount`.

    It is the largest line at the rate that most posted lines have. A customer that owes no tax needs none.
    """
    posted = line.filter((line.status == "posted") & ~line.is_free & line.tax_code.notnull())
    near = (posted.tax.cast("float64") / posted.amount.cast("float64")).round(3)
    posted = posted.mutate(near=near)
    rate = posted.group_by(*CODE, "near").agg(
        lines=posted.count(),
        ref_key=posted.key.first(order_by=[posted.amount.desc(), posted.key]),
        ref_tax=posted.tax.first(order_by=[posted.amount.desc(), posted.key]),
        ref_amount=posted.amount.max(),
    )
    usual = ibis.row_number().over(
        group_by=[rate[name] for name in CODE], order_by=[rate.lines.desc(), rate.ref_amount.desc()]
    )
    rate = rate.mutate(rank=usual).filter(lambda t: t["rank"] == 0)
    rate = rate.select(
        "ref_key", "ref_tax", "ref_amount", r_system="system", r_account="account_key", r_code="tax_code"
    )
    joined = line.left_join(
        rate,
        [line.system == rate.r_system, line.account_key == rate.r_account, line.wanted_code == rate.r_code],
    )
    return joined.mutate(
        ref_key=joined.is_free.ifelse(ibis.null("string"), joined.ref_key),
        ref_tax=joined.is_free.ifelse(0, joined.ref_tax).cast(EXACT),
        ref_amount=joined.is_free.ifelse(1, joined.ref_amount).cast(EXACT),
    )


def _apart(line: ir.Table) -> ir.Table:
    """Lines that owe another tax. A rate that has only changed is the tax engine's to know, and nobody's mistake."""
    apart = (product(line.amount, line.ref_tax) - product(line.tax, line.ref_amount)).abs()
    rounding = product(half_unit(line.currency), line.amount.abs() + line.ref_amount.abs())
    is_turned = (line.ref_tax == 0) != (line.tax == 0)
    off = (line.is_free | is_turned) & (apart > rounding)
    return line.filter((line.is_other_code & (apart > rounding).fill_null(True)) | off.fill_null(False))


def _in_another_currency(books: Books) -> ir.Table:
    """Invoices in a currency that is neither the account's nor that of anything on them."""
    line = billed.LINES.table
    sold = subscribed.LINES.table.select(s_sys="system", s_line="key", s_currency="currency")
    agreed = terms.LINES.table.select(a_line="key", a_currency="currency")
    joined = line.left_join(sold, [line.system == sold.s_sys, line.line_of == sold.s_line])
    joined = joined.left_join(agreed, joined.contract_line_key == agreed.a_line)
    of_line = ibis.coalesce(joined.a_currency, joined.s_currency)
    on_it = joined.group_by(l_system="system", l_invoice="invoice_key").agg(first=of_line.min(), last=of_line.max())
    invoice = of_customers(books, billed.invoices(books))
    account = books.table("accounts", "billing").select(c_system="system", c_key="key", own="currency")
    invoice = invoice.left_join(account, [invoice.system == account.c_system, invoice.account_id == account.c_key])
    invoice = invoice.left_join(on_it, [invoice.system == on_it.l_system, invoice.key == on_it.l_invoice])
    right = (invoice["first"] == invoice["last"]).fill_null(False).ifelse(invoice["first"], invoice.own)
    off = invoice.mutate(right=right)
    is_agreed = (off.currency == off["first"]) | (off.currency == off["last"])
    off = off.filter(
        (off.currency != off.right) & (off.currency != off.own).fill_null(True) & ~is_agreed.fill_null(False)
    )
    off = fx.with_rate(books, off.rename(said="currency"), "said", "right", "invoice_date")
    zero = ibis.literal(0).cast(EXACT)
    return candidates(
        off.mutate(currency=off.right),
        "invoices",
        "number",
        state="is in " + off.said + ", and " + off.right + " was agreed",
        subject=ibis.coalesce(off.number, off.key) + "/currency",
        period=(off.invoice_date, ibis.null("date")),
        evidence=listed(reference(off.system, "invoices", off.key), reference(off.system, "accounts", off.c_key)),
        invoice=off.key,
        base=zero,
        usual_tax=zero,
        usual_base=ibis.literal(1).cast(EXACT),
        charged=zero,
        total=off.total.cast(EXACT),
        rate=off.rate,
    )


CHECK = Check(
    id="tax_or_currency_mismatch",
    doc=__doc__,
    pattern=Pattern.DRAFT_INTEGRITY,
    severity=Severity.S2,
    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        *(need.where_filled() for need in terms.LINE_NEEDS),
        *CUSTOMER_NEEDS,
        Need("accounts", "erp").where_filled(),
        *fx.NEEDS,
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of(
        "base * usual_tax / usual_base + total", "charged + total * rate", "abs(expected - actual)"
    ),
    message="Invoice {number} {state}: {actual} instead of {expected} {currency}.",
    find=find,
)
