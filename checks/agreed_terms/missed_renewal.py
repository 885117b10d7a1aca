"""A term has ended, nothing renews it, and the service goes on without an invoice.

Why it matters: every day after the end is given away, and the customer learns that nothing happens when a contract
runs out.

Usual cause: nobody opened the renewal in time, it is stuck in a negotiation, or it was won and never became a contract.

How to fix: sign the renewal from the day on which the term ended and bill from there, or agree a hold-over in writing.
If the customer leaves, switch the service off and close the renewal as lost.

What it is not: a contract that holds over or renews by itself until somebody signs, one that was cancelled or followed
by another for the same product, a customer who is leaving (the renewal is lost, or at a stage that says so), seats
that nobody uses or only tries, or days after the end that are billed all the same.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.local_time import local_day
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
    line = _not_renewed(books, _ended(books), params)
    rows = _running(books, line, params.whole("quiet_days"))
    paid = billed.LINES.table.filter(lambda t: (t.amount > 0) & t.contract_line_key.notnull())
    paid = paid.group_by(p_line="contract_line_key").agg(paid_until=paid.until.max())
    rows = rows.left_join(paid, rows.base_key == paid.p_line)
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
        evidence=seen.concat(off.proofs),
        fails_from=midnight(days_later(off.ends, params.whole("grace_days"))),
        known_at=midnight(off.ends),
        yearly=off.yearly,
        days=off.days,
    )


def _ended(books: Books) -> ir.Table:
    """Recurring lines that ran to the end of a contract, with what they cost a year on their last day.

    `base_key` is the line that billing has for each.
    """
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
        "begins", "until", "quantity", "unit_price", "price_months", "base_key", r_system="system", r_own="own_key"
    )
    last = line.inner_join(row, [line.system == row.r_system, line.key == row.r_own])
    last = last.filter((last.begins < last.ends) & (last.until >= last.ends))
    yearly = per_year(last.quantity, last.unit_price, last.price_months)
    value = last.group_by(v_system="system", v_key="key").agg(yearly=yearly.sum(), base_key=last.base_key.max())
    line = line.inner_join(value, [line.system == value.v_system, line.key == value.v_key])
    return line.filter(line.yearly > 0).drop("v_system", "v_key")


def _not_renewed(books: Books, line: ir.Table, params: Params) -> ir.Table:
    """Without lines whose contract is renewed, or followed for the same product, or whose customer is leaving."""
    contract = terms.CONTRACTS.table
    renewing = contract.filter(contract.renews_key.notnull()).select(at="renews_key")
    deal = books.table("opportunities", "crm").filter(lambda t: t.renews_key.notnull())
    is_lost = (deal.is_closed & ~deal.is_won).fill_null(False)
    leaving = deal.filter(is_lost | deal.stage.fill_null("").lower().isin(params.texts("leaving_stages")))
    over = renewing.union(leaving.select(at="renews_key")).distinct()
    line = line.anti_join(over, line.contract_key == over["at"])
    later = terms.LINES.table.select(
        l_account="account_key",
        l_code="product_code",
        l_start="start_date",
        l_ends="ends_on",
        l_contract="contract_key",
    )
    follows = line.inner_join(later, [line.account_key == later.l_account, line.product_code == later.l_code])
    follows = follows.filter(
        (follows.contract_key != follows.l_contract)
        & (follows.l_start <= days_later(follows.ends, params.whole("window_days")))
        & (follows.l_ends > follows.ends)
    )
    return line.anti_join(follows.select("system", "key").distinct(), ["system", "key"])


def _running(books: Books, line: ir.Table, quiet_days: int) -> ir.Table:
    """`line` with `served_until`, the day until which the service of its contract is known to have run, and `proofs`.

    What was in use a short while ago is in use still, unless it was counted and found idle since. A line whose own
    seats were counted and found idle is left out.
    """
    count = _counted(books, line)
    used = count.union(_metered(books, line))
    seen = used.group_by("contract_key").agg(
        last_used=used.counted_until.max(where=used.in_use),
        last_idle=used.counted_until.max(where=~used.in_use),
        today=used.today.max(),
        proofs=collected(used.in_use.ifelse(used.proof, ibis.null("string"))),
    )
    seen = seen.filter(seen.last_used.notnull())
    goes_on = (seen.last_idle.isnull() | (seen.last_idle <= seen.last_used)) & (
        days(seen.last_used, seen.today) <= quiet_days
    )
    ran = seen.select(
        r_contract="contract_key", used_proofs="proofs", used_until=goes_on.ifelse(seen.today, seen.last_used)
    )
    held = _held(line)
    is_used = count.group_by("key").agg(in_use=count.in_use.any())
    line = line.anti_join(is_used.filter(~is_used.in_use), "key")
    line = line.left_join(ran, line.contract_key == ran.r_contract)
    line = line.left_join(held, line.contract_key == held.h_contract)
    served_until = ibis.greatest(line.used_until.fill_null(line.ends), line.held_until.fill_null(line.ends))
    return line.mutate(served_until=served_until, proofs=some(line.used_proofs).concat(some(line.held_proofs)))


def _counted(books: Books, line: ir.Table) -> ir.Table:
    """Months of seats after the end of their line."""
    seat = books.table("entitlements", "seats")
    seat = seat.select(
        "contract_line_key", "period_end", s_system="system", s_key="key",
        in_use=((seat.active_quantity > 0) & ~seat.is_trial.fill_null(False)).fill_null(False),
    )  # fmt: skip
    both = line.inner_join(seat, line.key == seat.contract_line_key).filter(lambda t: t.period_end > t.ends)
    return both.select(
        "contract_key", "key", "today", "in_use", counted_until=ibis.least(both.period_end, both.today),
        proof=reference(both.s_system, "entitlements", both.s_key),
    )  # fmt: skip


def _metered(books: Books, line: ir.Table) -> ir.Table:
    """The last event of each contract's subscription after its end."""
    held = subscribed.LINES.table.filter(lambda t: t.contract_key.notnull())
    held = held.select("number", "timezone", h_contract="contract_key").distinct()
    ended = line.group_by("contract_key").agg(key=line.key.min(), ends=line.ends.max(), today=line.today.max())
    held = ended.inner_join(held, ended.contract_key == held.h_contract)
    event = books.table("usage_events", "usage")
    event = event.filter(
        (event.quantity > 0) & ~event.is_test.fill_null(False) & ~event.is_heartbeat.fill_null(False)
    ).select("happened_at", e_system="system", e_key="key", e_number="subscription_number")
    both = held.inner_join(event, held.number == event.e_number)
    both = both.mutate(day=local_day(both.happened_at, both.timezone)).filter(lambda t: t.day >= t.ends)
    order = [both.happened_at.desc(), both.e_key]
    last = both.mutate(place=ibis.row_number().over(group_by=both.contract_key, order_by=order))
    last = last.filter(last.place == 0)
    return last.select(
        "contract_key", "key", "today", in_use=ibis.literal(True), counted_until=days_later(last.day, 1),
        proof=reference(last.e_system, "usage_events", last.e_key),
    )  # fmt: skip


def _held(line: ir.Table) -> ir.Table:
    """Contracts whose subscription is active in billing beyond their end, and until when it has been."""
    held = subscribed.LINES.table
    b_ends = ibis.least(*(held[name].fill_null(FOREVER) for name in ("end_date", "term_end", "cancelled_date")))
    held = held.filter(held.status.fill_null("active") == "active")
    held = held.select("contract_line_key", b_ends=b_ends, b_system="system", b_key="key")
    both = line.inner_join(held, line.key == held.contract_line_key).filter(lambda t: t.b_ends > t.ends)
    return both.group_by(h_contract="contract_key").agg(
        held_until=ibis.least(both.b_ends.max(), both.today.max()),
        held_proofs=collected(reference(both.b_system, "subscription_lines", both.b_key)),
    )


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
        Need("usage_events", "usage").where_filled(),
        Need("opportunities", "crm").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("grace_days", 5, "A renewal is often signed in the first days of the next term, back to its start."),
        Setting("quiet_days", 35, "Seats are counted by the month: what was in use then is, until the next count."),
        Setting(
            "leaving_stages",
            ("closed lost", "churned", "churn in progress", "notice given"),
            "Stages of a renewal, in small letters, at which the customer is leaving: what still runs is wound down.",
        ),
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
