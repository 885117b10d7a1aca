"""A customer has two active subscriptions for the same product at the same time, and nothing says that both are meant.

Why it matters: both are invoiced. The customer pays twice until somebody adds the two up, and the revenue that was
planned on the second one never comes.

Usual cause: an order was sent to billing twice, a renewal or an upgrade was entered as a new deal while the old
subscription went on, or two people entered the same deal.

How to fix: end the subscription that is not meant and credit what it has billed. Where both are meant, say so: by a
purchase order or a legal entity of its own, or by linking the second to the first as its renewal or expansion.

What it is not: another department or company of the customer (the purchase order and the legal entity belong to
the key), a renewal or an amendment that names what it continues, a line that was added to the same contract, a
trial, or two terms that follow each other.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.periods import FOREVER, days_later, midnight, months_begun
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
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import subscribed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference

KEY = ("system", "account_key", "product_code", "currency", "legal_entity", "po_number")
PAIR = ("system", "account_key", "currency", "number", "key", "f_number", "f_key")


def find(books: Books, _: Params) -> ir.Table:
    """The later subscription of each pair, with the smaller value of what both hold, for the months of the overlap."""
    pair = _unlinked(books, _overlapping(books))
    summed = pair.group_by(PAIR).agg(
        since=pair.since.min(),
        until=pair.until.max(),
        months=pair.months.max(),
        products=pair.product_code.nunique(),
        product=pair.product_code.min(),
        worth=pair.worth.sum(),
        modified_at=pair.modified_at.max(),
        lines=collected(pair.line),
        f_lines=collected(pair.f_line),
    )
    first = ibis.row_number().over(
        group_by=[summed.system, summed.key], order_by=[summed.worth.desc(), summed.f_number]
    )
    rows = summed.mutate(rank=first).filter(lambda t: t["rank"] == 0)
    open_end = (rows.until == FOREVER).ifelse(ibis.null("date"), rows.until)
    return candidates(
        rows,
        "subscriptions",
        "number",
        "f_number",
        "product",
        "months",
        subject=rows.number,
        period=(rows.since, open_end),
        evidence=listed(
            reference(rows.system, "subscriptions", rows.key), reference(rows.system, "subscriptions", rows.f_key)
        ).concat(rows.lines, rows.f_lines),
        fails_from=midnight(rows.since),
        worth=rows.worth,
    )


def _overlapping(books: Books) -> ir.Table:
    """Pairs of recurring lines of two subscriptions; columns of the earlier one begin with `f_`.

    `worth` is the smaller year's amount × the months of the overlap that have begun by the day that is asked about.
    """
    line = _lines(books)
    earlier = line.select(
        *KEY, **{f"f_{name}": name for name in ("number", "key", "line", "contract_key", "contract_line_key")},
        f_starts="starts", f_ends="ends", f_yearly="yearly", f_renews="renews", f_modified_at="modified_at",
    )  # fmt: skip
    both = line.inner_join(earlier, list(KEY)).cross_join(books.request.select("today"))
    comes_first = (both.f_starts < both.starts) | ((both.f_starts == both.starts) & (both.f_number < both.number))
    both = both.filter((both.f_number != both.number) & comes_first & (both.starts < both.f_ends))
    until = ibis.least(both.ends, both.f_ends)
    months = months_begun(both.starts, ibis.least(both.today, days_later(until, -1)))
    smaller = ibis.least(both.yearly, both.f_yearly)
    return both.mutate(
        since=both.starts,
        until=until,
        months=months,
        worth=product(smaller, months.cast("decimal(18, 0)")),
        modified_at=ibis.greatest(both.modified_at, both.f_modified_at),
    )


def _lines(books: Books) -> ir.Table:
    current = subscribed.current(books)
    held = current.select(
        u_system="system", u_key="key", renews="renews_key",
        legal_entity=current.legal_entity.fill_null(""), u_order="po_number",
    )  # fmt: skip
    contract = books.table("contracts", "crm").select(k_key="key", k_order="po_number")
    line = of_customers(books, subscribed.LINES.table)
    line = line.filter(
        (line.status.fill_null("active") == "active")
        & (line.charge_type.fill_null("recurring") == "recurring")
        & ~line.is_trial.fill_null(False)
        & line.product_code.notnull()
        & line.account_key.notnull()
    )
    joined = line.inner_join(held, [line.system == held.u_system, line.current_key == held.u_key])
    joined = joined.left_join(contract, joined.contract_key == contract.k_key)
    ends = [joined[name].fill_null(FOREVER) for name in ("end_date", "term_end", "cancelled_date")]
    return joined.mutate(
        po_number=ibis.coalesce(joined.u_order, joined.k_order, ""),
        starts=joined.start_date,
        ends=ibis.least(*ends),
        yearly=per_year(joined.quantity.fill_null(1), joined.unit_price, joined.price_months),
        line=reference(joined.system, "subscription_lines", joined.key),
    ).select(
        *KEY, "number", "contract_key", "contract_line_key", "starts", "ends", "yearly", "renews", "line",
        "modified_at", key="current_key",
    )  # fmt: skip


def _unlinked(books: Books, pair: ir.Table) -> ir.Table:
    """Pairs of which neither continues or extends the other."""
    version = books.table("subscriptions", "billing")
    version = version.select(r_system="system", r_key="key", r_number=ibis.coalesce(version.number, version.key))
    other = version.view()
    pair = pair.left_join(version, [pair.system == version.r_system, pair.renews == version.r_key])
    pair = pair.left_join(
        other.select(o_system="r_system", o_key="r_key", o_number="r_number"),
        [pair.system == other.r_system, pair.f_renews == other.r_key],
    )
    named = (pair.r_number == pair.f_number) | (pair.o_number == pair.number)
    added = (pair.contract_key == pair.f_contract_key) & (pair.contract_line_key != pair.f_contract_line_key)
    pair = pair.filter(~(named.fill_null(False) | added.fill_null(False)))
    return pair.anti_join(_linked_contracts(books), ["contract_key", "f_contract_key"])


def _linked_contracts(books: Books) -> ir.Table:
    """Pairs of contracts, both ways, of which one renews or amends the other."""
    contract = books.table("contracts", "crm")
    named = [contract.select("key", of=contract[name]) for name in ("renews_key", "amends_key")]
    links = named[0].union(named[1]).filter(lambda t: t.of.notnull())
    one_way = links.select(contract_key="key", f_contract_key="of")
    return one_way.union(links.select(contract_key="of", f_contract_key="key")).distinct()


CHECK = Check(
    id="duplicate_subscription",
    doc=__doc__,
    pattern=Pattern.DUPLICATES,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*subscribed.NEEDS, Need("contracts", "crm").where_filled(), *CUSTOMER_NEEDS),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("0", "worth / 12", "actual - expected"),
    message=(
        "Subscription {number} has {product} from {period_start} on, which {f_number} has as well, and neither "
        "continues the other: in {months} months {amount} {currency} are billed twice."
    ),
    find=find,
)
