"""More seats were active in a month than the contract includes, and the overage was not billed.

Why it matters: the customer uses what it has agreed to pay for, month after month, and nobody asks for the money.
The longer it stays, the harder it is to collect.

Usual cause: seat counts do not reach billing, or the subscription was set up without a charge for overage.

How to fix: bill the missing seats of the month at the overage price, and set up the overage charge so that the
next month is billed by itself. If the customer has grown for good, offer a larger contract.

What it is not: seats on trial, service users that the count leaves out, seats that were bought later in the month,
a count by another measure than the contract's, such as the peak where the average is agreed, or overage that was
billed on another invoice.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit, known_sum
from checks.arithmetic.periods import days_later, midnight
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
from checks.facts import billed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Months with more active seats than licensed, less what was billed for the overage of that month."""
    seats = _licensed(_counted(books))
    billed_ = _billed(books, seats)
    rows = seats.left_join(billed_, ["system", "key"]).drop("system_right", "key_right")
    draft = billed.drafts("contract_line_key")
    rows = rows.left_join(draft, rows.contract_line_key == draft.d_contract_line_key)
    rows = rows.mutate(
        billed=rows.b_any.isnull().ifelse(ibis.literal(0).cast(rows.b_sum.type()), rows.b_sum),
        active=rows.fits.ifelse(rows.active_quantity, ibis.null(rows.active_quantity.type())),
    )
    over = rows.active_quantity - rows.licensed
    short = product(over, rows.price) - product(rows.billed, rows.spans.cast("decimal(18, 0)"))
    off = rows.filter((over > 0) & (~rows.fits | (short > half_unit(rows.currency)).fill_null(True)))
    seen = listed(
        reference(off.system, "entitlements", off.key), reference(off.l_system, "contract_lines", off.contract_line_key)
    )
    return candidates(
        off,
        "entitlements",
        "product_code",
        subject=off.contract_line_key,
        period=(off.period_start, off.period_end),
        evidence=seen.concat(some(off.b_lines)),
        invoice=off.draft_invoice,
        fails_from=midnight(days_later(off.period_end, params.whole("grace_days"))),
        known_at=off.modified_at,
        mode=off.auto_bills_overage.fill_null(False).ifelse(Mode.BLOCK.value, Mode.WARN.value),
        active=off.active,
        licensed=off.licensed,
        overage_price=off.price,
        price_months=off.spans,
        billed=off.billed,
    )


def _counted(books: Books) -> ir.Table:
    """One count per contract line and month, trials left out: the one that is counted as the contract line says.

    `fits` is false where there is only a count by another measure, which proves nothing either way.
    """
    seat = books.table("entitlements", "seats").filter(lambda t: ~t.is_trial.fill_null(False))
    line = terms.LINES.table.select(
        "overage_price", "overage_measure", "included_quantity", "unit_price", "price_months", "auto_bills_overage",
        "currency", l_system="system", l_key="key", l_account="account_key",
    )  # fmt: skip
    joined = of_customers(books, seat).inner_join(line, seat.contract_line_key == line.l_key)
    joined = joined.mutate(
        fits=(joined.measure == joined.overage_measure).fill_null(True),
        account_key=ibis.coalesce(joined.account_key, joined.l_account),
    )
    best = ibis.row_number().over(
        group_by=[joined.contract_line_key, joined.period_start], order_by=[joined.fits.desc(), joined.key]
    )
    return joined.mutate(best=best).filter(lambda t: t.best == 0)


def _licensed(seats: ir.Table) -> ir.Table:
    """With the seats in the price: those included, or more where more were bought by the month's last day."""
    row = terms.ROWS.table.select("own_key", "quantity", "starts", "until")
    joined = seats.select("system", "key", "contract_line_key", "period_start", "period_end").left_join(
        row, seats.contract_line_key == row.own_key
    )
    holds = (joined.starts < joined.period_end) & (joined.period_start < joined.until)
    bought = joined.group_by(q_system="system", q_key="key").agg(
        bought=(holds & ((joined.quantity > 0) | (joined.starts <= joined.period_start)))
        .ifelse(joined.quantity, 0)
        .sum()
    )
    both = seats.inner_join(bought, [seats.system == bought.q_system, seats.key == bought.q_key])
    return both.mutate(
        licensed=ibis.greatest(both.included_quantity.fill_null(0), both.bought.fill_null(0)).cast("decimal(38, 6)"),
        price=ibis.coalesce(both.overage_price, both.unit_price),
        spans=both.overage_price.isnull().ifelse(both.price_months, 1),
    )


def _billed(books: Books, seats: ir.Table) -> ir.Table:
    """What was billed for overage of the same line in the same month, in the contract's currency."""
    line = billed.LINES.table.filter(lambda t: t.kind.isin(("usage", "overage")))
    line = line.select(
        "amount", "since", "until", "invoice_date", "contract_line_key", b_system="system", b_key="key",
        b_currency="currency",
    )  # fmt: skip
    month = seats.select("system", "key", "contract_line_key", "period_start", "period_end", "currency")
    both = month.inner_join(line, "contract_line_key")
    both = both.filter((both.since < both.period_end) & (both.period_start < both.until))
    rated = fx.with_rate(books, both, "b_currency", "currency", "invoice_date")
    value = fx.converted(rated.amount, rated.rate)
    return rated.group_by("system", "key").agg(
        b_any=rated.count(),
        b_sum=known_sum(value),
        b_lines=collected(reference(rated.b_system, "invoice_lines", rated.b_key)),
    )


CHECK = Check(
    id="seat_overage_unbilled",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.WARN,
    may_block=True,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(Need("entitlements", "seats"), *terms.NEEDS, *billed.NEEDS, *fx.NEEDS, *CUSTOMER_NEEDS),
    settings=(Setting("grace_days", 0, "Days after the month; the run that bills the month must hold its overage."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of("(active - licensed) * overage_price / price_months", "billed"),
    message=(
        "{active} seats of {product_code} were active in the month from {period_start}, {licensed} are in the price; "
        "{amount} {currency} of the overage was not billed."
    ),
    find=find,
)
