"""Of the invoices of a customer that fell due in a month, more is still open than the tolerance allows.

Why it matters: what was billed and never collected is revenue on paper. Late money ages, and old money is lost.

Usual cause: a failed payment without dunning, a dispute that nobody entered, or cash that lies unapplied.

How to fix: look at the open invoices. Collect, enter the dispute, apply the receipt, or grant the credit that was
promised.

What it is not: an invoice that is not due yet or has only just fallen due, a part that is paid while the rest is not
due, an amount in dispute, or one that a credit memo has settled.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit, known_sum
from checks.arithmetic.periods import days_later, midnight, month_of, months_later
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
    Tolerance,
)
from checks.facts import collected
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, some

KEY = ("system", "account_key", "currency", "month")
_MONEY = "decimal(38, 4)"


def find(books: Books, params: Params) -> ir.Table:
    """Customers and months of due dates; the account in billing is the record."""
    due = of_customers(books, _due(books))
    month = due.group_by(KEY).agg(
        billed=due.total.sum().cast(_MONEY),
        collected=due.collected.sum().cast(_MONEY),
        credited=known_sum(due.credited, _MONEY),
        disputed=due.disputed.sum().cast(_MONEY),
        left=known_sum(due.left),
        open_=(due.is_open.ifelse(due.key, ibis.null("string"))).collect(order_by=[due.key]),
    )
    off = month.filter((month.left > half_unit(month.currency)).fill_null(True))
    account = books.table("accounts", "billing").group_by("system", "account_key").agg(key=lambda t: t.key.min())
    off = off.inner_join(account, ["system", "account_key"])
    ends = months_later(off.month, 1)
    return candidates(
        off,
        "accounts",
        "month",
        subject=off.key + "/" + off.currency,
        period=(off.month, ends),
        evidence=some(off.open_.map(lambda key: off.system + "/invoices/" + key)),
        fails_from=midnight(days_later(ends, params.whole("grace_days"))),
        **{name: off[name] for name in ("billed", "disputed", "collected", "credited")},
    )


def _due(books: Books) -> ir.Table:
    """Posted invoices by the month in which they fall due, with what was paid, credited and disputed of each."""
    invoice = collected.posted(books).filter(lambda t: t.due_date.notnull())
    is_open = invoice.left + invoice.disputed > half_unit(invoice.currency)
    return invoice.mutate(month=month_of(invoice.due_date), is_open=is_open.fill_null(True))


CHECK = Check(
    id="billed_vs_collected_tieout",
    doc=__doc__,
    pattern=Pattern.TIE_OUTS,
    severity=Severity.S3,
    owners=(Owner.FINANCE_OPS, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(*collected.POSTED_NEEDS, Need("accounts", "billing"), *CUSTOMER_NEEDS),
    settings=(Setting("grace_days", 10, "Days after the month of the due dates that a transfer may still take."),),
    tolerance=Tolerance(absolute=Decimal("1"), relative=Decimal("0.005")),
    arithmetic=Arithmetic.of("billed - disputed - credited", "collected"),
    message=(
        "Of {billed} {currency} that fell due in the month of {month}, {collected} were collected, {credited} credited "
        "and {disputed} are disputed."
    ),
    find=find,
)
