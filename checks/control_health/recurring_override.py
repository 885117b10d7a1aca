"""The same check was overridden for the same customer in several of its last runs.

Why it matters: an override is an exception to the rule, approved once. One that comes back every month is a term that
no contract holds, and a control that has been switched off for this customer.

Usual cause: the contract was never corrected after a verbal agreement, or the override is quicker than mending the
cause.

How to fix: write the term into the contract, or record it as an approved exception of the customer; else mend the cause
and stop overriding.

What it is not: a known term that was made an approved exception of the contract since, several requests in one run,
or overrides that lie more runs back.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, midnight
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
from checks.rows import candidates, collected, reference

APPROVED = "exception"  # the kind of an approval that makes a term of one customer known; its object is the check


def find(books: Books, params: Params) -> ir.Table:
    """Customers and checks with overrides in enough of the customer's last runs, by currency."""
    given = _counting(books, _recent(books, params.whole("runs")))
    same = ("system", "account_key", "check")
    often = _often(given, same, params.whole("times"))
    last = [given.approved_at, given.key]
    off = given.group_by(*same, "currency").agg(
        key=given.key.last(order_by=last),
        by=given.approved_by.last(order_by=last).fill_null("somebody unnamed"),
        overridden=given.amount.fill_null(0).sum().cast("decimal(38, 4)"),
        given=collected(reference(given.system, "overrides", given.key)),
    )
    off = off.inner_join(often, same)
    return candidates(
        off.mutate(unit=off.currency.fill_null("")),
        "overrides",
        "check",
        "times",
        "by",
        "unit",
        subject=off.account_key + "/" + off.check + "/" + off.currency.fill_null(""),
        evidence=off.given,
        fails_from=off.fails_from,
        overridden=off.overridden,
    )


def _often(given: ir.Table, same: tuple[str, ...], times: int) -> ir.Table:
    """Customers and checks with so many overridden runs, and the instant from which the last of these counts."""
    run = given.group_by(*same, "run").agg(counts_from=given.counts_from.min())
    whose = [run[name] for name in same]
    run = run.mutate(
        place=ibis.row_number().over(group_by=whose, order_by=[run.counts_from, run.run]),
        times=run.run.count().over(group_by=whose),
    )
    return run.filter(run.place == times - 1).select(*same, "times", fails_from="counts_from")


def _recent(books: Books, runs: int) -> ir.Table:
    """Approved overrides not older than the customer's last runs; one that names no run counts by its day."""
    given = books.table("overrides", "controls")
    given = given.filter(given.approved_at.notnull() & given.account_key.notnull() & given.check.notnull())
    given = given.mutate(run=ibis.coalesce(given.run_key, given.approved_at.strftime("%Y-%m-%d")))
    invoice = books.table("invoices", "billing").filter(lambda t: t.account_key.notnull() & t.invoice_date.notnull())
    run = ibis.coalesce(invoice.run_key, invoice.invoice_date.strftime("%Y-%m-%d"))
    billed = invoice.group_by(b_account="account_key", b_run=run).agg(day=invoice.invoice_date.min())
    place = ibis.row_number().over(group_by=billed.b_account, order_by=[billed.day.desc(), billed.b_run])
    last = billed.mutate(place=place).filter(lambda t: t.place < runs)
    since = last.group_by("b_account").agg(since=last.day.min())
    joined = given.left_join(since, given.account_key == since.b_account)
    return joined.filter((joined.approved_at.cast("date") >= joined.since).fill_null(True))


def _counting(books: Books, given: ir.Table) -> ir.Table:
    """With `counts_from`: an override of a term that was made an approved exception since counts when that ends."""
    approval = books.table("approvals", "audit").union(books.table("approvals", "crm"))
    approval = approval.filter((approval.status == "approved") & (approval.kind == APPROVED))
    approval = approval.select(
        p_account="account_key", p_check="object", decided_at="decided_at", until=approval.until_date.fill_null(FOREVER)
    )
    joined = given.inner_join(approval, [given.account_key == approval.p_account, given.check == approval.p_check])
    joined = joined.filter((joined.approved_at <= joined.decided_at).fill_null(True))
    known = joined.group_by(k_system="system", k_key="key").agg(until=joined.until.max())
    both = given.left_join(known, [given.system == known.k_system, given.key == known.k_key])
    both = both.filter((both.until < FOREVER).fill_null(True))
    return both.mutate(counts_from=ibis.coalesce(midnight(both.until), both.approved_at))


CHECK = Check(
    id="recurring_override",
    doc=__doc__,
    pattern=Pattern.CONTROL_HEALTH,
    severity=Severity.S3,
    owners=(Owner.FINANCE_OPS, Owner.REVOPS),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        Need("overrides", "controls", may_be_empty=True),
        Need("invoices", "billing").where_filled(),
        Need("approvals", "audit").where_filled(),
        Need("approvals", "crm").where_filled(),
    ),
    settings=(
        Setting("times", 3, "Once is an exception, twice may be chance; the third one is a habit."),
        Setting("runs", 6, "In how many of the customer's last runs: half a year where it is billed by the month."),
    ),
    arithmetic=Arithmetic.of("overridden", "0"),
    message="{check} was overridden in {times} of the customer's last runs, last by {by}: {amount} {unit}.",
    find=find,
)
