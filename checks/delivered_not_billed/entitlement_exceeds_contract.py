"""A customer was given a module, or more of it, that no contract of theirs holds.

Why it matters: what is used without a contract is hard to ask money for later, and a customer who has the module for
nothing has no reason to buy it.

Usual cause: a trial or a beta that nobody ended, a module that was switched on by hand, or a contract that was reduced
while the access stayed as it was.

How to fix: offer the module at its list price, or take the access back. Where it was granted on purpose, tag it and
say until when.

What it is not: a trial or a beta with a tag and an end that is still to come, a component of a bundle that the
customer bought, or seats of a contract line that is counted on its own, whose overage another check reports.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import midnight
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
from checks.facts import terms
from checks.facts.customers import of_customers
from checks.facts.list_prices import NEEDS as PRICE_NEEDS
from checks.facts.list_prices import list_prices
from checks.rows import candidates, collected, listed, reference, some

_OF_SEAT = ("system", "key")
_QUANTITY = "decimal(38, 6)"


def find(books: Books, params: Params) -> ir.Table:
    """Grants of a month beyond what the customer's contracts hold of the product, the smaller key first."""
    granted = _granted(books, params.texts("tags"))
    held = _contracted(books, granted)
    rows = granted.left_join(held, list(_OF_SEAT)).drop("system_right", "key_right")
    rows = rows.mutate(contracted=rows.contracted.fill_null(0).cast(_QUANTITY))
    off = rows.filter(rows.others + rows.active_quantity > rows.contracted)
    off = _priced(books, off, params)
    return candidates(
        off,
        "entitlements",
        "product_code",
        "basis",
        subject=off.account_key + "/" + off.product_code,
        period=(off.period_start, off.period_end),
        evidence=listed(reference(off.system, "entitlements", off.key)).concat(some(off.contracts)),
        fails_from=midnight(off.period_end),
        known_at=off.modified_at,
        granted=off.active_quantity,
        others=off.others,
        contracted=off.contracted,
        list_price=off.list_price,
        list_months=off.list_months,
    )


def _granted(books: Books, tags: tuple[str, ...]) -> ir.Table:
    """Grants that no contract line is counted for, without those that are tagged and have not run out.

    A trial is said month by month; a tag needs an end.
    """
    seat = books.table("entitlements", "seats")
    line = terms.LINES.table.select(n_line="key").distinct()
    seat = seat.anti_join(line, seat.contract_line_key == line.n_line)
    seat = of_customers(books, seat.filter(seat.account_key.notnull() & seat.product_code.notnull()))
    is_tagged = seat.tag.lower().isin(tags) & (seat.period_start < seat.expires_date)
    is_trial = seat.is_trial & (seat.expires_date.isnull() | (seat.period_start < seat.expires_date))
    seat = seat.filter(~(is_tagged.fill_null(False) | is_trial.fill_null(False)))
    before = ibis.window(
        group_by=[seat.account_key, seat.product_code, seat.period_start], order_by=[seat.system, seat.key],
        preceding=(None, 1),
    )  # fmt: skip
    return seat.mutate(others=seat.active_quantity.sum().over(before).fill_null(0).cast(_QUANTITY))


def _contracted(books: Books, granted: ir.Table) -> ir.Table:
    """What contracts hold of the product, or of the bundle that it belongs to, on some day of the month."""
    counted = books.table("entitlements", "seats").select(
        s_line="contract_line_key", s_start="period_start"
    ).filter(lambda t: t.s_line.notnull()).distinct()  # fmt: skip
    bundle = books.table("products", "crm").select(part="code", whole="rollup_code").filter(lambda t: t.whole != t.part)
    asked = granted.select(*_OF_SEAT, "account_key", "period_start", "period_end", code="product_code")
    whole = asked.inner_join(bundle.distinct(), asked.code == bundle.part)
    asked = asked.union(whole.mutate(code=whole.whole).select(asked.columns))
    line = terms.LINES.table.select("product_code", own_key="key", l_account="account_key", l_cancelled="cancelled_on")
    row = terms.ROWS.table.select("own_key", "quantity", "starts", "until", r_system="system", r_key="row_key")
    held = asked.inner_join(line, [asked.account_key == line.l_account, asked.code == line.product_code])
    held = held.anti_join(counted, [held.own_key == counted.s_line, held.period_start == counted.s_start])
    held = held.inner_join(row, "own_key")
    ends = ibis.least(held.until, held.l_cancelled)
    held = held.filter((held.starts < held.period_end) & (held.period_start < ends))
    return held.group_by(*_OF_SEAT).agg(
        contracted=held.quantity.sum().cast(_QUANTITY),
        contracts=collected(reference(held.r_system, "contract_lines", held.r_key)),
    )


def _priced(books: Books, rows: ir.Table, params: Params) -> ir.Table:
    """With the list price in the customer's currency."""
    account = books.table("accounts", "crm").select(a_account="account_key", a_currency="currency")
    account = account.group_by("a_account").agg(currency=account.a_currency.max())
    rows = rows.left_join(account, rows.account_key == account.a_account)
    rows = rows.mutate(currency=rows.currency.fill_null(params.text("fallback_currency")))
    price = list_prices(books)
    rows = rows.left_join(price, [rows.product_code == price.code, rows.currency == price.price_currency])
    return rows.mutate(
        basis=rows.list_price.notnull().ifelse("at list price", "at the fallback price, for no list price is known"),
        list_price=ibis.coalesce(rows.list_price, params.decimal("fallback_price")),
        list_months=rows.list_months.fill_null(1),
    )


CHECK = Check(
    id="entitlement_exceeds_contract",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S3,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        Need("entitlements", "seats"),
        *terms.NEEDS,
        Need("accounts", "crm").where_filled(),
        Need("accounts", "billing").where_filled(),
        *PRICE_NEEDS,
    ),
    settings=(
        Setting("tags", ("trial", "beta", "goodwill"), "Grants with these tags are meant, until their end."),
        Setting("fallback_price", 0, "Price of a unit where the books hold no list price: an amount is not invented."),
        Setting("fallback_currency", "USD", "Currency where the customer's is not known."),
    ),
    absent_from=Need("contract_lines", "crm"),
    arithmetic=Arithmetic.of(
        "0", "min(granted, max(0, others + granted - contracted)) * list_price / list_months", "actual - expected"
    ),
    message=(
        "{granted} of {product_code} were active in the month from {period_start}, {contracted} are contracted: "
        "{amount} {currency} a month {basis}."
    ),
    find=find,
)
