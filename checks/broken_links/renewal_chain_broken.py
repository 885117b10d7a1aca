"""A renewal names no contract that it renews, or the contract before it has not ended where the renewal begins.

Why it matters: what is renewed must stop where the renewal starts. Without the link both contracts bill, or neither
does, and nobody can tell a customer who stayed from one who came back.

Usual cause: the renewal was opened by hand instead of from the contract, or it was signed early and the old
subscription was left to run.

How to fix: link the renewal to the contract before it, and end or extend that one on the day on which the renewal
begins. Credit what was billed twice, or bill the days between.

What it is not: a customer who buys the same product again after having left, which is new business; a renewal of
another product; a contract that holds over until the renewal begins; or one that the CRM calls superseded or
cancelled, without a day, when billing has ended it.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.periods import FOREVER, days
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
from checks.facts import subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Renewals whose predecessor is not linked, ends later than they begin, or ended before."""
    pair = _pairs(books, _renewals(books), params.whole("window_days"))
    value = _values()
    pair = pair.left_join(value, [pair.system == value.v_system, pair.before == value.v_contract])
    apart = days(pair.ends, pair.start_date)
    broken = ibis.cases(
        (~pair.is_linked, "names no contract that it renews"),
        ((apart < 0) & ~pair.is_over, "begins while the contract before it still runs"),
        (apart > 0, "begins after the contract before it has ended"),
        else_=ibis.null("string"),
    )
    off = pair.mutate(broken=broken, days=apart.abs()).filter(lambda t: t.broken.notnull())
    return candidates(
        off,
        "contracts",
        "number",
        "broken",
        "ends",
        "start_date",
        subject=off.key,
        evidence=listed(reference(off.system, "contracts", off.key), reference(off.system, "contracts", off.before)),
        yearly=off.yearly.fill_null(0),
        days=off.days,
    )


def _renewals(books: Books) -> ir.Table:
    """Contracts that were sold as a renewal, or that name the contract they renew."""
    number = books.table("contracts", "crm").select("number", n_system="system", n_key="key")
    contract = of_customers(books, terms.CONTRACTS.table)
    deal = books.table("opportunities", "crm").select("type", d_system="system", d_key="key", d_renews="renews_key")
    joined = contract.left_join(deal, [contract.system == deal.d_system, contract.opportunity_key == deal.d_key])
    joined = joined.inner_join(number, [joined.system == number.n_system, joined.key == number.n_key])
    joined = joined.mutate(renews_key=ibis.coalesce(joined.renews_key, joined.d_renews))
    is_renewal = joined.renews_key.notnull() | (joined.type.lower() == "renewal").fill_null(False)
    return joined.filter(is_renewal & joined.start_date.notnull()).select(
        "system", "key", "account_key", "currency", "number", "start_date", "renews_key"
    )


def _pairs(books: Books, renewal: ir.Table, window: int) -> ir.Table:
    """Each renewal with the contract `before` it and where that `ends`: linked, else of the same product and near."""
    ended = _ended(books)
    linked = renewal.filter(renewal.renews_key.notnull())
    linked = linked.inner_join(ended, [linked.system == ended.e_system, linked.renews_key == ended.e_key])
    linked = linked.mutate(before=linked.e_key, is_linked=True)
    loose = renewal.filter(renewal.renews_key.isnull())
    sold = terms.LINES.table.select("contract_key", "product_code", "account_key", l_system="system").distinct()
    own = sold.select(o_contract="contract_key", o_code="product_code")
    same = loose.inner_join(own, loose.key == own.o_contract)
    other = sold.select(x_contract="contract_key", x_code="product_code", x_account="account_key")
    same = same.inner_join(other, [same.account_key == other.x_account, same.o_code == other.x_code])
    same = same.filter(same.key != same.x_contract)
    same = same.inner_join(ended, [same.system == ended.e_system, same.x_contract == ended.e_key])
    near = same.filter((same.e_start < same.start_date) & (days(same.ends, same.start_date).abs() <= window))
    order = [days(near.ends, near.start_date).abs(), near.e_key]
    place = ibis.row_number().over(group_by=[near.system, near.key], order_by=order)
    found = near.mutate(place=place, before=near.e_key, is_linked=False).filter(lambda t: t.place == 0)
    return linked.select(*_OF_PAIR).union(found.select(*_OF_PAIR))


_OF_PAIR = (
    "system", "key", "account_key", "currency", "number", "start_date", "before", "ends", "is_over", "is_linked",
)  # fmt: skip


def _ended(books: Books) -> ir.Table:
    """Contracts with the first day that they do not cover: by billing's subscription where that runs longer.

    What runs on without an end has run until today. `is_over`: the CRM says that it was replaced or cancelled and not
    on which day, and billing has nothing of it that still runs.
    """
    held = subscribed.LINES.table.filter(lambda t: ~t.status.fill_null("active").isin(("draft", "cancelled")))
    held = held.filter(held.charge_type.fill_null("recurring") == "recurring")
    runs_to = ibis.least(held.term_end.fill_null(FOREVER), held.end_date.fill_null(FOREVER))
    held = held.mutate(runs_to=ibis.least(runs_to, held.cancelled_date.fill_null(FOREVER)))
    held = held.group_by(h_contract="contract_key").agg(runs_to=held.runs_to.max())
    contract = terms.CONTRACTS.table
    joined = contract.left_join(held, contract.key == held.h_contract)
    agreed = ibis.least(joined.ends_on, joined.cancelled_date.fill_null(FOREVER))
    longer = ibis.greatest(agreed, joined.runs_to.fill_null(agreed))
    known = joined.mutate(ends=longer).cross_join(books.request.select("today"))
    ends = (known.ends == FOREVER).ifelse(known.today, known.ends)
    is_over = known.status.isin(("superseded", "cancelled")) & known.cancelled_date.isnull() & known.runs_to.isnull()
    return known.select(
        e_system="system", e_key="key", e_start="start_date", ends=ends, is_over=is_over.fill_null(False)
    )


def _values() -> ir.Table:
    """What a year of a contract's recurring lines costs at the end of it."""
    line = terms.LINES.table.filter(lambda t: t.billable & (t.charge_type == "recurring"))
    line = line.select("contract_key", "ends_on", l_system="system", l_key="key")
    row = terms.PRICED.table.select(
        "begins", "until", "quantity", "unit_price", "price_months", r_system="system", r_own="own_key"
    )
    last = line.inner_join(row, [line.l_system == row.r_system, line.l_key == row.r_own])
    last = last.filter((last.begins < last.ends_on) & (last.until >= last.ends_on))
    yearly = per_year(last.quantity, last.unit_price, last.price_months)
    return last.group_by(v_system="l_system", v_contract="contract_key").agg(yearly=yearly.sum())


CHECK = Check(
    id="renewal_chain_broken",
    doc=__doc__,
    pattern=Pattern.BROKEN_LINKS,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *terms.NEEDS,
        Need("opportunities", "crm").where_filled(),
        *(need.where_filled() for need in subscribed.NEEDS),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting(
            "window_days",
            60,
            "A customer who comes back to a product two months after a contract ended buys anew; nearer, it renews.",
        ),
    ),
    arithmetic=Arithmetic.of("yearly * days / 365", "0"),
    message=(
        "Contract {number} begins on {start_date} as a renewal and {broken}; that one ends on {ends}, {days} days "
        "apart, worth {amount} {currency}."
    ),
    find=find,
)
