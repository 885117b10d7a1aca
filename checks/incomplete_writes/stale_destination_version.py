"""Billing works from an older version of the contract than the CRM holds.

Why it matters: whatever was changed since (terms, dates, an order number, a price) is missing from the next invoice,
and both systems say that they were written successfully.

Usual cause: the last change was not handed over, or it failed on the way and the retry was given up; sometimes two
changes crossed and the older one was written last.

How to fix: hand the contract over again, and see that the version in billing follows. Then check the drafts that were
made since.

What it is not: a contract that was saved without a change (its version stays, whatever its stamp says), clocks of two
systems that differ (stamps are not compared), a change that may still be on its way, or a version that billing is
ahead of.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
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
from checks.facts import applied_events, subscribed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Current subscriptions whose applied version of their contract is behind, with what their next invoice bills."""
    held = of_customers(books, subscribed.current(books))
    held = held.filter(~held.status.fill_null("active").isin(("draft", "cancelled", "expired")))
    contract = books.table("contracts", "crm")
    contract = contract.filter(contract.status.fill_null("activated") != "draft").select(
        c_system="system", c_key="key", c_version="version", changed_at="modified_at", title="number"
    )
    both = held.drop("currency").inner_join(contract, held.contract_key == contract.c_key)
    both = both.filter(both.source_version < both.c_version)
    worth = applied_events.next_invoices()
    both = both.left_join(worth, both.number == worth.of)
    lag = ibis.interval(hours=params.whole("lag_hours"))
    return candidates(
        both,
        "subscriptions",
        "number",
        "title",
        "source_version",
        "c_version",
        subject=both.number,
        evidence=listed(
            reference(both.system, "subscriptions", both.key), reference(both.c_system, "contracts", both.c_key)
        ),
        fails_from=(both.changed_at + lag).cast("timestamp('UTC', 6)"),
        known_at=both.changed_at,
        worth=both.worth,
    )


CHECK = Check(
    id="stale_destination_version",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.REVOPS),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*subscribed.NEEDS, Need("contracts", "crm"), *CUSTOMER_NEEDS),
    settings=(Setting("lag_hours", 24, "The hand-over runs at least once a day."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("subscriptions", "billing"),
    arithmetic=Arithmetic.of("worth / 12", "0"),
    message=(
        "Contract {title} is at version {c_version}, and subscription {number} was made from version "
        "{source_version}: the next invoice of {amount} {currency} does not know what changed."
    ),
    find=find,
)
