"""A billing period is due and no invoice bills it, not even a draft.

Why it matters: the service was agreed and delivered, and nobody asks for the money. A period that is missed by its
own run is seldom found by a later one.

Usual cause: the customer was left out of the run, its bill day was changed, an invoice was deleted and not made
again, or the run failed for this customer alone.

How to fix: add the customer to the run, or make the invoice for the missing period. If the period must not be
billed, say so on the line as a free period, so that it is not expected.

What it is not: a subscription that is or was suspended, free days, a bill day that was moved, a period that another
invoice or one combined invoice already covers, or days after a cancellation.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import CycleColumns
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
from checks.facts import billed, due_periods, paused, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Due periods that no live invoice line touches, one row each; a period that is less than one late heals itself."""
    rows = due_periods.priced(books, _unbilled(_not_paused(books, due_periods.due(books))))
    months, whole = "decimal(18, 0)", params.decimal("block_over")
    value = product(
        product(product(rows.quantity, rows.unit_price), rows.billing_months.cast(months)), rows.days.cast(months)
    )
    scale = product(rows.price_months.cast(months), rows.period_days.cast(months))
    is_large = value > product(scale, ibis.literal(whole).cast("decimal(18, 4)"))
    next_due = CycleColumns.of(rows.due, ibis.null("int64"), ibis.literal(1)).boundary(rows.billing_months)
    entity = due_periods.entity(books)
    return candidates(
        rows,
        entity,
        "product",
        "due",
        subject=rows.key,
        period=(rows.since, rows.until),
        evidence=listed(
            reference(rows.system, entity, rows.key), reference(rows.l_system, "invoice_lines", rows.last_line)
        ),
        known_at=rows.modified_at,
        mode=is_large.fill_null(True).ifelse(Mode.BLOCK.value, Mode.WARN.value),
        kind=(rows.today < next_due).ifelse(MoneyKind.TIMING.value, MoneyKind.LEAK.value),
        quantity=rows.quantity,
        unit_price=rows.unit_price,
        months=rows.billing_months,
        days=rows.days,
        price_months=rows.price_months,
        period_days=rows.period_days,
    )


def _not_paused(books: Books, period: ir.Table) -> ir.Table:
    off = paused.spans(books)
    same = [period.system == off.p_system, period.key == off.p_line]
    return period.anti_join(off, [*same, off.paused <= period.since, period.until <= off.resumed])


def _unbilled(period: ir.Table) -> ir.Table:
    """Periods that nothing bills. What the platform says it billed is believed, except between two billed periods."""
    line = billed.LINES.table
    line = line.filter((line.amount >= 0) & line.kind.isin(("recurring", "one_time")) & line.since.notnull())
    wanted = ("since", "until", "system", "key")
    line = line.select(*wanted, at="line_of").union(
        line.filter(line.line_of.isnull()).select(*wanted, at="contract_line_key")
    )
    line = line.select(at="at", b_since="since", b_until="until", b_system="system", b_key="key")
    period = _untouched(_untouched(period, "key", line), "contract_line_key", line.view())
    known = line.group_by("at").agg(
        first=line.b_since.min(),
        last=line.b_until.max(),
        l_system=line.b_system.max(),
        last_line=line.b_key.last(order_by=[line.b_until, line.b_key]),
    )
    joined = period.left_join(known, period.key == known["at"])
    is_between = (joined["first"] < joined.since) & (joined.until < joined["last"])
    is_said = joined.charged_through.notnull() & (joined.until <= joined.charged_through)
    return joined.filter(~is_said | is_between.fill_null(False))


def _untouched(period: ir.Table, of: str, line: ir.Table) -> ir.Table:
    """Periods of which no line bills any day."""
    touches = [period[of] == line["at"], line.b_since < period.until, period.since < line.b_until]
    return period.anti_join(line, touches)


CHECK = Check(
    id="missing_expected_invoice",
    doc=__doc__,
    pattern=Pattern.DRAFT_INTEGRITY,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        *paused.NEEDS,
        *(need.where_filled() for need in terms.NEEDS),
        *CUSTOMER_NEEDS,
    ),
    one_of=("subscription_lines", "contract_lines"),
    settings=(
        Setting("block_over", 250, "Amounts up to this only warn; larger ones stop the run. It is the band of S3."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of("quantity * unit_price * months * days / (price_months * period_days)", "0"),
    message=(
        "{product} was due on {due} for {period_start} to {period_end} and is on no invoice: {amount} {currency}."
    ),
    find=find,
)
