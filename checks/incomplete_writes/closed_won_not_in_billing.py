"""An opportunity was won, and billing has no subscription for it.

Why it matters: the customer has signed and is being served, and no invoice will ever be made. Every day of the
term that passes is revenue that nobody has asked for.

Usual cause: the hand-over from the CRM to billing failed or was never started, often because the contract was not
activated or a required field was empty.

How to fix: find the contract of the opportunity, hand it over to billing again, and bill the days that have
passed on a supplementary invoice. If the deal must not be billed, say so on the opportunity.

What it is not: a pilot or a deal worth nothing, an amendment or renewal of a contract that billing already has, a
contract whose lines are all free or not billable, one that starts later than it was won, or a deal that is still
within the days that the hand-over may take.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import days, days_later, midnight, working_days_later
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
    """Won opportunities with an amount, less those whose contract has a subscription or nothing to bill."""
    won = books.table("opportunities", "crm")
    won = won.filter(won.is_won & (won.amount > 0) & ~won.type.fill_null("").isin(params.texts("free_types")))
    linked = _contracts_of(books, won)
    in_billing = subscribed.current(books).filter(lambda t: t.status.fill_null("active") != "draft")
    done = linked.semi_join(in_billing, "contract_key")
    open_ = of_customers(books, won).anti_join(done, [won.system == done.o_system, won.key == done.o_key])
    rows = _with_term(open_, linked).cross_join(books.request)
    rows = rows.filter(rows.billable.fill_null(True))
    starts = rows.starts.fill_null(rows.close_date)
    due = days_later(working_days_later(rows.close_date, params.whole("grace_days")), 1)
    term = rows.ends.notnull().ifelse(days(starts, rows.ends), params.whole("open_term_days"))
    return candidates(
        rows,
        "opportunities",
        "name",
        "close_date",
        subject=rows.key,
        evidence=listed(
            reference(rows.system, "opportunities", rows.key), reference(rows.system, "contracts", rows.contract)
        ),
        fails_from=midnight(ibis.greatest(due, starts)),
        known_at=rows.modified_at,
        booked=rows.amount,
        elapsed_days=ibis.greatest(ibis.least(days(starts, rows.today), term), 0),
        term_days=term,
    )


def _contracts_of(books: Books, won: ir.Table) -> ir.Table:
    """(o_system, o_key, contract_key): the contract that each became or amended, and those that replaced it."""
    contract = books.table("contracts", "crm")
    quote = books.table("quotes", "crm")
    quote = quote.filter(quote.type.fill_null("").lower() == "amendment")
    linked = (
        won.select(o_system="system", o_key="key", contract_key="contract_key")
        .union(contract.select(o_system="system", o_key="opportunity_key", contract_key="key"))
        .union(quote.select(o_system="system", o_key="opportunity_key", contract_key="contract_key"))
    )
    later = contract.select(n_system="system", amends="amends_key", replaced_by="key")
    replaced = linked.inner_join(later, [linked.o_system == later.n_system, linked.contract_key == later.amends])
    return linked.union(replaced.select("o_system", "o_key", contract_key="replaced_by")).distinct()


def _with_term(won: ir.Table, linked: ir.Table) -> ir.Table:
    """The opportunities with the term of their contract, and whether any line of it is billed."""
    line = terms.LINES.table
    worth = line.billable & (product(line.quantity.fill_null(1), line.unit_price) != 0)
    sold = line.group_by(l_system="system", l_contract="contract_key").agg(billable=worth.any())
    contract = terms.CONTRACTS.table.select(k_system="system", k_key="key", k_start="start_date", k_end="end_date")
    known = linked.inner_join(contract, [linked.o_system == contract.k_system, linked.contract_key == contract.k_key])
    known = known.left_join(sold, [known.o_system == sold.l_system, known.contract_key == sold.l_contract])
    term = known.group_by(t_system="o_system", t_key="o_key").agg(
        starts=known.k_start.min(),
        ends=known.k_end.max(),
        contract=known.contract_key.min(),
        billable=known.billable.any(),
    )
    return won.left_join(term, [won.system == term.t_system, won.key == term.t_key])


CHECK = Check(
    id="closed_won_not_in_billing",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S1,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        Need("opportunities", "crm"),
        Need("subscriptions", "billing"),
        Need("contracts", "crm").where_filled(),
        Need("contract_lines", "crm").where_filled(),
        Need("quotes", "crm").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("grace_days", 2, "Weekdays that the hand-over to billing may take after the deal was won."),
        Setting("free_types", ("Pilot",), "Types of opportunity that are given away."),
        Setting("open_term_days", 365, "How many days an amount covers where the contract has no end: a year."),
    ),
    absent_from=Need("subscriptions", "billing"),
    arithmetic=Arithmetic.of("booked * elapsed_days / term_days", "0"),
    message=(
        "{name} was won on {close_date} for {booked} {currency} and billing has no subscription for it; "
        "{elapsed_days} of {term_days} days have passed unbilled."
    ),
    find=find,
)
