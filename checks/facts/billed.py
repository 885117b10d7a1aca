"""What was invoiced: the lines of live invoices, each resolved to what it bills.

A line names its subscription line itself, or through the schedule row that it billed. Invoices that are void or
failed are left out; drafts count. A line without a service period belongs to the billing period whose due date
is nearest to its invoice date.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, CycleColumns, days, due_date
from checks.contract import Need
from checks.facts import subscribed, terms
from checks.relation import Relation

INVOICE_NEEDS = (Need("invoices", "billing"),)
NEEDS = (
    Need("invoice_lines", "billing"),
    *INVOICE_NEEDS,
    Need("billing_schedules", "billing").where_filled(),
    *(need.where_filled() for need in (*subscribed.NEEDS, *terms.LINE_NEEDS)),
)
NOT_LIVE = ("void", "error")


def invoices(books: Books) -> ir.Table:
    """Invoices of the billing platform that are neither void nor failed."""
    known = books.table("invoices", "billing")
    return known.filter(~known.status.fill_null("").isin(NOT_LIVE))


def _lines(books: Books) -> ir.Table:
    """Lines of live invoices, keyed by (system, key).

    `line_of` is the subscription line that is billed, `contract_line_key` the CRM's line; either may be null.
    `bills` is what is billed as one text, null where the line names nothing. `kind` is the line's own charge
    type, else that of what it bills. [`since`, `until`) are the days billed: the service period, else the
    billing period; null where neither is known. The cycle is as `CycleColumns.of` takes it. `status`, `number`,
    `invoice_date` and `contract_key` are the invoice's, the columns that begin with `s_` the subscription line's.
    """
    rows = _resolved(books, books.table("invoice_lines", "billing"))
    near = NEAREST.table
    joined = rows.left_join(near, [rows.system == near.n_system, rows.key == near.n_key])
    product = ibis.coalesce(joined.product_code, joined.name, "")
    return joined.mutate(
        since=ibis.coalesce(joined.period_start, joined.n_since),
        until=ibis.coalesce(joined.period_end, joined.n_until),
        bills=ibis.coalesce(joined.line_of, joined.contract_line_key + "/" + product),
    ).select(
        "system", "key", "account_key", "invoice_key", "number", "status", "invoice_date", "line_of",
        "contract_line_key", "contract_key", "bills", "product_code", "name", "kind", "quantity", "unit_price",
        "amount", "tax", "tax_code", "currency", "since", "until", "modified_at", "s_charge_type", "s_number",
        "s_cancelled_date", "s_price_months", "s_modified_at", "cycle_began", "cycle_bill_day", "cycle_months",
        "v_quantity",
    )  # fmt: skip


def _resolved(books: Books, line: ir.Table) -> ir.Table:
    """Invoice lines with their live invoice, what they bill, and the cycle that they follow."""
    joined = _with_subscription_line(books, line)
    agreed = terms.LINES.table.select(
        c_key="key",
        c_start="start_date",
        c_ends="ends_on",
        c_term_start="term_start",
        c_months="billing_months",
        c_timing="billing_timing",
    )
    joined = joined.left_join(agreed, joined.contract_line_key == agreed.c_key)
    of_billing = joined.s_start_date.notnull()
    return joined.mutate(
        cycle_began=ibis.coalesce(joined.s_term_start, joined.s_start_date, joined.c_term_start),
        cycle_bill_day=joined.s_bill_day,
        cycle_months=of_billing.ifelse(joined.s_billing_months, joined.c_months),
        starts=of_billing.ifelse(joined.s_start_date, joined.c_start),
        ends=of_billing.ifelse(joined.s_end_date.fill_null(FOREVER), joined.c_ends),
        timing=of_billing.ifelse(joined.s_billing_timing, joined.c_timing),
    )


def _with_subscription_line(books: Books, line: ir.Table) -> ir.Table:
    invoice = invoices(books).select(
        i_system="system", i_key="key", i_account="account_key", i_currency="currency", i_contract="contract_key",
        number="number", status="status", invoice_date="invoice_date",
    )  # fmt: skip
    joined = line.inner_join(invoice, [line.system == invoice.i_system, line.invoice_key == invoice.i_key])
    schedule = books.table("billing_schedules", "billing").select(
        v_system="system", v_key="key", v_line="subscription_line_key", v_quantity="quantity"
    )
    joined = joined.left_join(
        schedule, [joined.system == schedule.v_system, joined.line_version_key == schedule.v_key]
    ).mutate(line_of=lambda t: ibis.coalesce(t.subscription_line_key, t.v_line))
    wanted = (
        "system", "key", "number", "contract_line_key", "contract_key", "charge_type", "currency", "price_months",
        "billing_months", "billing_timing", "start_date", "end_date", "cancelled_date", "term_start", "bill_day",
        "modified_at",
    )  # fmt: skip
    sold = subscribed.LINES.table.select(**{f"s_{name}": name for name in wanted})
    joined = joined.left_join(sold, [joined.system == sold.s_system, joined.line_of == sold.s_key])
    return joined.mutate(
        account_key=ibis.coalesce(joined.account_key, joined.i_account),
        contract_line_key=ibis.coalesce(joined.contract_line_key, joined.s_contract_line_key),
        contract_key=ibis.coalesce(joined.i_contract, joined.s_contract_key),
        kind=ibis.coalesce(joined.charge_type, joined.s_charge_type, "recurring"),
        currency=ibis.coalesce(joined.currency, joined.i_currency, joined.s_currency),
    )


def _nearest(books: Books) -> ir.Table:
    """The billing period of each line that states none: the one whose due date is nearest, else the earlier."""
    bare = books.table("invoice_lines", "billing")
    bare = _resolved(books, bare.filter(bare.period_start.isnull() | bare.period_end.isnull()))
    bare = bare.select(
        "system", "key", "invoice_date", "cycle_began", "cycle_bill_day", "cycle_months", "starts", "ends", "timing"
    )
    cycle = CycleColumns.of(bare.cycle_began, bare.cycle_bill_day, bare.cycle_months)
    # Spark takes rows out of a range only where it stands alone.
    around = bare.mutate(place=cycle.index(bare.invoice_date), beside=ibis.range(-1, 2).unnest())
    around = around.mutate(n=around.place + around.beside)
    cycle = CycleColumns.of(around.cycle_began, around.cycle_bill_day, around.cycle_months)
    cut = around.mutate(
        n_since=ibis.greatest(cycle.boundary(around.n), around.starts),
        n_until=ibis.least(cycle.boundary(around.n + 1), around.ends),
    ).filter(lambda t: t.n_since < t.n_until)
    apart = days(due_date(cut.timing, cut.n_since, cut.n_until), cut.invoice_date).abs()
    rank = ibis.row_number().over(group_by=[cut.system, cut.key], order_by=[apart, cut.n])
    nearest = cut.mutate(rank=rank).filter(lambda t: t["rank"] == 0)
    return nearest.select("n_since", "n_until", n_system="system", n_key="key")


def drafts(*by: str) -> ir.Table:
    """The draft that bills each contract, contract line or subscription line: what can still be held or added to.

    Of several it is the one with the latest date, which is that of the run at hand. `by` are columns of LINES; they are
    here with `d_` before their names, beside `draft_system`, `draft_invoice` and `draft_line`.
    """
    line = LINES.table.filter(lambda t: (t.status == "draft") & t[by[-1]].notnull())
    dated = ibis.coalesce(line.invoice_date, ibis.date(1970, 1, 1))
    order = [dated.desc(), line.invoice_key.desc(), line.key.desc()]
    place = ibis.row_number().over(group_by=[line[name] for name in by], order_by=order)
    latest = line.mutate(place=place).filter(lambda t: t.place == 0)
    return latest.select(
        **{f"d_{name}": name for name in by}, draft_system="system", draft_invoice="invoice_key", draft_line="key"
    )


NEAREST = Relation("nearest_periods", _nearest)
LINES = Relation("billed_lines", _lines)


def repairs() -> ir.Table:
    """(system, key) of billed lines that cancel each other out.

    A negative line takes back one positive line of the same amount for the same days of the same thing.
    """
    same = ("system", "bills", "since", "until", "size")
    rows = LINES.table
    sized = rows.mutate(size=rows.amount.abs(), below=rows.amount < 0).filter(rows.bills.notnull())
    sized = sized.select(*same, "key", "below", "invoice_date")
    taken_back = sized.filter(sized.below & (sized.size > 0)).select(*same).distinct()
    concerned = sized.semi_join(taken_back, list(same))
    of_group = ibis.window(group_by=[concerned[name] for name in same])
    order = ibis.window(
        group_by=[*(concerned[name] for name in same), concerned.below],
        order_by=[concerned.invoice_date, concerned.key],
    )
    down = concerned.below.sum().over(of_group)
    ranked = concerned.mutate(
        rank=ibis.row_number().over(order), pairs=ibis.least(down, concerned.count().over(of_group) - down)
    )
    return ranked.filter(ranked["rank"] < ranked.pairs).select("system", "key")


def _repeated(_: Books) -> ir.Table:
    """Billed lines, repairs left out, that bill the same amount for the same days of the same thing again.

    Lines that together bill no more than the quantity of the schedule that they name are one line in parts.

    One row per line beyond the first, with `first_key`, `first_invoice` and its place among them as `again`
    (1, 2, …). Posted lines come before drafts, then the earlier invoice comes first.
    """
    same = ("system", "bills", "kind", "since", "until", "amount")
    rows = LINES.table
    rows = rows.filter((rows.amount > 0) & rows.bills.notnull() & rows.since.notnull())
    counted = rows.group_by(same).agg(n=rows.count()).filter(lambda t: t.n > 1).drop("n")
    several = rows.semi_join(counted, list(same)).anti_join(repairs(), ["system", "key"])
    groups = [several[name] for name in same]
    order = [several.status == "draft", several.invoice_date, several.key]
    window = ibis.window(group_by=groups, order_by=order)
    so_far = several.quantity.sum().over(ibis.cumulative_window(group_by=groups, order_by=order))
    ranked = several.mutate(
        again=ibis.row_number().over(window),
        first_key=several.key.first().over(window),
        first_invoice=several.invoice_key.first().over(window),
        in_parts=(so_far <= several.v_quantity).fill_null(False),
    )
    return ranked.filter((ranked.again > 0) & ~ranked.in_parts).drop("in_parts")


REPEATED = Relation("repeated_lines", _repeated)
