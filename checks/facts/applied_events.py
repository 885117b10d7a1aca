"""Events in the order in which a system applied them, with the sender's order beside it.

They come from the audit trails, one per changed field of a record, and from the amendments of the billing platform,
whose order of application is the version of the subscription that each was made to.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.contract import Need
from checks.facts import subscribed
from checks.relation import Relation

NEEDS = (Need("record_changes", "audit").where_filled(), Need("amendments", "billing").where_filled())
_COMMON = (
    "system", "entity", "key", "account_key", "thing", "at", "place", "sequence", "effective", "says", "amount",
    "currency", "modified_at",
)  # fmt: skip


def _events(books: Books) -> ir.Table:
    """One row per event whose sender numbers its events. `place` counts what happened to the same `thing`, from 0.

    `at` is the id or the number of the record that was changed, `effective` the day from which the event counts,
    `amount` what the change is worth on the next invoice, where the source reports it.
    """
    return _changes(books).union(_amendments(books))


def _changes(books: Books) -> ir.Table:
    change = books.table("record_changes", "audit")
    change = change.filter(change.sequence.notnull() & change.record_key.notnull())
    field = change.field.fill_null("")
    thing = change.object.fill_null("") + "/" + change.record_key + "/" + field
    return change.mutate(
        entity=ibis.literal("record_changes"),
        thing=thing,
        at=change.record_key,
        effective=change.effective_date,
        says=ibis.coalesce(change.field + " " + change.after, change.after, change.field, "a change"),
        place=ibis.row_number().over(group_by=[change.system, thing], order_by=[change.changed_at, change.key]),
    ).select(*_COMMON)


def _amendments(books: Books) -> ir.Table:
    version = books.table("subscriptions", "billing")
    version = version.select(v_system="system", v_key="key", number=ibis.coalesce(version.number, version.key))
    made = books.table("amendments", "billing")
    made = made.filter((made.status == "activated") & made.sequence.notnull() & made.subscription_version.notnull())
    made = made.drop("number").inner_join(
        version, [made.system == version.v_system, made.subscription_key == version.v_key]
    )
    return made.mutate(
        entity=ibis.literal("amendments"),
        thing=made.number,
        at=made.number,
        effective=made.effective_date,
        says=made.type.fill_null("an amendment"),
        amount=ibis.null("decimal(18, 4)"),
        place=ibis.row_number().over(
            group_by=[made.system, made.number], order_by=[made.subscription_version, made.key]
        ),
    ).select(*_COMMON)


EVENTS = Relation("applied_events", _events)


def next_invoices() -> ir.Table:
    """What the next invoices of recurring lines bill, for each thing that an event can name: `worth` ÷ 12.

    `of` is the id of a subscription line, of a contract or a line of it, the number or the id of a subscription, or
    an account's key.
    """
    line = subscribed.LINES.table
    line = line.filter(line.charge_type.fill_null("recurring") == "recurring")
    a_year = per_year(line.quantity, line.unit_price, line.price_months)
    line = line.mutate(worth=product(a_year, line.billing_months.cast("decimal(18, 0)")))
    names = ("key", "number", "current_key", "contract_line_key", "contract_key", "account_key")
    first, *others = (line.select("system", "key", "currency", "worth", of=line[name]) for name in names)
    named = first.union(*others, distinct=True).filter(lambda t: t.of.notnull())
    return named.group_by("of").agg(worth=named.worth.sum(), currency=named.currency.max())
