"""A system holds another currency, entity, tax status, payment terms or address of a customer than the one that counts.

Why it matters: invoices are made from the copy that is at hand. One with the wrong entity or currency has to be
cancelled and written again, a wrong tax status is paid at the next audit, longer terms lend money to the customer, and
an invoice that reaches the wrong person is not paid.

Usual cause: the customer was changed in one system only, or the integration takes such a field over once, when the
account is made, and never again.

How to fix: correct the copy that differs, as the finding names it, or agree that the other system is right and say so
in the section system_of_record of tieout.yaml. Then let the integration carry changes of the field.

What it is not: the same said in another spelling, such as «Net 30» and «30 days»; a due date that was agreed for one
invoice; a second account of a customer for another currency or entity, beside one that is as it should be; a copy that
says nothing.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
    Arithmetic,
    Attribute,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
)
from checks.facts import customer_copies, next_invoices
from checks.rows import candidates, listed, reference

_TOGETHER = ("account_currency", "legal_entity")
_A_YEAR = 365


def find(books: Books, params: Params) -> ir.Table:
    """One row per customer, attribute and draft; without a draft, per customer and attribute."""
    first, *others = (_apart(books, params.attribute(name), params) for name in params.texts("attributes"))
    off = first.union(*others) if others else first
    bill = next_invoices.each(books)
    off = off.left_join(bill, off.account_key == bill.b_account_key)
    again = (off.b_place > 0).ifelse("/" + (off.b_place + 1).cast("string"), "").fill_null("")
    worth = {name: off[f"b_{name}"].fill_null(1 if name == "cut_of" else 0) for name in next_invoices.TERMS}
    off = off.mutate(currency=ibis.coalesce(off.b_currency, off.r_currency, off.currency))
    return candidates(
        off,
        "accounts",
        "attribute",
        "says",
        "r_says",
        "r_system",
        "mode",
        "severity",
        subject=off.account_key + "/" + off.attribute + again,
        evidence=listed(
            reference(off.system, "accounts", off.key), reference(off.r_system, "accounts", off.r_key), off.b_source
        ),
        invoice=off.b_invoice,
        days_apart=off.days_apart,
        rate=off.rate,
        **worth,
    )


def _apart(books: Books, attribute: Attribute, params: Params) -> ir.Table:
    said = customer_copies.copies(books, attribute)
    off = customer_copies.one_each(customer_copies.apart(said, together=attribute.name in _TOGETHER))
    whole, yearly = ibis.literal(_A_YEAR).cast("int64"), ibis.literal(1).cast("decimal(18, 8)")
    if attribute.name == "payment_terms":
        lent = customer_copies.days_of(off.says) - customer_copies.days_of(off.r_says)
        whole, yearly = lent.abs().fill_null(0), ibis.literal(params.decimal("interest")).cast("decimal(18, 8)")
    return off.mutate(
        attribute=ibis.literal(attribute.name),
        mode=ibis.literal(str(attribute.mode)),
        severity=ibis.literal(str(attribute.severity)),
        days_apart=whole.cast("int64"),
        rate=yearly,
    )


CHECK = Check(
    id="master_data_drift",
    doc=__doc__,
    pattern=Pattern.MASTER_DATA,
    severity=Severity.S3,
    owners=(Owner.FINANCE_OPS, Owner.REVOPS),
    mode=Mode.WARN,
    may_block=True,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*customer_copies.NEEDS, *(need.where_filled() for need in next_invoices.NEEDS)),
    settings=(
        Setting(
            "attributes",
            ("account_currency", "legal_entity", "tax_status", "payment_terms", "bill_to", "sold_to"),
            "What is compared; which system is right about each, and how grave it is, the registry says.",
        ),
        Setting(
            "interest",
            Decimal("0.08"),
            "What a year's delay of a payment costs, as a fraction of it: a bank's credit line.",
        ),
    ),
    arithmetic=Arithmetic.of(f"({next_invoices.WORTH}) * days_apart * rate / {_A_YEAR}", "0"),
    message=(
        "{system} says «{says}» for {attribute} where {r_system}, which counts, says «{r_says}»: {amount} {currency} "
        "is at stake with the next invoice."
    ),
    find=find,
)
