"""What each system says of a customer: the copies of one attribute, in a form in which equal ones are equal.

Capitals, blanks and punctuation do not count, nor does what stands above an entity in the ERP's tree of subsidiaries.
Payment terms are days: «Net 30» is «30 days». A contact is known by the e-mail address. An account that
is not in use any more says nothing.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Attribute, Compared, Copy, Need
from checks.facts.customers import of_customers

ROLES = ("crm", "billing", "erp")
NEEDS = (
    Need("accounts", "crm"),
    *(Need("accounts", role).where_filled() for role in ROLES[1:]),
    *(Need("contacts", role).where_filled() for role in ROLES),
)
_GONE = ("inactive", "cancelled", "canceled", "closed")
_NOTHING = ("", "none", "null")


def copies(books: Books, attribute: Attribute) -> ir.Table:
    """One row per account of every system that holds the attribute, with what it `says` and that as `value`.

    `rank` is 0 for the system that is right, then counts the others in their order; a copy that says nothing is
    left out.
    """
    held = attribute.held(books) or attribute.copies
    first, *others = (_said(books, attribute, copy, rank) for rank, copy in enumerate(held))
    said = first.union(*others) if others else first
    said = of_customers(books, said.filter(said.says.notnull() & said.account_key.notnull()))
    said = said.mutate(value=_value(attribute, said.says))
    return said.filter(~said.value.isin(_NOTHING))


def apart(said: ir.Table, *, together: bool) -> ir.Table:
    """The copies that are not what the right system says, with its record and words (`r_system`, `r_key`, `r_says`).

    Where the right system has several accounts of a customer, a copy may be as any of them. `together`: so may the
    several accounts of another system, of which one is enough to be as the right one.
    """
    right = said.filter(said["rank"] == 0)
    other = said.filter(said["rank"] > 0).anti_join(right, ["account_key", "value"])
    if together:
        agreed = said.filter(said["rank"] > 0).semi_join(right, ["account_key", "value"])
        other = other.anti_join(agreed, ["account_key", "system"])
    place = ibis.row_number().over(group_by=right.account_key, order_by=[right.system, right.key])
    right = right.mutate(place=place).filter(lambda t: t.place == 0)
    right = right.select(
        "account_key", r_system="system", r_key="key", r_says="says", r_value="value", r_currency="currency"
    )
    return other.inner_join(right, "account_key")


def one_each(rows: ir.Table) -> ir.Table:
    """Of several copies that are apart, that of the system next in order; `others` are the rest, as evidence."""
    window = ibis.window(group_by=rows.account_key, order_by=[rows["rank"], rows.system, rows.key])
    return rows.mutate(place=ibis.row_number().over(window)).filter(lambda t: t.place == 0).drop("place")


def in_use(books: Books, role: str) -> ir.Table:
    """Accounts of a role without those that are closed."""
    account = books.table("accounts", role)
    return account.filter(~account.status.fill_null("active").isin(_GONE))


def _said(books: Books, attribute: Attribute, copy: Copy, rank: int) -> ir.Table:
    account = in_use(books, copy.role)
    says = account[copy.column] if copy.entity == "accounts" else account[f"{attribute.name}_key"]
    account = account.select("system", "key", "account_key", "currency", says=says)
    if copy.entity == "contacts":
        person = books.table("contacts", copy.role).select(
            p_system="system", p_key="key", p_says=lambda t: t[copy.column]
        )
        account = account.inner_join(person, [account.system == person.p_system, account.says == person.p_key])
        account = account.mutate(says=account.p_says)
    return account.select(
        "system", "key", "account_key", "currency", "says", rank=ibis.literal(rank), role=ibis.literal(copy.role)
    )


def _value(attribute: Attribute, says: ir.StringValue) -> ir.StringValue:
    if attribute.name.endswith("payment_terms"):
        return ibis.coalesce(days_of(says).cast("string"), folded(says))
    if attribute.right.column == "email":
        return says.strip().lower()
    if attribute.compared is Compared.FOLDED:
        return folded(says.re_replace(r"^.*: ", ""))
    return says.strip()


def folded(text: ir.StringValue) -> ir.StringValue:
    """Without capitals, blanks and punctuation."""
    return text.lower().re_replace(r"[\s\p{P}]", "")


def days_of(terms: ir.StringValue) -> ir.IntegerValue:
    """How many days payment terms grant: the last number in them, none on receipt; null where they do not say."""
    number = terms.re_extract(r"(\d+)\D*$", 1)
    at_once = terms.lower().re_search("receipt|immediate|prepa")
    return ibis.coalesce(number.nullif("").cast("int64"), at_once.ifelse(ibis.literal(0), ibis.null("int64")))
