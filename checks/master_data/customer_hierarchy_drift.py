"""A customer belongs to another parent in one system than in the system that knows who owns whom.

Why it matters: discounts of a group, credit limits, and the account to which a group's invoices go follow the parent.
A wrong one routes invoices to a company that does not owe them.

Usual cause: a merger or a sale that was entered in the CRM alone, or a parent that was guessed when the ERP's customer
was made.

How to fix: set the parent in the system that differs to the one that owns the customer. Where another company only
pays, say so in the field for the payer, and leave the legal parent.

What it is not: a parent that pays for the customer without owning it, which billing and the ERP keep as parent to
invoice it together; no parent in billing, which means that the customer pays for itself.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
)
from checks.facts import customer_copies, next_invoices
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

_ALONE = "no parent"


def find(books: Books, params: Params) -> ir.Table:
    """One row per customer whose parent differs, of the first system that has it otherwise."""
    said = _parents(books, params)
    right = said.filter(said["rank"] == 0)
    place = ibis.row_number().over(group_by=right.account_key, order_by=[right.system, right.key])
    right = right.mutate(place=place).filter(lambda t: t.place == 0)
    right = right.select("account_key", r_system="system", r_key="key", r_parent="parent")
    other = said.filter((said["rank"] > 0) & ((said.parent != _ALONE) | said.role.isin(params.texts("complete"))))
    off = other.inner_join(right, "account_key").filter(lambda t: t.parent != t.r_parent)
    payer = _payers(books)
    off = off.anti_join(payer, [off.account_key == payer.account_key, off.parent == payer.payer])
    off = customer_copies.one_each(off)
    bill = next_invoices.first()
    off = off.left_join(bill, off.account_key == bill.b_account_key)
    worth = {name: off[f"b_{name}"].fill_null(1 if name == "cut_of" else 0) for name in next_invoices.TERMS}
    off = off.mutate(currency=ibis.coalesce(off.b_currency, off.currency))
    return candidates(
        off,
        "accounts",
        "parent",
        "r_parent",
        "r_system",
        subject=off.account_key + "/" + off.role,
        evidence=listed(
            reference(off.system, "accounts", off.key),
            reference(off.r_system, "accounts", off.r_key),
            reference(off.system, "accounts", off.parent_key),
            off.b_source,
        ),
        **worth,
    )


def _parents(books: Books, params: Params) -> ir.Table:
    """One row per account and system: the `parent` as a customer, else «no parent»."""
    attribute = params.attribute("parent_account")
    held = attribute.held(books) or attribute.copies
    first, *others = (_of_role(books, copy.role, rank) for rank, copy in enumerate(held))
    return of_customers(books, first.union(*others) if others else first)


def _of_role(books: Books, role: str, rank: int) -> ir.Table:
    account = customer_copies.in_use(books, role)
    account = account.filter(account.account_key.notnull())
    parent = books.table("accounts", role).select(p_system="system", p_key="key", p_account="account_key")
    account = account.left_join(parent, [account.system == parent.p_system, account.parent_key == parent.p_key])
    return account.select(
        "system",
        "key",
        "account_key",
        "currency",
        parent_key=account.p_key,
        parent=ibis.coalesce(account.p_account, account.parent_key, ibis.literal(_ALONE)),
        rank=ibis.literal(rank),
        role=ibis.literal(role),
    )


def _payers(books: Books) -> ir.Table:
    """Which customers pay for which, as any system says."""
    every = [books.table("accounts", role) for role in customer_copies.ROLES]
    account = every[0].union(*every[1:])
    payer = account.select(p_system="system", p_key="key", payer="account_key")
    owned = account.filter(account.invoice_owner_key.notnull())
    paid = owned.inner_join(payer, [owned.system == payer.p_system, owned.invoice_owner_key == payer.p_key])
    return paid.select("account_key", "payer").distinct()


CHECK = Check(
    id="customer_hierarchy_drift",
    doc=__doc__,
    pattern=Pattern.MASTER_DATA,
    severity=Severity.S3,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*customer_copies.NEEDS[:3], *(need.where_filled() for need in next_invoices.NEEDS)),
    settings=(
        Setting(
            "complete",
            ("crm", "erp"),
            "Roles in which no parent means that there is none. Billing only knows who else pays.",
        ),
    ),
    arithmetic=Arithmetic.of(next_invoices.WORTH, "0"),
    message=(
        "{system} has {parent} above the customer, {r_system} has {r_parent}: {amount} {currency} of the next invoice "
        "goes by it."
    ),
    find=find,
)
