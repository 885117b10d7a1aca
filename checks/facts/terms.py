"""What a customer agreed to: contract lines with the changes that revise them, as they stand on a date.

A base line holds until it ends, until its contract ends, or until a contract that amends it begins. Each row
that revises it adds its quantity, from its own start on. A contract that holds over, or renews by itself and is
still activated, goes on after its end until another one renews it.

What is sold as a line of its own may be billed with another one. A bundle's component counts towards the line whose
product code is its roll-up code, in the same contract; the later steps of a ramp count towards the first. Neither
does where billing has a line for it.

A price rises by its uplift on the agreed days, from the price of the step before, rounded half up as the price is
written: to the minor unit, or to eight places where it is finer. A row that states a price states the one of its
own first day; only later rises change it. A rise by an index waits for the day on which its rate was fixed.
"""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import minor_scale
from checks.arithmetic.periods import FOREVER, CycleColumns, days_later
from checks.contract import Need
from checks.relation import Relation

LINE_NEEDS = (Need("contract_lines", "crm"), Need("contracts", "crm"))  # of CONTRACTS and LINES
NEEDS = (
    *LINE_NEEDS,
    Need("products", "crm").where_filled(),
    Need("subscription_lines", "billing").where_filled(),
)


def _contracts(books: Books) -> ir.Table:
    """Contracts that were activated at some time. `ends_on` is the end or the start of the contract that amends it.

    One that `holds_over`, or renews by itself, ends where the one that renews it starts.
    """
    activated = _activated(books)
    renews_itself = (activated.auto_renews & (activated.status.fill_null("activated") == "activated")).fill_null(False)
    holds_over = activated.holds_over.fill_null(False) | renews_itself
    joined = _with_start_of(activated, "amends_key", "amended_on")
    joined = _with_start_of(joined, "renews_key", "renewed_on")
    ends = (holds_over & joined.end_date.notnull()).ifelse(joined.renewed_on, joined.end_date)
    ends_on = ibis.least(ends.fill_null(FOREVER), joined.amended_on.fill_null(FOREVER))
    return joined.mutate(ends_on=ends_on, holds_over=holds_over).select(
        "system", "key", "account_key", "status", "start_date", "end_date", "ends_on", "currency", "opportunity_key",
        "cancelled_date", "auto_bills_overage", "payment_terms", "po_required", "renews_key", "auto_renews",
        "holds_over", "allows_stacking", "modified_at",
    )  # fmt: skip


def _with_start_of(contract: ir.Table, link: str, name: str) -> ir.Table:
    """With the first day of the earliest contract that is linked to each one."""
    linked = contract.filter(contract[link].notnull()).select("start_date", by_system="system", by_key=link)
    first = linked.group_by("by_system", "by_key").agg(**{name: linked.start_date.min()})
    joined = contract.left_join(first, [contract.system == first.by_system, contract.key == first.by_key])
    return joined.drop("by_system", "by_key")


def _activated(books: Books) -> ir.Table:
    known = books.table("contracts", "crm")
    return known.filter(known.status.fill_null("activated") != "draft")


CONTRACTS = Relation("agreed_contracts", _contracts)


def _lines(books: Books) -> ir.Table:
    """Base lines of activated contracts, keyed by (system, key).

    `ends_on` (FOREVER where nothing ends it) does not know of cancellations; `cancelled_on` is the first day that
    a cancellation no longer covers. A line that does not say is billable and recurs; a missing price span or
    billing frequency is a month.
    """
    line = books.table("contract_lines", "crm")
    line = line.filter(line.revises_key.isnull())
    contract = CONTRACTS.table.select(
        c_system="system",
        c_key="key",
        c_account="account_key",
        c_currency="currency",
        c_start="start_date",
        c_end="end_date",
        c_ends="ends_on",
        c_holds_over="holds_over",
        c_cancelled="cancelled_date",
        auto_bills_overage="auto_bills_overage",
        opportunity_key="opportunity_key",
    )
    joined = line.inner_join(contract, [line.system == contract.c_system, line.contract_key == contract.c_key])
    ends_with_contract = (joined.c_holds_over & (joined.end_date >= joined.c_end)).fill_null(False)
    own_end = ends_with_contract.ifelse(FOREVER, joined.end_date.fill_null(FOREVER))
    return joined.mutate(
        account_key=ibis.coalesce(joined.account_key, joined.c_account),
        charge_type=joined.charge_type.fill_null("recurring"),
        billable=joined.billable.fill_null(True),
        currency=ibis.coalesce(joined.currency, joined.c_currency),
        price_months=joined.price_months.fill_null(1),
        billing_months=ibis.coalesce(joined.billing_months, joined.price_months, 1),
        start_date=ibis.coalesce(joined.start_date, joined.c_start),
        term_start=ibis.coalesce(joined.c_start, joined.start_date),
        ends_on=ibis.least(own_end, joined.c_ends),
        cancelled_on=ibis.least(joined.terminated_date.fill_null(FOREVER), joined.c_cancelled.fill_null(FOREVER)),
    ).select(
        "system", "key", "account_key", "contract_key", "product_code", "quote_line_key", "quantity", "unit_price",
        "price_months", "list_price", "currency", "charge_type", "billable", "billing_months", "billing_timing",
        "start_date", "term_start", "ends_on", "cancelled_on", "free_until", "included_quantity", "overage_price",
        "overage_measure", "auto_bills_overage", "opportunity_key", "segment_key", "segment", "uplift_rate",
        "uplift_months", "uplift_from", "uplift_index", "uplift_known_on", "uplift_floor", "uplift_cap",
        "uplift_waived", "modified_at",
    )  # fmt: skip


LINES = Relation("agreed_lines", _lines)


def _rows(books: Books) -> ir.Table:
    """What counts towards each billed line: the line itself, its revisions, its bundle's parts, its ramp's steps.

    One row per contract_lines row: `base_key` is the line that is billed, `own_key` the base line of the row and
    [`begins`, `until`) the days on which the row counts (`begins` never before a free period ends). `unit_price` is
    that of the day `priced_on`.
    """
    base = LINES.table
    billed_as = _billed_as(books, base)
    base = base.left_join(billed_as, [base.system == billed_as.part_system, base.key == billed_as.part_key]).mutate(
        base_key=lambda t: ibis.coalesce(t.whole_key, t.key)
    )
    own = base.mutate(
        own_key=base.key, row_key=base.key, begins=_begins(base, base.start_date), until=base.ends_on,
        starts=base.start_date, priced_on=base.start_date,
    ).select(
        "system", "base_key", "own_key", "row_key", "quantity", "unit_price", "price_months", "quote_line_key",
        "begins", "until", "starts", "priced_on", "cancelled_on", "modified_at",
    )  # fmt: skip
    revisions = _revisions(books, base)
    return own.union(revisions.select(*own.columns))


def _revisions(books: Books, base: ir.Table) -> ir.Table:
    change = books.table("contract_lines", "crm").filter(lambda t: t.revises_key.notnull())
    revised = base.select(
        r_system="system", own_key="key", base_key="base_key", free_until="free_until", ends="ends_on",
        cancelled_on="cancelled_on", r_price="unit_price", r_months="price_months", r_start="start_date",
    )  # fmt: skip
    joined = change.drop("free_until").inner_join(
        revised, [change.system == revised.r_system, change.revises_key == revised.own_key]
    )
    # A cancellation is often written as a change to nothing; it is known from the base line already.
    joined = joined.filter(joined.start_date < joined.cancelled_on)
    return joined.mutate(
        row_key=joined.key,
        priced_on=joined.unit_price.isnull().ifelse(joined.r_start, joined.start_date),
        unit_price=ibis.coalesce(joined.unit_price, joined.r_price),
        price_months=ibis.coalesce(joined.price_months, joined.r_months),
        begins=_begins(joined, joined.start_date),
        until=ibis.least(joined.end_date.fill_null(FOREVER), joined.ends),
        starts=joined.start_date,
    )


def _begins(rows: ir.Table, start: ir.DateValue) -> ir.DateValue:
    return ibis.greatest(start, rows.free_until.fill_null(start))


def _billed_as(books: Books, base: ir.Table) -> ir.Table:
    """(part_system, part_key) of what is billed with another line, which is `whole_key`."""
    charged = books.table("subscription_lines", "billing").select(own_line="contract_line_key").distinct()
    return _bundled(books, base, charged).union(_ramped(base, charged))


def _bundled(books: Books, base: ir.Table, charged: ir.Table) -> ir.Table:
    """Components of bundles that billing has no line for."""
    sold = books.table("products", "crm")
    sold = sold.filter(sold.rollup_code != sold.code)
    sold = sold.select(pr_system="system", pr_code="code", rollup_code="rollup_code").distinct()
    whole = base.group_by(w_system="system", w_contract="contract_key", w_code="product_code").agg(
        whole_key=base.key.min()
    )
    part = base.select("system", "key", "contract_key", "product_code")
    part = part.inner_join(sold, [part.system == sold.pr_system, part.product_code == sold.pr_code])
    part = part.anti_join(charged, part.key == charged.own_line)
    part = part.inner_join(
        whole,
        [
            part.system == whole.w_system,
            part.contract_key == whole.w_contract,
            part.rollup_code == whole.w_code,
        ],
    )
    return part.select(part_system="system", part_key="key", whole_key="whole_key")


def _ramped(base: ir.Table, charged: ir.Table) -> ir.Table:
    """Later steps of ramps whose first step billing has a line for, and not for them."""
    step = base.filter(base.segment_key.notnull()).select("system", "contract_key", "segment_key", "segment", "key")
    ramp = ("system", "contract_key", "segment_key")
    first = ibis.row_number().over(group_by=[step[name] for name in ramp], order_by=[step.segment, step.key])
    whole = step.mutate(place=first).filter(lambda t: t.place == 0)
    whole = whole.semi_join(charged, whole.key == charged.own_line).select(*ramp, whole_key="key")
    later = step.anti_join(charged, step.key == charged.own_line)
    later = later.inner_join(whole, list(ramp)).filter(lambda t: t.key != t.whole_key)
    return later.select(part_system="system", part_key="key", whole_key="whole_key")


ROWS = Relation("agreed_rows", _rows)

_AT_ONCE = 6  # rises of a row in one turn; three turns: a rise a year for eighteen years
_A_CENTURY = 1200
_OF_UPLIFT = ("factor", "first_rise", "every", "known_on", "currency", "row_until")


def _priced(_: Books) -> ir.Table:
    """ROWS with the prices of their days: [`begins`, `until`) of one row touch, one for each price.

    `rise` counts the uplifts within the row's days: 0 is its own price, and `risen_on` then is null.
    """
    last = _RISING[-1].table
    parts = [*(_settled(turn.table, _AT_ONCE * n) for n, turn in enumerate(_RISING[:-1], 1)), last]
    wanted = [name for name in last.columns if name not in _OF_UPLIFT]
    whole, *others = (part.select(*wanted) for part in parts)
    return whole.union(*others)


def _settled(rows: ir.Table, last: int) -> ir.Table:
    """Without those that have taken all rises of their turn: the next turn has them."""
    return rows.filter(rows.factor.isnull() | (rows.rise != last))


def _first_turn(_: Books) -> ir.Table:
    """ROWS with their first few prices, and what is needed to go on."""
    row = ROWS.table
    line = _uplifted()
    joined = row.left_join(line, [row.system == line.l_system, row.own_key == line.l_key]).drop("l_system", "l_key")
    joined = joined.mutate(rise=ibis.literal(0, "int64"), risen_on=ibis.null("date"), row_until=joined.until)
    plain = joined.filter(joined.factor.isnull())
    return plain.union(_risen(joined.filter(joined.factor.notnull())).select(*plain.columns))


def _next_turn(before: Relation, last: int) -> Callable[[Books], ir.Table]:
    """Goes on with rows that have taken all rises of the turn before, as if the last price had been their own."""

    def further(_: Books) -> ir.Table:
        row = before.table
        row = row.filter(row.factor.notnull() & (row.rise == last))
        return _risen(row.mutate(until=row.row_until)).select(*row.columns)

    return further


def _uplifted() -> ir.Table:
    """Lines whose price rises: by `factor`, first on `first_rise`, then every `every` months, not before `known_on`."""
    line = LINES.table
    is_known = line.uplift_index.isnull() | line.uplift_known_on.notnull()
    line = line.filter(
        (line.charge_type == "recurring") & (line.uplift_rate != 0) & ~line.uplift_waived.fill_null(False) & is_known
    )
    of_index = line.uplift_index.notnull()
    rate = ibis.least(line.uplift_rate, line.uplift_cap.fill_null(line.uplift_rate))
    rate = of_index.ifelse(ibis.greatest(rate, line.uplift_floor.fill_null(rate)), line.uplift_rate)
    after = CycleColumns.of(line.start_date, ibis.null("int64"), line.uplift_months.fill_null(12))
    return line.select(
        "currency",
        l_system="system",
        l_key="key",
        factor=(rate.cast("decimal(38, 8)") + 1).cast("decimal(38, 8)"),
        first_rise=ibis.coalesce(line.uplift_from, after.boundary(ibis.literal(1))),
        every=line.uplift_months.fill_null(_A_CENTURY),
        known_on=of_index.ifelse(line.uplift_known_on, ibis.null("date")),
    )


def _risen(row: ir.Table) -> ir.Table:
    """One row for each price, up to `_AT_ONCE` rises after that of `priced_on`."""
    row = row.mutate(before=ibis.greatest(_cycle(row).index(row.priced_on), -1))
    ahead = _cycle(row).index(days_later(row.until, -1)) - row.before
    up, down = minor_scale(row.unit_price, row.currency)
    row = row.mutate(
        step=ibis.range(0, ibis.least(ibis.greatest(ahead, 0), _AT_ONCE) + 1).unnest(),
        scaled=product(row.unit_price, up).cast("decimal(38, 0)"),
        down=down,
    )
    known_on = row.known_on.fill_null(row.first_rise)
    agreed_on = _cycle(row).boundary(row.before + row.step)
    risen_on = ibis.greatest(agreed_on, known_on)
    follows = ibis.greatest(_cycle(row).boundary(row.before + row.step + 1), known_on)
    is_same = row.step == 0
    row = row.mutate(
        rise=row.rise + row.step,
        risen_on=is_same.ifelse(row.risen_on, risen_on),
        priced_on=is_same.ifelse(row.priced_on, agreed_on),
        begins=is_same.ifelse(row.begins, ibis.greatest(row.begins, risen_on)),
        until=ibis.least(row.until, follows),
        unit_price=_prices(row)[row.step].cast(row.unit_price.type()),
    )
    return row.filter(row.begins < row.until)


def _cycle(row: ir.Table) -> CycleColumns:
    return CycleColumns.of(row.first_rise, ibis.null("int64"), row.every)


def _prices(row: ir.Table) -> ir.ArrayValue:
    """The price as it is, after one more rise, ..., each rounded as a price of its currency is written."""
    prices, scaled = [row.unit_price.cast("decimal(38, 9)")], row.scaled
    for _ in range(_AT_ONCE):
        scaled = product(scaled, row.factor).cast("decimal(38, 0)")
        prices.append(product(scaled, row.down))
    return ibis.array(prices)


_FIRST = Relation("agreed_prices_1", _first_turn)
_SECOND = Relation("agreed_prices_2", _next_turn(_FIRST, _AT_ONCE))
_RISING = (_FIRST, _SECOND, Relation("agreed_prices_3", _next_turn(_SECOND, 2 * _AT_ONCE)))
PRICED = Relation("agreed_prices", _priced)
