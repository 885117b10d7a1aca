"""Credit memos against what they credit.

A memo names an invoice and no line, so it is taken to settle whichever line of it was billed too high. A memo is
never a reason to call an invoice too low.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import known_sum
from checks.contract import Need
from checks.facts import billed
from checks.rows import collected, reference, some

NEEDS = (Need("credit_memos", "billing").where_filled(), Need("credit_memos", "erp").where_filled(), *fx.NEEDS)


def with_credits(books: Books, rows: ir.Table, key: tuple[str, ...], named: ir.Table) -> ir.Table:
    """`rows` with `credited`, in their currency, and `memos` as evidence.

    `named` says which invoices belong to which row: the columns of `key`, `system`, `invoice`, and the row's
    `currency`. `credited` is null where a memo's currency has no rate into it.
    """
    memo = _given(books).rename(m_currency="currency")
    given = named.inner_join(memo, [named.system == memo.on_system, named.invoice == memo.on_invoice])
    rated = fx.with_rate(books, given, "m_currency", "currency", "memo_date")
    value = fx.converted(rated.amount, rated.rate)
    summed = rated.group_by(key).agg(
        credited=known_sum(value),
        memos=collected(rated.memo),
    )
    both = rows.left_join(summed, list(key))
    return both.mutate(
        credited=both.memos.isnull().ifelse(ibis.literal(0).cast(value.type()), both.credited),
        memos=some(both.memos),
    ).drop(*(f"{name}_right" for name in key))


def rebilled(books: Books) -> ir.Table:
    """(on_system, on_invoice, rebill): invoices that a memo took back, with the one that bills them again."""
    given = _given(books).select("on_system", "on_invoice", name="rebill_key")
    live = billed.invoices(books)
    named = live.select(i_system="system", name="key", rebill="key").union(
        live.select(i_system="system", name="number", rebill="key")
    )
    both = given.inner_join(named, [given.name == named.name, given.on_system == named.i_system])
    return both.select("on_system", "on_invoice", "rebill").distinct()


def _given(books: Books) -> ir.Table:
    """Credit memos on invoices of the billing platform: `on_system`, `on_invoice`, what it comes to, its day, and
    the invoice that bills again.

    The ERP's memos name the platform's invoice by number; they count only for invoices on which the platform
    holds no memo of its own, since both books may hold the same one.
    """
    own = _memos(books, "billing").rename(on_invoice="invoice_key", on_system="system")
    numbered = billed.invoices(books).select(on_system="system", on_invoice="key", i_number="number")
    theirs = _memos(books, "erp")
    theirs = theirs.inner_join(numbered, theirs.invoice_key == numbered.i_number).anti_join(
        own, ["on_system", "on_invoice"]
    )
    wanted = ("on_system", "on_invoice", "amount", "currency", "memo_date", "memo", "rebill_key")
    return own.select(*wanted).union(theirs.select(*wanted))


def _memos(books: Books, role: str) -> ir.Table:
    memos = books.table("credit_memos", role)
    memos = memos.filter(memos.invoice_key.notnull() & ~memos.status.fill_null("").isin(("draft", *billed.NOT_LIVE)))
    return memos.select(
        "system",
        "invoice_key",
        "amount",
        "currency",
        "memo_date",
        "rebill_key",
        memo=reference(memos.system, "credit_memos", memos.key),
    )
