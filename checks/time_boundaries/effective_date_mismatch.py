"""The same thing begins or ends on another day in one system than in another.

Why it matters: each system is right by its own dates, so nothing fails. Days are billed that were not agreed, or are
not billed, and revenue is spread over the wrong ones.

Usual cause: a start date was moved in the CRM after the hand-over, a term was typed again instead of copied, or an
interface cut an instant to a day in the wrong time zone.

How to fix: correct the system that is wrong (the contract is right about when service begins and ends, billing about
what an invoice line covers), then bill or credit the days between.

What it is not: an end written as the last day covered (the books hold the first that is not), a record whose dates
all lie one day earlier because its system writes the customer's midnight as a day of UTC, a charge that ends before
its term (subscription_line_without_schedule), or a term that goes on by itself after its end. A cancellation that only
one system knows is cancelled_still_billing's or active_not_billing's, what goes on after the contract's term is
missed_renewal's, and how a renewal joins the term that it continues renewal_chain_broken's.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.local_time import is_east
from checks.arithmetic.periods import FOREVER, CycleColumns, days, midnight
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
from checks.facts import billed, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

_COPY = (
    "system", "key", "account_key", "currency", "name", "right_start", "right_end", "start", "end", "timezone",
    "base", "base_days", "period_start", "period_end", "invoice_key", "line_key", "right_record", "own_record",
)  # fmt: skip


def find(books: Books, params: Params) -> ir.Table:
    """Subscription lines against contract lines, and the ERP's invoice lines against billing's."""
    year = params.whole("year_days")
    return ibis.union(
        _as_candidates(books, _subscribed(books, year), "subscription_lines"),
        _as_candidates(books, _in_erp(books), "invoice_lines"),
    )


def _as_candidates(books: Books, copy: ir.Table, entity: str) -> ir.Table:
    rows = _apart(of_customers(books, copy).cross_join(books.request.select("today", "target_date")))
    late = (rows.end == FOREVER) ^ (rows.right_end == FOREVER)
    ended = ibis.least(rows.end, rows.right_end)
    is_current = (rows.period_start <= rows.target_date) & (rows.target_date < rows.period_end)
    touches = (rows.off_from < rows.period_end) & (rows.period_start < rows.off_to.fill_null(FOREVER))
    return candidates(
        rows,
        entity,
        "name",
        "said",
        "right",
        subject=rows.right_record,
        period=(rows.off_from, rows.off_to),
        evidence=listed(rows.own_record, rows.right_record),
        invoice=rows.invoice_key,
        line=rows.line_key,
        # Where one copy has no end, they part on the day on which the other one ends.
        fails_from=(late & (rows.start_off == 0)).ifelse(midnight(ended), ibis.null("timestamp('UTC', 6)")),
        mode=(is_current & touches).ifelse(Mode.BLOCK.value, Mode.WARN.value),
        base=rows.base,
        base_days=rows.base_days,
        days_off=rows.start_off + rows.end_off,
    )


def _apart(rows: ir.Table) -> ir.Table:
    """Copies with another start or end; a record that is a day early as a whole, east of UTC, is the same record."""
    has_ends = (rows.end < FOREVER) & (rows.right_end < FOREVER)
    is_late = (rows.end == FOREVER) ^ (rows.right_end == FOREVER)
    start_off = days(rows.right_start, rows.start)
    end_off = has_ends.ifelse(days(rows.right_end, rows.end), 0)
    shifted = is_east(rows.right_start, rows.timezone) & (start_off == -1) & (~has_ends | (end_off == -1)) & ~is_late
    ended = ibis.least(rows.end, rows.right_end)
    open_off = is_late.ifelse(ibis.greatest(days(ended, rows.today), 1), 0)
    moved_start = start_off != 0
    first, last = ibis.least(rows.start, rows.right_start), ibis.greatest(rows.start, rows.right_start)
    off = rows.mutate(
        start_off=start_off.abs(),
        end_off=end_off.abs() + open_off,
        shifted=shifted,
        off_from=moved_start.ifelse(first, ended),
        off_to=moved_start.ifelse(last, has_ends.ifelse(ibis.greatest(rows.end, rows.right_end), ibis.null("date"))),
        said=_shown(rows.start, rows.end),
        right=_shown(rows.right_start, rows.right_end),
    )
    return off.filter((off.start_off + off.end_off > 0) & ~off.shifted.fill_null(False))


def _shown(start: ir.DateValue, end: ir.DateValue) -> ir.StringValue:
    return start.cast("string") + " to " + (end == FOREVER).ifelse("no end", end.cast("string"))


def _subscribed(books: Books, year: int) -> ir.Table:
    """Recurring subscription lines beside the contract lines that they bill, in what their current term is there."""
    line = subscribed.LINES.table
    line = line.filter(
        (line.charge_type.fill_null("recurring") == "recurring")
        & ~line.status.fill_null("active").isin(("draft", "suspended"))
        & line.start_date.notnull()
    )
    agreed = _agreed(books)
    both = line.drop("currency").inner_join(agreed, line.contract_line_key == agreed.c_key)
    draft = billed.drafts("system", "line_of")
    both = both.left_join(draft, [both.system == draft.d_system, both.key == draft.d_line_of])
    both = both.cross_join(books.request.select("today", on="target_date"))
    end = ibis.coalesce(both.term_end, both.end_date, ibis.literal(FOREVER))
    end = (both.end_date == both.c_step).fill_null(False).ifelse(both.c_end, end)
    cancelled, agreed_cancelled = both.cancelled_date, both.c_cancelled
    both_cancelled = cancelled.notnull() & agreed_cancelled.notnull()
    # What goes on after the contract's term, and how a renewal joins what it continues, other checks judge.
    is_others = both.is_renewed | ((both.goes_on | (both.c_end <= both.today)) & (end > both.c_end))
    is_others = is_others | (cancelled.notnull() ^ agreed_cancelled.notnull())
    cycle = CycleColumns.of(ibis.coalesce(both.term_start, both.start_date), both.bill_day, both.billing_months)
    n = cycle.index(both.on)
    return both.mutate(
        name=ibis.coalesce(both.name, both.product_code, both.key),
        right_start=both.c_start,
        right_end=both_cancelled.ifelse(agreed_cancelled, both.c_end),
        start=both.start_date,
        end=both_cancelled.ifelse(cancelled, is_others.ifelse(both.c_end, end)),
        base=per_year(both.c_quantity, both.c_price, both.c_months).cast("decimal(38, 8)"),
        base_days=ibis.literal(year).cast("int64"),
        period_start=cycle.boundary(n),
        period_end=cycle.boundary(n + 1),
        invoice_key=both.draft_invoice,
        line_key=both.draft_line,
        right_record=reference(both.c_system, "contract_lines", both.c_key),
        own_record=reference(both.system, "subscription_lines", both.key),
    ).select(*_COPY)


def _agreed(books: Books) -> ir.Table:
    """Billable base lines with their term as the CRM says it, and whether another contract continues it."""
    contract = books.table("contracts", "crm")
    renewed = contract.filter(contract.renews_key.notnull()).select(of="renews_key").distinct()
    contract = contract.filter(~contract.status.fill_null("activated").isin(("draft", "superseded")))
    contract = contract.left_join(renewed, contract.key == renewed.of)
    contract = contract.select(
        k_system="system",
        k_key="key",
        k_end="end_date",
        is_renewed=contract.of.notnull(),
        goes_on=contract.auto_renews.fill_null(False) | contract.holds_over.fill_null(False),
    )
    line = terms.LINES.table
    raw = books.table("contract_lines", "crm")
    # The steps of a ramp are lines of their own, which billing may hold as one.
    ramp = ibis.window(group_by=[raw.system, ibis.coalesce(raw.segment_key, raw.key)])
    raw = raw.select(r_system="system", r_key="key", r_end=raw.end_date.max().over(ramp), own="end_date")
    line = line.filter(line.billable & (line.charge_type == "recurring"))
    joined = line.inner_join(contract, [line.system == contract.k_system, line.contract_key == contract.k_key])
    joined = joined.inner_join(raw, [joined.system == raw.r_system, joined.key == raw.r_key])
    own_end = ibis.coalesce(joined.r_end, joined.k_end, ibis.literal(FOREVER))
    return joined.select(
        "currency", c_system="system", c_key="key", c_start="start_date",
        c_end=own_end, c_step="own", is_renewed="is_renewed", goes_on="goes_on",
        c_quantity="quantity", c_price="unit_price", c_months="price_months",
        c_cancelled=(joined.cancelled_on == FOREVER).ifelse(ibis.null("date"), joined.cancelled_on),
    )  # fmt: skip


def _in_erp(books: Books) -> ir.Table:
    """The ERP's invoice lines beside billing's."""
    line = billed.LINES.table.filter(lambda t: t.kind.isin(("recurring", "usage", "overage")))
    line = line.filter(line.since.notnull() & line.until.notnull() & (line.amount != 0))
    account = books.table("accounts", "billing").filter(lambda t: t.account_key.notnull())
    zone = account.group_by(z_account="account_key").agg(timezone=account.timezone.max())
    copied = books.table("invoice_lines", "erp")
    copied = copied.filter(copied.period_start.notnull() & copied.period_end.notnull())
    copied = copied.select(
        e_system="system", e_key="key", e_billing="billing_key", e_start="period_start", e_end="period_end"
    )
    both = line.inner_join(copied, line.key == copied.e_billing)
    both = both.left_join(zone, both.account_key == zone.z_account)
    return both.select(
        "account_key", "currency", "timezone",
        system="e_system", key="e_key", name=ibis.coalesce(both.name, both.product_code, both.key),
        right_start="since", right_end="until", start="e_start", end="e_end",
        base=both.amount.abs().cast("decimal(38, 8)"), base_days=ibis.greatest(days(both.since, both.until), 1),
        period_start="since", period_end="until", invoice_key="invoice_key", line_key="key",
        right_record=reference(both.system, "invoice_lines", both.key),
        own_record=reference(both.e_system, "invoice_lines", both.e_key),
    ).select(*_COPY)  # fmt: skip


CHECK = Check(
    id="effective_date_mismatch",
    doc=__doc__,
    pattern=Pattern.TIME_BOUNDARIES,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.WARN,
    may_block=True,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *subscribed.NEEDS,
        *terms.LINE_NEEDS,
        *(need.where_filled() for need in billed.NEEDS),
        Need("invoice_lines", "erp").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(Setting("year_days", 365, "Days by which a year's amount is divided into a daily rate."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("base * days_off / base_days", "0"),
    message="{name} runs from {said}; it should be {right}: {days_off} days come to {amount} {currency}.",
    find=find,
)
