"""A customer committed to a minimum, used less in the window that has ended, and the difference was not billed.

Why it matters: the commitment is what the discount was given for. Where the shortfall is not billed when its window
ends, the customer has the lower price without the commitment.

Usual cause: the true-up is made by hand at the end of the window, and nobody was reminded; or the commitment stands in
the contract and was never set up in billing.

How to fix: bill the shortfall with the invoice of the last period of the window. Where the customer may make it up
later, say so in the contract line.

What it is not: a monthly total below an annual commitment whose year still runs, a commitment whose shortfall rolls
over while the term runs, or a shortfall that a true-up line has billed.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit, known_sum
from checks.arithmetic.periods import FOREVER, CycleColumns, days, days_later, midnight
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

EXACT = "decimal(38, 8)"
_WINDOW = ("key", "since")


def find(books: Books, params: Params) -> ir.Table:
    """Windows that have ended, with what was billed for their days."""
    window = _windows(books)
    paid = _billed(books, window)
    rows = window.left_join(paid, list(_WINDOW)).drop("key_right", "since_right")
    nothing = ibis.literal(0).cast(EXACT)
    rows = rows.mutate(billed=rows.b_lines.isnull().ifelse(nothing, rows.b_sum))
    draft = billed.drafts("contract_line_key")
    rows = rows.left_join(draft, rows.key == draft.d_contract_line_key)
    short = product(rows.commit_amount, rows.days) - product(rows.billed, rows.window_days)
    allowed = product(half_unit(rows.currency), rows.window_days)
    off = rows.filter((short > allowed).fill_null(True))
    closed = midnight(days_later(off.until, params.whole("grace_days")))
    return candidates(
        off,
        "contract_lines",
        "product_code",
        subject=off.key,
        period=(off.since, off.until),
        evidence=listed(reference(off.system, "contract_lines", off.key)).concat(some(off.b_lines)),
        invoice=off.draft_invoice,
        fails_from=closed,
        known_at=ibis.greatest(off.modified_at, midnight(off.until)),
        committed=off.commit_amount,
        days=off.days,
        window_days=off.window_days,
        billed=off.billed,
    )


def _windows(books: Books) -> ir.Table:
    """[`since`, `until`): the windows of each commitment that have ended, the last one cut where the line ends."""
    said = books.table("contract_lines", "crm").filter(lambda t: t.commit_amount > 0)
    said = said.select("commit_amount", "commit_months", "commit_rolls_over", c_system="system", c_key="key")
    line = of_customers(books, terms.LINES.table)
    line = line.inner_join(said, [line.system == said.c_system, line.key == said.c_key])
    line = line.cross_join(books.request.select("target_date"))
    line = line.mutate(ends=ibis.least(line.ends_on, line.cancelled_on))
    is_whole = line.commit_months.isnull() | line.commit_rolls_over.fill_null(False)
    line = line.mutate(is_whole=is_whole, months=line.commit_months.fill_null(12))
    cycle = CycleColumns.of(line.start_date, ibis.null("int64"), line.months)
    last = cycle.index(days_later(ibis.least(line.target_date, line.ends), -1))
    window = line.mutate(n=ibis.range(0, ibis.greatest(last, 0) + 1).unnest()).filter(
        lambda t: ~t.is_whole | (t.n == 0)
    )
    cycle = CycleColumns.of(window.start_date, ibis.null("int64"), window.months)
    window = window.mutate(since=window.is_whole.ifelse(window.start_date, cycle.boundary(window.n)))
    following = window.is_whole.ifelse(window.ends_on, cycle.boundary(window.n + 1))
    window = window.mutate(following=following, until=ibis.least(following, window.ends))
    window = window.mutate(days=days(window.since, window.until), window_days=days(window.since, window.following))
    return window.filter((window.days > 0) & (window.until <= window.target_date) & (window.until < FOREVER))


def _billed(books: Books, window: ir.Table) -> ir.Table:
    """What was invoiced for the line in each window, true-ups included, in the contract's currency."""
    line = billed.LINES.table.filter(lambda t: t.kind != "tax")
    line = line.select(
        "amount", "invoice_date", at="contract_line_key", from_=line.since, b_system="system", b_key="key",
        b_currency="currency",
    )  # fmt: skip
    asked = window.select(*_WINDOW, "until", "currency")
    both = asked.inner_join(line, asked.key == line.at)
    both = both.filter((both.from_ >= both.since) & (both.from_ < both.until))
    rated = fx.with_rate(books, both, "b_currency", "currency", "invoice_date")
    value = fx.converted(rated.amount, rated.rate)
    return rated.group_by(*_WINDOW).agg(
        b_sum=known_sum(value, EXACT),
        b_lines=collected(reference(rated.b_system, "invoice_lines", rated.b_key)),
    )


CHECK = Check(
    id="commit_shortfall_unbilled",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(*terms.LINE_NEEDS, *billed.NEEDS, *fx.NEEDS, *CUSTOMER_NEEDS),
    settings=(
        Setting("grace_days", 0, "Days after the window; the invoice of its last period must hold the shortfall."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of("committed * days / window_days", "billed"),
    message=(
        "{committed} {currency} were committed for {product_code} from {period_start} to {period_end}; {actual} were "
        "billed, {amount} are missing."
    ),
    find=find,
)
