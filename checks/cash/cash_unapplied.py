"""A receipt, or a part of one, has not been applied to any invoice for a long time.

Why it matters: the customer has paid and is shown as owing. Reminders go to somebody who owes nothing, and the age of
receivables is reported too high.

Usual cause: the remittance names no invoice, or a customer paid twice, too much, or for a subsidiary.

How to fix: find out what was paid, and apply the rest to it, keep it as credit as the customer agrees, or pay it
back.

What it is not: a receipt of the last days, for which the remittance may still come, one that was paid back, or one of
which the platform has applied every part.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import days, days_later, midnight
from checks.contract import (
    Arithmetic,
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
    Tolerance,
)
from checks.facts import collected
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Receipts of which more arrived than was applied or paid back."""
    receipt = of_customers(books, collected.RECEIPTS.table)
    off = receipt.filter(receipt.amount - receipt.refunded - receipt.applied > half_unit(receipt.currency))
    off = off.cross_join(books.request.select("today"))
    age = days(off.paid_date, off.today)
    return candidates(
        off,
        "payments",
        "number",
        "paid_date",
        subject=off.key,
        evidence=listed(reference(off.system, "payments", off.key), reference(off.system, "invoices", off.invoice_key)),
        fails_from=midnight(days_later(off.paid_date, params.whole("settle_days") + 1)),
        received=off.amount,
        refunded=off.refunded,
        applied=off.applied,
        severity=ibis.cases(
            (age > params.whole("days_to_s2"), Severity.S2.value),
            (age > params.whole("days_to_s3"), Severity.S3.value),
            else_=Severity.S4.value,
        ),
    )


CHECK = Check(
    id="cash_unapplied",
    doc=__doc__,
    pattern=Pattern.CASH,
    severity=Severity.S4,
    owners=(Owner.FINANCE_OPS, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(*collected.NEEDS, *CUSTOMER_NEEDS),
    settings=(
        Setting("settle_days", 14, "Days that a remittance may take to follow its payment."),
        Setting("days_to_s3", 60, "Days after which a receipt that nobody applied is more than a matter of order."),
        Setting("days_to_s2", 120, "Days after which the customer will have been dunned for what was paid."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("received - refunded", "applied"),
    message="Payment {number} of {received} {currency} arrived on {paid_date}; {applied} of it went to invoices.",
    find=find,
)
