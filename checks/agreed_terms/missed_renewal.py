"""A term has ended, nothing renews it, and the service goes on without an invoice.

Why it matters: every day after the end is given away, and the customer learns that nothing happens when a contract
runs out.

Usual cause: nobody opened the renewal in time, it is stuck in a negotiation, or it was won and never became a contract.

How to fix: sign the renewal from the day on which the term ended and bill from there, or agree a hold-over in writing.
If the customer leaves, switch the service off and close the renewal as lost.

What it is not: a contract that holds over or renews by itself until somebody signs, one that was cancelled or followed
by another for the same product, a customer who is leaving and whose renewal is closed as lost, or days after the end
that are billed all the same.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.periods import FOREVER, days, days_later, midnight
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
from checks.facts import billed, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Recurring lines of contracts that have ended, with service after the end and no invoice for it."""
    line = _ended(books)
    line = _not_renewed(books, line, params.whole("window_days"))
    served = _served(books, line)
    rows = line.inner_join(served, "key")
    paid = billed.LINES.table.filter(lambda t: (t.amount > 0) & t.contract_line_key.notnull())
    paid = paid.group_by("contract_line_key").agg(paid_until=paid.until.max())
    rows = rows.left_join(paid, rows.key == paid.contract_line_key).drop("contract_line_key")
    since = ibis.greatest(rows.ends, rows.paid_until.fill_null(rows.ends))
    rows = rows.mutate(days=days(since, rows.served_until))
    off = rows.filter(rows.days > 0)
    seen = listed(
        reference(off.system, "contract_lines", off.key), reference(off.system, "contracts", off.contract_key)
    )
    return candidates(
        off,
        "contract_lines",
        "number",
        "product_code",
        "ends",
        subject=off.key,
        period=(off.ends, ibis.null("date")),
        evidence=seen.concat(some(off.proofs)),
        fails_from=midnight(days_later(off.ends, params.whole("grace_days"))),
        known_at=midnight(off.ends),
        yearly=off.yearly,
        days=off.days,
    )


def _ended(books: Books) -> ir.Table:
    """Recurring lines that ran to the end of a contract, with what their last day cost a year; rows net of changes."""
    contract = books.table("contracts", "crm").select("number", n_system="system", n_key="key", said_end="end_date")
    kept = terms.CONTRACTS.table
    kept = kept.filter(
        ~kept.holds_over
        & ~kept.auto_renews.fill_null(False)
        & kept.cancelled_date.isnull()
        & kept.status.fill_null("activated").isin(("activated", "expired"))
    ).select(k_system="system", k_key="key", ends="ends_on", renewed_at="end_date")
    line = terms.LINES.table
    line = of_customers(books, line.filter(line.billable & (line.charge_type == "recurring")))
    line = line.inner_join(kept, [line.system == kept.k_system, line.contract_key == kept.k_key])
    line = line.filter((line.ends == line.renewed_at) & (line.ends_on >= line.ends) & (line.cancelled_on >= line.ends))
    line = line.cross_join(books.request.select("today")).filter(lambda t: t.ends <= t.today)
    line = line.inner_join(contract, [line.system == contract.n_system, line.contract_key == contract.n_key])
    line = line.select(
        "system", "key", "account_key", "contract_key", "number", "product_code", "currency", "ends", "today"
    )
    row = terms.PRICED.table.select(
        "begins", "until", "quantity", "unit_price", "price_months", r_system="system", r_own="own_key"
    )
    last = line.inner_join(row, [line.system == row.r_system, line.key == row.r_own])
    last = last.filter((last.begins < last.ends) & (last.until >= last.ends))
    yearly = per_year(last.quantity, last.unit_price, last.price_months)
    value = last.group_by(v_system="system", v_key="key").agg(yearly=yearly.sum())
    line = line.inner_join(value, [line.system == value.v_system, line.key == value.v_key])
    return line.filter(line.yearly > 0).drop("v_system", "v_key")


def _not_renewed(books: Books, line: ir.Table, window: int) -> ir.Table:
    """Without lines whose contract is renewed, replaced, followed for the same product, or lost for good."""
    contract = terms.CONTRACTS.table
    renewing = contract.filter(contract.renews_key.notnull()).select(at="renews_key")
    deal = books.table("opportunities", "crm")
    lost = deal.filter(deal.is_closed & ~deal.is_won.fill_null(False) & deal.renews_key.notnull())
    over = renewing.union(lost.select(at="renews_key"))
    line = line.anti_join(over, line.contract_key == over["at"])
    later = terms.LINES.table.select(
        l_account="account_key",
        l_code="product_code",
        l_start="start_date",
        l_ends="ends_on",
        l_contract="contract_key",
    )
    follows = [
        line.account_key == later.l_account,
        line.product_code == later.l_code,
        line.contract_key != later.l_contract,
        later.l_start <= days_later(line.ends, window),
        later.l_ends > line.ends,
    ]
    return line.anti_join(later, follows)


def _served(books: Books, line: ir.Table) -> ir.Table:
    """Per line until when the service is known to have run, and what proves it: seats in use, or billing itself."""
    seat = books.table("entitlements", "seats")
    seat = seat.filter(~seat.is_trial.fill_null(False) & (seat.active_quantity > 0))
    seat = seat.select("contract_line_key", "period_end", s_system="system", s_key="key")
    used = line.inner_join(seat, line.key == seat.contract_line_key).filter(lambda t: t.period_end > t.ends)
    used = used.select(
        "key",
        runs_until=ibis.least(used.period_end, used.today),
        proof=reference(used.s_system, "entitlements", used.s_key),
    )
    held = subscribed.LINES.table.select(
        "contract_line_key", "status", b_system="system", b_key="key",
        b_ends=lambda t: ibis.least(
            t.end_date.fill_null(FOREVER), t.term_end.fill_null(FOREVER), t.cancelled_date.fill_null(FOREVER)
        ),
    )  # fmt: skip
    running = line.inner_join(held, line.key == held.contract_line_key)
    running = running.filter((running.status.fill_null("active") == "active") & (running.b_ends > running.ends))
    running = running.select(
        "key",
        runs_until=ibis.least(running.b_ends, running.today),
        proof=reference(running.b_system, "subscription_lines", running.b_key),
    )
    both = used.union(running)
    return both.group_by("key").agg(served_until=both.runs_until.max(), proofs=collected(both.proof))


CHECK = Check(
    id="missed_renewal",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S1,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        *terms.NEEDS,
        *(need.where_filled() for need in billed.NEEDS),
        Need("entitlements", "seats").where_filled(),
        Need("opportunities", "crm").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("grace_days", 5, "A renewal is often signed in the first days of the next term, back to its start."),
        Setting("window_days", 31, "A contract for the same product that begins within a month follows on the last."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing").where_filled(),
    arithmetic=Arithmetic.of("yearly * days / 365", "0"),
    message=(
        "Contract {number} ended on {ends} and nothing renews it; {product_code} has run for {days} days since without "
        "an invoice, {amount} {currency}."
    ),
    find=find,
)
