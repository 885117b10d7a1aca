"""The total of a day's invoices in one currency lies outside the band that its own history and schedule explain.

Why it matters: a price with three zeros too many, or half a run that was never made, passes every check of a single
invoice that has nothing to compare it with. The total of the run is the last place where it shows.

Usual cause: a line typed by hand with a slip in its amount or quantity, usage in another unit, a run that was made
twice, or one that left a group of customers out.

How to fix: look at the largest invoices of the day first. Correct what is wrong before the run is posted; where the
day is unusual for a known reason, record an override with that reason.

What it is not: a month-end or an annual peak. What falls due by schedule on the day is expected in full, however much
it is; only what remains is compared with history, the first and the last day of a month with days of their kind.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.confidence import of_band
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
from checks.facts import billed, run_totals
from checks.rows import candidates, listed, reference

METRIC = "run_residual"
_MONEY = "decimal(38, 4)"


def find(books: Books, params: Params) -> ir.Table:
    """The asked day's totals that are outside their band, one row per billing system and currency."""
    day = _banded(books, params)
    day = day.filter((day.actual < day.low) | (day.actual > day.high))
    outside = ibis.greatest(day.actual - day.high, day.low - day.actual)
    is_far = outside > product(day.high - day.low, ibis.literal(params.decimal("block_beyond")).cast("decimal(18, 6)"))
    return candidates(
        day,
        "invoices",
        "invoices",
        "number",
        "low",
        "high",
        subject=day.system + "/" + day.currency,
        period=(day.day, day.until),
        evidence=listed(
            reference(day.system, "invoices", day.key), reference(day.b_system, "expected_bands", day.b_key)
        ),
        invoice=day.key,
        mode=is_far.ifelse(Mode.BLOCK.value, Mode.WARN.value),
        scheduled=day.scheduled,
        forecast=day.forecast,
        invoiced=day.actual,
        **of_band(day.actual, day.low, day.high).columns(),
    )


def _banded(books: Books, params: Params) -> ir.Table:
    """The totals of the asked day with what was expected of them, and the largest invoice, drafts before posted ones.

    The band is never narrower than a share of what is scheduled: a small business is not regular to the cent.
    """
    total = run_totals.totals(books, params).cross_join(books.request.select("target_date"))
    total = total.filter(total.day == total.target_date)
    band = books.table("expected_bands", "controls").filter(lambda t: t.metric == METRIC)
    band = band.select(
        b_system="system", b_key="key", b_subject="subject", b_currency="currency", b_day="period_start",
        until="period_end", forecast="expected", b_low="low", b_high="high",
    )  # fmt: skip
    joined = total.inner_join(
        band, [total.system == band.b_subject, total.currency == band.b_currency, total.day == band.b_day]
    )
    least = product(joined.scheduled, ibis.literal(params.decimal("least_width")).cast("decimal(18, 6)")).cast(_MONEY)
    expected = joined.scheduled + joined.forecast
    joined = joined.mutate(
        low=(expected - ibis.greatest(joined.forecast - joined.b_low, least)).cast(_MONEY),
        high=(expected + ibis.greatest(joined.b_high - joined.forecast, least)).cast(_MONEY),
    )
    largest = _largest(books)
    return joined.inner_join(
        largest,
        [joined.system == largest.l_system, joined.currency == largest.l_currency, joined.day == largest.l_day],
    )


def _largest(books: Books) -> ir.Table:
    invoice = billed.invoices(books)
    invoice = invoice.filter(invoice.invoice_date.notnull())
    order = [invoice.status.fill_null("draft") != "draft", invoice.total.fill_null(0).desc(), invoice.key]
    rank = ibis.row_number().over(group_by=[invoice.system, invoice.currency, invoice.invoice_date], order_by=order)
    first = invoice.mutate(rank=rank).filter(lambda t: t["rank"] == 0)
    return first.select(
        "key", "account_key", l_system="system", l_currency="currency", l_day="invoice_date",
        number=ibis.coalesce(first.number, first.key),
    )  # fmt: skip


CHECK = Check(
    id="run_total_anomaly",
    doc=__doc__,
    pattern=Pattern.DRAFT_INTEGRITY,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.FINANCE_OPS),
    mode=Mode.WARN,
    may_block=True,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.EVERYTHING,
    needs=(
        *run_totals.NEEDS,
        Need("expected_bands", "controls", may_be_empty=True),
    ),
    settings=(
        Setting(
            "block_beyond",
            Decimal(1),
            "Farther outside than so many widths of the band stops the run; less warns.",
        ),
        Setting(
            "least_width",
            Decimal("0.25"),
            "The band reaches at least this share of what is scheduled to each side, so that small books are no alarm.",
        ),
        Setting(
            "false_alarms_per_mille",
            Decimal(1),
            "How many of a thousand ordinary days may fall outside: the band is the 99.9 % prediction interval.",
        ),
        Setting("least_days", 60, "With fewer days of invoices in 24 months there is no band, and nothing is judged."),
        Setting("least_invoices", 2, "Days with fewer invoices than this are odd ones out, and teach nothing."),
    ),
    arithmetic=Arithmetic.of("scheduled + forecast", "invoiced"),
    message=(
        "The {invoices} invoices of {period_start} come to {actual} {currency} without tax; {expected} were expected, "
        "between {low} and {high}. Look at {number} first."
    ),
    find=find,
)
