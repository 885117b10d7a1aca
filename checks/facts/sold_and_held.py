"""Per contract and product: what a year costs by the contract, and what billing holds for it.

Bundle components count towards the product that they are billed with. Amounts are compared on one day: today, or
the day on which the first line begins where that is still to come. One-time lines count once. Usage has no amount
before it happens, so there only the existence of a line is compared.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import known_sum, per_year
from checks.arithmetic.fx import converted, with_rate
from checks.arithmetic.periods import FOREVER
from checks.facts import amended, subscribed, terms
from checks.facts.customers import of_customers
from checks.relation import Relation
from checks.rows import collected, reference, some

GROUP = ("system", "contract_key", "code")
CENT = Decimal("0.01")


def compared(books: Books) -> ir.Table:
    """One row per group with `contracted` and `billed`, amounts of a year, null where they cannot be compared.

    `lacks`: billing has nothing for it. `is_behind`: billing holds what was sold before some amendment, uplift or
    step of a ramp, which the checks on those name.
    """
    sold = SOLD.table.cross_join(books.request)
    of_group = ibis.window(group_by=[sold[name] for name in GROUP])
    sold = sold.mutate(on=ibis.greatest(sold.today, sold.starts.min().over(of_group)))
    begun = ibis.coalesce(sold.risen_on, sold.starts)
    sold = _before(sold.filter((begun <= sold.on) & (sold.on < sold.until)))
    groups = sold.group_by(GROUP).agg(
        key=sold.own_key.first(order_by=[sold.own_key != sold.base_key, sold.linked, sold.own_key]),
        contracted=known_sum(sold.yearly),
        befores=sold.before.collect(where=sold.before.notnull()),
        first_day=sold.starts.min(),
        last_change=ibis.coalesce(sold.risen_on, sold.starts).max(),
        known=sold.modified_at.max(),
        sold_evidence=collected(reference(sold.system, "contract_lines", sold.row_key)),
        **{name: sold[name].max() for name in _OF_LINE},
        on=sold.on.max(),
        today=sold.today.max(),
    )
    earlier = _earlier(sold)
    earlier = earlier.group_by(GROUP).agg(earlier=earlier.had.collect())
    groups = groups.left_join(earlier, list(GROUP)).drop(*(f"{name}_right" for name in GROUP))
    held = _held(books)
    both = groups.left_join(held, list(GROUP))
    lacks = both.lines.isnull()
    is_unpriced = (both.charge_type == "usage") & ~lacks
    billed = is_unpriced.ifelse(both.contracted, lacks.ifelse(0, both.held_yearly)).cast(both.contracted.type())
    return both.mutate(
        lacks=lacks,
        billed=billed,
        is_behind=both.befores.contains(billed).fill_null(False) | both.earlier.contains(billed).fill_null(False),
        held_evidence=some(both.held_evidence),
    )


def _before(sold: ir.Table) -> ir.Table:
    """`sold` with `before`: what its group came to before the amendment of the row; null where none made the row."""
    window = {"group_by": [sold[name] for name in GROUP]}
    of_amendment = sold.is_amended.ifelse(sold.yearly, 0)
    as_sold = (sold.yearly - of_amendment).sum().over(ibis.window(**window))
    order = [sold.is_amended, sold.starts, sold.row_key]
    so_far = of_amendment.sum().over(ibis.cumulative_window(**window, order_by=order))
    before = (as_sold + so_far - of_amendment).cast(sold.yearly.type())
    return sold.mutate(before=sold.is_amended.ifelse(before, ibis.null(sold.yearly.type())))


def _earlier(sold: ir.Table) -> ir.Table:
    """Per group what its year came to (`had`) before each rise of its prices, and at each earlier step of its ramp."""
    most = sold.group_by(GROUP).agg(most=sold.rise.max()).filter(lambda t: t.most > 0)
    piece = sold.inner_join(most, list(GROUP))
    piece = piece.mutate(taken=ibis.range(0, piece.most).unnest())
    piece = piece.mutate(at_rise=ibis.least(piece.rise, piece.taken))
    old = terms.PRICED.table.select(o_row="row_key", o_rise="rise", o_price="unit_price")
    piece = piece.inner_join(old, [piece.row_key == old.o_row, piece.at_rise == old.o_rise])
    had = _yearly(piece.charge_type, piece.quantity, piece.o_price, piece.price_months)
    risen = piece.mutate(had=had).group_by(*GROUP, "taken").agg(had=lambda t: t.had.sum()).drop("taken")
    ramp = sold.filter(sold.segment.notnull()).select(
        *GROUP, "base_key", "segment", "charge_type", "quantity", "unit_price", "price_months"
    )
    step = SOLD.table.filter(lambda t: t.segment.notnull())
    step = step.select("base_key", e_segment="segment", e_quantity="quantity", e_price="unit_price")
    both = ramp.inner_join(step, "base_key").filter(lambda t: t.e_segment < t.segment)
    stale = [(both.e_quantity, both.e_price), (both.quantity, both.e_price), (both.e_quantity, both.unit_price)]
    values = [_yearly(both.charge_type, quantity, price, both.price_months) for quantity, price in stale]
    return risen.union(*(both.select(*GROUP, had=value.cast(risen.had.type())) for value in values))


_OF_LINE = ("account_key", "currency", "charge_type", "billing_months", "billing_timing", "term_start")


def _sold(books: Books) -> ir.Table:
    """Rows of contract lines with the group that they count towards; `yearly` is the amount of a year."""
    row = terms.PRICED.table
    line = terms.LINES.table
    step = line.filter(line.segment.notnull()).select("segment", g_key="key")
    row = row.left_join(step, row.own_key == step.g_key)
    line = line.filter(line.billable).select(
        l_system="system", l_key="key", contract_key="contract_key", code=line.product_code.fill_null(line.key),
        **{name: name for name in _OF_LINE},
    )  # fmt: skip
    sold = row.inner_join(line, [row.system == line.l_system, row.base_key == line.l_key])
    sold = of_customers(books, sold)
    sold = sold.anti_join(_not_handed_over(books), "contract_key")
    change = amended.ROWS.table.select(a_row="row_key").distinct().mutate(is_amended=True)
    sold = sold.left_join(change, sold.row_key == change.a_row)
    held = books.table("subscription_lines", "billing").select(h_line="contract_line_key").distinct()
    sold = sold.left_join(held.filter(held.h_line.notnull()), sold.own_key == held.h_line)
    return sold.mutate(
        is_amended=sold.is_amended.fill_null(False),
        linked=sold.h_line.notnull(),
        yearly=_yearly(sold.charge_type, sold.quantity, sold.unit_price, sold.price_months),
        until=ibis.least(sold.until, sold.cancelled_on),
    ).select(
        *GROUP, "base_key", "own_key", "row_key", "starts", "until", "yearly", "is_amended", "linked",
        "quantity", "unit_price", "price_months", "rise", "risen_on", "segment", "modified_at", *_OF_LINE,
    )  # fmt: skip


SOLD = Relation("sold_lines", _sold)


def _not_handed_over(books: Books) -> ir.Table:
    """Contracts of won opportunities that billing does not know at all: closed_won_not_in_billing names them."""
    won = books.table("opportunities", "crm").filter(lambda t: t.is_won)
    contract = terms.CONTRACTS.table
    of_won = contract.semi_join(won, [contract.system == won.system, contract.opportunity_key == won.key])
    named = won.select("contract_key").union(of_won.select(contract_key="key"))
    return named.anti_join(subscribed.current(books), "contract_key").distinct()


def _yearly(
    charge: ir.StringValue, quantity: ir.DecimalValue, price: ir.DecimalValue, months: ir.IntegerValue
) -> ir.DecimalValue:
    counted = quantity.fill_null(1)
    return (charge == "recurring").ifelse(per_year(counted, price, months), product(counted, price))


def _held(books: Books) -> ir.Table:
    """Per group the subscription lines of its charge type: how many, and what they cost a year today."""
    line = subscribed.LINES.table.filter(lambda t: t.status.fill_null("active") != "draft")
    line = line.select(
        b_system="system", b_key="key", b_contract="contract_key", b_code="product_code",
        b_type=line.charge_type.fill_null("recurring"), b_line="contract_line_key", b_currency="currency",
        paused=line.status == "suspended", quantity="quantity", unit_price="unit_price", price_months="price_months",
    )  # fmt: skip
    named = SOLD.table.select(n_key="own_key", n_contract="contract_key", n_code="code").distinct()
    line = line.left_join(named, line.b_line == named.n_key)
    line = line.mutate(
        contract_key=ibis.coalesce(line.n_contract, line.b_contract), code=ibis.coalesce(line.n_code, line.b_code)
    )
    sold = SOLD.table
    wanted = sold.group_by(GROUP).agg(
        first=sold.starts.min(), charge_type=sold.charge_type.max(), currency=sold.currency.max()
    )
    wanted = wanted.cross_join(books.request.select("today")).mutate(on=lambda t: ibis.greatest(t.today, t.first))
    line = line.inner_join(wanted, ["contract_key", "code"]).filter(lambda t: t.b_type == t.charge_type)
    line = with_rate(books, _today(books, line), "b_currency", "currency", "today")
    value = converted(line.yearly, line.rate)
    return line.group_by(GROUP).agg(
        lines=line.count(),
        held_yearly=known_sum(value),
        held_evidence=collected(reference(line.b_system, "subscription_lines", line.b_key)),
    )


def _today(books: Books, line: ir.Table) -> ir.Table:
    """`line` with `yearly`: of the schedule in force, else of the line itself where it has no schedules.

    The schedules of a suspended subscription end with the day of its pause; its lines are held all the same.
    """
    schedule = books.table("billing_schedules", "billing").select(
        c_system="system", c_line="subscription_line_key", c_start="start_date", c_end="end_date",
        c_quantity="quantity", c_price="unit_price", c_months="price_months",
    )  # fmt: skip
    joined = line.left_join(schedule, [line.b_system == schedule.c_system, line.b_key == schedule.c_line])
    is_on = (joined.c_start <= joined.on) & (joined.on < joined.c_end.fill_null(FOREVER))
    of_schedule = _yearly(joined.charge_type, joined.c_quantity, joined.c_price, joined.c_months.fill_null(1))
    of_line = _yearly(joined.charge_type, joined.quantity, joined.unit_price, joined.price_months)
    priced = joined.mutate(of_schedule=is_on.ifelse(of_schedule, 0), of_line=of_line)
    return priced.group_by(*GROUP, "b_system", "b_key", "b_currency", "currency", "today").agg(
        yearly=(
            (priced.charge_type == "recurring").any() & priced.c_line.notnull().any() & ~priced.paused.any()
        ).ifelse(priced.of_schedule.sum(), priced.of_line.max())
    )
