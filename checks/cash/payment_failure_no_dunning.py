"""A payment failed, the invoice is still open, and for some working days nobody has tried again or written.

Why it matters: a card that was refused is usually replaced within days when somebody asks. Without a step the invoice
ages, and what is late for long is collected late or never.

Usual cause: the payment provider's message did not reach the dunning tool, the customer is on an exception list, or
retries are switched off for the way of payment.

How to fix: start the retry or write to the customer, and look why the failure started no step by itself.

What it is not: a debit that is still with the bank, a failure that the provider will try again by itself, one that was
followed by a retry, a reminder or a call in time, or an invoice of which nothing is left to pay: it has been paid by
another way, credited, or is in dispute.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import midnight, working_days_later
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
from checks.facts import collected
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """The latest attempt at an invoice, where it failed and no step followed it in time."""
    last = _last_attempts(books)
    waits = last.provider_state.fill_null("").isin(params.texts("provider_tries_again"))
    off = of_customers(books, last.filter((last.status == "failed") & ~waits))
    due = midnight(working_days_later(off.attempted_at.date(), params.whole("days_to_act")))
    off = off.mutate(fails_from=due)
    off = _without_step(books, off)
    return candidates(
        off,
        "payments",
        "number",
        "failure",
        "attempted_on",
        subject=off.invoice_key,
        invoice=off.invoice_key,
        evidence=listed(reference(off.system, "payments", off.key), reference(off.system, "invoices", off.invoice_key)),
        fails_from=off.fails_from,
        known_at=off.attempted_at,
        due=off.due,
    )


def _last_attempts(books: Books) -> ir.Table:
    """The newest payment of every invoice of which something is left: that is `due`."""
    payment = books.table("payments", "billing")
    payment = payment.filter(payment.invoice_key.notnull() & (payment.status.fill_null("processed") != "void"))
    payment = payment.mutate(
        attempted_at=ibis.coalesce(payment.attempted_at, midnight(payment.paid_date), payment.modified_at)
    )
    newest = ibis.window(
        group_by=[payment.system, payment.invoice_key], order_by=[payment.attempted_at.desc(), payment.key]
    )
    last = payment.mutate(rank=ibis.row_number().over(newest)).filter(lambda t: t["rank"] == 0)
    invoice = collected.posted(books)
    invoice = invoice.filter((invoice.left > half_unit(invoice.currency)).fill_null(True))
    invoice = invoice.select(i_system="system", i_key="key", i_currency="currency", due="left")
    last = last.inner_join(invoice, [last.system == invoice.i_system, last.invoice_key == invoice.i_key])
    return last.mutate(
        currency=ibis.coalesce(last.currency, last.i_currency), attempted_on=last.attempted_at.date()
    ).drop("rank", "i_system", "i_key", "i_currency")


def _without_step(books: Books, off: ir.Table) -> ir.Table:
    """Without the attempts after which collections did something; a step that failed itself is none."""
    step = books.table("dunning_steps", "collections")
    step = step.filter(step.status.fill_null("done") != "failed")
    step = step.select(d_invoice="invoice_key", d_at="happened_at")
    return off.anti_join(step, [off.invoice_key == step.d_invoice, step.d_at >= off.attempted_at])


CHECK = Check(
    id="payment_failure_no_dunning",
    doc=__doc__,
    pattern=Pattern.CASH,
    severity=Severity.S2,
    owners=(Owner.FINANCE_OPS, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.INVOICE,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(
        *collected.POSTED_NEEDS,
        Need("dunning_steps", "collections", may_be_empty=True),
        *CUSTOMER_NEEDS,
    ),
    absent_from=Need("dunning_steps", "collections"),
    settings=(
        Setting("days_to_act", 3, "Working days within which a failed payment is tried again or somebody writes."),
        Setting(
            "provider_tries_again",
            ("retrying", "markedforsubmission", "submitted"),
            "Words of the payment provider that say that it is still at it: a bank debit takes five days to return.",
        ),
    ),
    arithmetic=Arithmetic.of("due", "0"),
    message=(
        "Payment {number} failed on {attempted_on} ({failure}), {due} {currency} are still open, and no retry or "
        "reminder has followed."
    ),
    find=find,
)
