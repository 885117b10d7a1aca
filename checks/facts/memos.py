"""Credit memos, each once: those of the billing platform, and those that were entered in the ERP alone.

The ERP's copy of a memo names the platform's number of it, or its key. Memos that are void or failed are left out;
drafts count. Amounts are positive and with tax.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.relation import Relation

NEEDS = (Need("credit_memos", "billing").where_filled(), Need("credit_memos", "erp").where_filled())
_NOT_LIVE = ("void", "cancelled", "canceled", "error")
_COLUMNS = (
    "system", "key", "account_key", "number", "status", "invoice_key", "contract_key", "amount", "tax", "currency",
    "memo_date", "reason", "reason_code", "approved_by", "campaign", "rebill_key", "modified_at",
)  # fmt: skip


def _memos(books: Books) -> ir.Table:
    """One row per memo, keyed by (system, key)."""
    own, copies = _live(books, "billing"), _named(books)
    theirs = _live(books, "erp")
    alone = theirs.anti_join(copies, [theirs.system == copies.c_system, theirs.key == copies.c_key])
    return own.select(*_COLUMNS).union(alone.select(*_COLUMNS))


def _known_as(books: Books) -> ir.Table:
    """(system, key) of each memo with a key or number by which documents of the ERP may name it, as `name`."""
    memo = MEMOS.table
    own = memo.select("system", "key", name="key").union(memo.select("system", "key", name="number"))
    copies = _named(books).select(system="m_system", key="m_key", name="c_key")
    named = own.union(copies)
    return named.filter(named.name.notnull()).distinct()


def _named(books: Books) -> ir.Table:
    """The ERP's copies (c_system, c_key) of the platform's memos (m_system, m_key)."""
    own = _live(books, "billing")
    by_number = own.select(m_system="system", m_key="key", m_name="number")
    by_key = own.select(m_system="system", m_key="key", m_name="key")
    copy = _live(books, "erp").select(c_system="system", c_key="key", m_name="billing_key")
    return copy.inner_join(by_number.union(by_key).distinct(), "m_name").distinct()


def _live(books: Books, role: str) -> ir.Table:
    memos = books.table("credit_memos", role)
    return memos.filter(~memos.status.fill_null("posted").isin(_NOT_LIVE))


MEMOS = Relation("credit_memos_once", _memos)
KNOWN_AS = Relation("credit_memo_names", _known_as)


def converted_to(limit_currency: str) -> ir.Table:
    """The memos with a constant column `limit_currency`, for limits that are said in one currency."""
    return MEMOS.table.mutate(limit_currency=ibis.literal(limit_currency))
