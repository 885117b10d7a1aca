"""A line is billed at another rate than the price that holds for it, and no exception explains the difference.

Why it matters: a rate that is a little off is off in every period and for every unit. It is small on each invoice and
large over a term, in either direction.

Usual cause: the rate was typed into billing by hand, the price list was raised in one system only, or usage is still
rated at the price of an earlier contract.

How to fix: set the rate in billing to the price in force and settle the periods that were billed. Where the customer
was promised the rate, record it as an approved exception with an end.

What it is not: a price of the contract that differs from the price list, since the contract goes before its list; a
price that an amendment changed; an exception that was approved; or prices in tiers, which usage_vs_invoice_mismatch
rates again. Recurring lines whose contract states the price are left to contract_terms_vs_billing.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import FOREVER
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
from checks.facts import approved, billed, terms
from checks.rows import candidates, listed, reference

_TIERED = ("tier", "volume", "overage", "package", "graduated")


def find(books: Books, params: Params) -> ir.Table:
    """Lines whose unit price is not the one that goes first: contract as amended, approved exception, price list."""
    line = _lines(books)
    line = _by_list(books, _by_exception(books, _by_contract(books, line)))
    price = ibis.coalesce(line.agreed_price, line.excepted_price, line.card_price)
    months = ibis.coalesce(
        line.agreed_price.notnull().ifelse(line.agreed_months, ibis.null("int64")), line.charged_months, 1
    )
    line = line.mutate(price=price, months=line.card_is_used.ifelse(line.card_months, months))
    charged = product(line.unit_price, line.months.cast("decimal(18, 0)"))
    due = product(line.price, line.charged_months.cast("decimal(18, 0)"))
    apart = (charged - due).abs()
    off = line.mutate(apart=apart, due=due).filter((apart > 0) & line.price.notnull())
    share = ibis.literal(params.decimal("block_over")).cast("decimal(24, 8)")
    is_large = off.apart > product(off.due, share)
    source = ibis.cases(
        (off.agreed_price.notnull(), "the contract"),
        (off.excepted_price.notnull(), "an approved exception"),
        else_="the price list",
    )
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        subject=ibis.coalesce(off.line_of, off.contract_line_key, off.product_code),
        period=(off.since, off.until),
        evidence=listed(
            reference(off.system, "invoice_lines", off.key),
            reference(off.agreed_system, "contract_lines", off.agreed_row),
            reference(off.card_system, "prices", off.card_key),
        ),
        invoice=off.invoice_key,
        line=off.key,
        mode=is_large.ifelse(Mode.BLOCK.value, Mode.WARN.value),
        source=source,
        billed=off.amount,
        charged=off.unit_price,
        charged_months=off.charged_months,
        price=off.price,
        price_months=off.months,
    )


def _lines(books: Books) -> ir.Table:
    """Priced lines of live invoices; tiers, and recurring lines with a price in the contract, left out."""
    line = billed.LINES.table
    line = line.filter((line.amount > 0) & (line.unit_price > 0) & line.kind.isin(_KINDS) & line.bills.notnull())
    sold = books.table("subscription_lines", "billing").select("model", z_system="system", z_key="key")
    line = line.left_join(sold, [line.system == sold.z_system, line.line_of == sold.z_key])
    model = line.model.fill_null("").lower()
    tiered = ibis.or_(*(model.contains(word) for word in _TIERED))
    return line.filter(~tiered).mutate(charged_months=line.s_price_months.fill_null(1))


_KINDS = ("recurring", "one_time", "usage", "overage")


def _by_contract(books: Books, line: ir.Table) -> ir.Table:
    """With the price of the contract on the first day of the line: that of the latest change that states one."""
    known = terms.LINES.table.select(
        k_key="key", k_charge="charge_type", k_price="unit_price", k_over="overage_price", k_currency="currency"
    )
    joined = line.left_join(known, line.contract_line_key == known.k_key)
    is_overage = (joined.k_charge == "recurring") & joined.kind.isin(("usage", "overage"))
    left_to_terms = (joined.kind == "recurring") & joined.k_price.notnull()
    other_currency = (joined.k_currency != joined.currency).fill_null(False)
    unknown_overage = is_overage & joined.k_over.isnull()
    joined = joined.mutate(is_overage=is_overage.fill_null(False))
    joined = joined.filter(~(left_to_terms | other_currency | unknown_overage).fill_null(False))
    row = books.table("contract_lines", "crm")
    row = row.filter(row.unit_price.notnull()).select(
        base=ibis.coalesce(row.revises_key, row.key), r_system="system", r_key="key", r_price="unit_price",
        r_months=row.price_months.fill_null(1), r_start=row.start_date.fill_null(ibis.date(1900, 1, 1)),
    )  # fmt: skip
    said = joined.select("system", "key", "contract_line_key", "since")
    said = said.inner_join(row, said.contract_line_key == row.base).filter(lambda t: t.r_start <= t.since)
    newest = ibis.row_number().over(group_by=[said.system, said.key], order_by=[said.r_start.desc(), said.r_key.desc()])
    said = said.mutate(newest=newest).filter(lambda t: t.newest == 0)
    said = said.select("r_system", "r_key", "r_price", "r_months", q_system="system", q_key="key")
    joined = joined.left_join(said, [joined.system == said.q_system, joined.key == said.q_key])
    return joined.mutate(
        agreed_price=joined.is_overage.ifelse(joined.k_over, joined.r_price),
        agreed_months=joined.is_overage.ifelse(1, joined.r_months),
        agreed_system=joined.r_system,
        agreed_row=joined.r_key,
    )


def _by_exception(books: Books, line: ir.Table) -> ir.Table:
    """With a price that somebody approved for the contract line, where the contract states none."""
    given = approved.approvals(books, "price").filter(lambda t: t.unit_price.notnull())
    given = given.select("record_key", "until_date", a_key="key", x_price="unit_price")
    said = line.select("system", "key", "contract_line_key", "line_of", "since")
    parts = [said.inner_join(given, said[at] == given.record_key) for at in ("contract_line_key", "line_of")]
    wanted = ("system", "key", "since", "until_date", "a_key", "x_price")
    both = parts[0].select(*wanted).union(parts[1].select(*wanted))
    both = both.filter(both.until_date.isnull() | (both.until_date > both.since))
    newest = ibis.row_number().over(group_by=[both.system, both.key], order_by=[both.a_key.desc()])
    one = both.mutate(newest=newest).filter(lambda t: t.newest == 0)
    one = one.select(e_system="system", e_key="key", excepted_price="x_price")
    return line.left_join(one, [line.system == one.e_system, line.key == one.e_key])


def _by_list(books: Books, line: ir.Table) -> ir.Table:
    """With the price of the list in the line's currency on its first day, where nothing else holds."""
    card = books.table("prices", "crm")
    card = card.filter(card.product_code.notnull() & card.unit_price.notnull())
    tiered = ibis.or_(*(card.model.fill_null("").lower().contains(word) for word in _TIERED))
    card = card.filter(~tiered).select(
        c_code="product_code", c_currency="currency", card_price="unit_price", card_system="system", card_key="key",
        card_months=card.price_months.fill_null(1), c_start=card.start_date.fill_null(ibis.date(1900, 1, 1)),
        c_end=card.end_date.fill_null(FOREVER),
    )  # fmt: skip
    is_open = line.agreed_price.isnull() & line.excepted_price.isnull()
    said = line.filter(is_open).select("system", "key", "product_code", "currency", "since")
    said = said.inner_join(card, [said.product_code == card.c_code, said.currency == card.c_currency])
    said = said.filter((said.c_start <= said.since) & (said.since < said.c_end))
    newest = ibis.row_number().over(
        group_by=[said.system, said.key], order_by=[said.c_start.desc(), said.card_key.desc()]
    )
    said = said.mutate(newest=newest).filter(lambda t: t.newest == 0)
    said = said.select("card_price", "card_months", "card_system", "card_key", d_system="system", d_key="key")
    joined = line.left_join(said, [line.system == said.d_system, line.key == said.d_key])
    return joined.mutate(card_is_used=joined.card_price.notnull())


CHECK = Check(
    id="pricing_drift",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    may_block=True,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        Need("prices", "crm").where_filled(),
        *approved.NEEDS,
    ),
    settings=(
        Setting("block_over", Decimal("0.05"), "A rate more than a twentieth off is no rounding; the invoice waits."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("billed * price * charged_months / (charged * price_months)", "billed"),
    message=(
        "Invoice {number} bills {product_code} at {charged} {currency} from {period_start} on; by {source} it is "
        "{price}: {actual} instead of {expected}."
    ),
    find=find,
)
