"""An amendment was activated in the CRM, and no billing schedule begins or changes because of it.

Why it matters: the customer has agreed to pay more, or less, from a certain day, and every invoice since then is
made as if nothing had happened.

Usual cause: the amendment did not reach billing, or it was applied to a version of the subscription that had
already been replaced.

How to fix: apply the amendment to the current version of the subscription, from its effective date, and bill or
credit the difference for the months that have passed.

What it is not: an amendment that changes no amount, one that takes effect later, or one whose new quantity the
schedule in force already has.
"""

from decimal import Decimal

import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, days_later, midnight, months_begun
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
from checks.facts import amended, subscribed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Activated amendments of which at least one changed line is not followed by a schedule."""
    changed = _followed(books)
    missed = changed.filter(~changed.followed)
    missed = missed.group_by(m_system="system", m_key="amendment").agg(
        yearly_change=missed.yearly.sum(),
        currency=missed.currency.max(),
        rows=collected(reference(missed.system, "contract_lines", missed.row_key)),
    )
    amendment = of_customers(books, amended.activated(books)).drop("currency")
    off = amendment.inner_join(missed, [amendment.system == missed.m_system, amendment.key == missed.m_key])
    off = off.cross_join(books.request)
    return candidates(
        off,
        "amendments",
        "effective_date",
        subject=off.key,
        evidence=listed(
            reference(off.system, "amendments", off.key), reference(off.system, "contracts", off.contract_key)
        ).concat(off.rows),
        fails_from=midnight(days_later(off.effective_date, params.whole("settle_days"))),
        known_at=off.modified_at,
        yearly_change=off.yearly_change,
        months=months_begun(off.effective_date, off.today),
    )


def _followed(books: Books) -> ir.Table:
    """Changed rows with `followed`: a schedule begins with the change, or already has the quantity after it."""
    changed = amended.ROWS.table.filter(lambda t: t.yearly != 0)
    schedule = _schedules(books)
    joined = changed.left_join(schedule, changed["at"] == schedule.of)
    begins = (joined.since >= joined.starts) & (joined.since < joined.next_change.fill_null(FOREVER))
    is_on = (joined.since <= joined.starts) & (joined.starts < joined.until)
    return joined.group_by("system", "amendment", "at", "row_key", "yearly", "currency").agg(
        followed=(begins | (is_on & (joined.quantity == joined.after))).any().fill_null(False)
        | ((joined.after.max() <= 0).fill_null(False) & ~is_on.any().fill_null(False)),
    )


def _schedules(books: Books) -> ir.Table:
    """Schedules of recurring lines, by the contract line and once more by the contract that they bill (`of`)."""
    line = subscribed.LINES.table.filter(lambda t: t.charge_type.fill_null("recurring") == "recurring")
    line = line.select(l_system="system", l_key="key", contract_line_key="contract_line_key", contract="contract_key")
    known = books.table("billing_schedules", "billing")
    known = known.inner_join(line, [known.system == line.l_system, known.subscription_line_key == line.l_key])
    known = known.mutate(since=known.start_date, until=known.end_date.fill_null(FOREVER))
    wanted = ("since", "until", "quantity")
    return known.select(*wanted, of="contract_line_key").union(known.select(*wanted, of="contract"))


CHECK = Check(
    id="amendment_without_billing_schedule",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        *amended.NEEDS,
        *subscribed.NEEDS,
        Need("billing_schedules", "billing"),
        *CUSTOMER_NEEDS,
    ),
    settings=(Setting("settle_days", 1, "Days after its effective date that an amendment may take to reach billing."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("billing_schedules", "billing"),
    arithmetic=Arithmetic.of("yearly_change * months / 12", "0"),
    message=(
        "The amendment that takes effect on {effective_date} changes the year by {yearly_change} {currency}, and no "
        "billing schedule follows it; {months} months have begun since."
    ),
    find=find,
)
