"""A record that was carried over from the old billing system is not what it was there.

Why it matters: what a migration gets wrong is billed wrong from the first day, for every customer that it touched, and
nobody compares again once the old system is switched off.

Usual cause: a line that the export left out, a price that was rounded or converted, a term that the import set to its
default, or a parent that was imported after its children.

How to fix: correct the record in billing and bill or credit the difference since the cut-over. Where the change was
intended, enter the expected change of the monthly amount in the crosswalk, and have somebody sign it.

What it is not: a restructuring that somebody signed, whose change of the amount is the expected one; a contract that
was amended after the cut-over; a parent that only pays.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import FOREVER, days_later, months_begun
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
from checks.facts import carried_over
from checks.rows import candidates, collected, listed, reference, some

_SUB = ("system", "of")
_WIDE = "decimal(38, 9)"


def find(books: Books, params: Params) -> ir.Table:
    """Old subscriptions of which something differs, and old customers whose parent got lost."""
    return _subscriptions(books, params).union(_customers(books, params))


def _subscriptions(books: Books, params: Params) -> ir.Table:
    off = _compared(books)
    n = off.lines.fill_null(0)
    rounding = half_unit(off.currency).cast(_WIDE) * 12 * ibis.greatest(n, 1)
    apart = (off.legacy_year + off.signed_year - off.current_year).abs() > rounding
    lost = off.lost.fill_null(0)
    texts = [
        ((lost > 0) & ~off.signed, lost.cast("string") + " of " + n.cast("string") + " lines missing"),
        (apart, ibis.literal("monthly amount")),
        (off.other_price.fill_null(False) & ~off.signed, ibis.literal("price")),
        (off.other_end & ~off.signed, ibis.literal("end of the term")),
    ]
    said = ibis.array([wrong.fill_null(False).ifelse(text, ibis.null("string")) for wrong, text in texts])
    off = off.mutate(differs=said.filter(lambda text: text.notnull()).join(", ")).filter(lambda t: t.differs != "")
    last = days_later(off.end_date, -1)
    months = off.end_date.isnull().ifelse(params.whole("open_term_months"), months_begun(off.cutover, last))
    off = off.mutate(key=off.of, mode=_mode(params, off.cutover))
    return candidates(
        off,
        "legacy_subscriptions",
        "differs",
        "mode",
        subject=off.key,
        evidence=listed(
            reference(off.system, "legacy_subscriptions", off.key),
            reference(off.t_system, "subscriptions", off.t_key),
        )
        .concat(some(off.old_lines))
        .concat(some(off.new_lines)),
        # Only a missing line claims that something is absent.
        known_at=(lost > 0).ifelse(off.modified_at, ibis.null(off.modified_at.type())),
        legacy_year=off.legacy_year,
        signed_year=off.signed_year,
        current_year=off.current_year,
        months=months.cast("int64"),
    )


def _compared(books: Books) -> ir.Table:
    """Old subscriptions with what a year of them came to, what was signed, and what billing has for them."""
    line, pair = carried_over.lines(books), carried_over.pairs(books)
    found = pair.select("system", "key").distinct().mutate(found=True)
    line = line.left_join(found, ["system", "key"]).drop("system_right", "key_right")
    old = line.group_by("system", of="subscription_key").agg(
        lines=line.key.nunique(),
        lost=(line.found.isnull() & ~line.signed).ifelse(1, 0).sum(),
        lines_year=line.yearly.sum().cast(_WIDE),
        lines_signed=line.signed_yearly.sum().cast(_WIDE),
        old_lines=collected(reference(line.system, "legacy_subscription_lines", line.key)),
    )
    once = pair.select(*_SUB, "b_system", "b_key", "b_yearly").distinct()
    new = once.group_by(*_SUB).agg(
        new_year=once.b_yearly.sum().cast(_WIDE),
        new_lines=collected(reference(once.b_system, "subscription_lines", once.b_key)),
    )
    sub = carried_over.subscriptions(books).mutate(of=lambda t: t.key).drop("key")
    for part in (old, new, _other_prices(line, pair)):
        sub = sub.left_join(part, list(_SUB)).drop("system_right", "of_right")
    target = books.table("subscriptions", "billing").select(
        t_system="system", t_key="key", t_end="end_date", t_cancelled="cancelled_date"
    )
    sub = sub.left_join(target, sub.successor_key == target.t_key)
    nothing = ibis.literal(0).cast(_WIDE)
    legacy = ibis.coalesce(carried_over.yearly(sub.monthly_amount).cast(_WIDE), sub.lines_year, nothing)
    own = carried_over.yearly(sub.signed.ifelse(sub.expected_delta.fill_null(0), 0)).cast(_WIDE)
    as_it_was = (sub.lines.isnull() & sub.t_key.notnull()).ifelse(legacy + own, nothing)
    is_kept = sub.t_end.fill_null(FOREVER) == sub.end_date.fill_null(FOREVER)
    return sub.mutate(
        legacy_year=legacy,
        signed_year=own + sub.lines_signed.fill_null(0),
        current_year=ibis.coalesce(sub.new_year, as_it_was),
        other_end=sub.t_key.notnull() & sub.t_cancelled.isnull() & ~is_kept,
    )


def _other_prices(line: ir.Table, pair: ir.Table) -> ir.Table:
    """Old subscriptions with a line that one line bills now, and bills at another price."""
    alone = pair.group_by("system", "key").agg(
        of=pair.of.max(), price=pair.b_price.max(), months=pair.b_months.max(), n=pair.b_key.nunique()
    )
    sharing = pair.group_by(*_SUB, "b_key").agg(shared=pair.key.nunique()).filter(lambda t: t.shared > 1)
    shared = pair.semi_join(sharing, [*_SUB, "b_key"]).select("system", "key").distinct()
    alone = alone.filter(alone.n == 1).anti_join(shared, ["system", "key"]).drop("n")
    was = line.select("system", "key", "unit_price", "price_months", unsigned=~line.signed)
    both = alone.inner_join(was, ["system", "key"])
    wide = "decimal(38, 8)"
    differs = both.unit_price.cast(wide) * both.months != both.price.cast(wide) * both.price_months
    return both.filter(both.unsigned & differs).select(*_SUB).distinct().mutate(other_price=True)


def _customers(books: Books, params: Params) -> ir.Table:
    """Old customers whose parent is not above them any more: neither as owner nor as payer."""
    old = books.table("legacy_accounts", "legacy")
    parent = old.select(p_system="system", p_key="key", p_account="account_key", p_successor="successor_key")
    old = old.filter(old.parent_key.notnull())
    child = old.inner_join(parent, [old.system == parent.p_system, old.parent_key == parent.p_key])
    new = books.table("accounts", "billing")
    above = new.select(a_system="system", a_key="key", a_account="account_key")
    new = new.left_join(above, [new.system == above.a_system, new.parent_key == above.a_key])
    new = new.select(n_system="system", n_key="key", n_parent="parent_key", n_parent_account="a_account")
    child = child.inner_join(new, child.successor_key == new.n_key)
    is_kept = (child.n_parent == child.p_successor).fill_null(False)
    is_kept |= (child.n_parent_account == child.p_account).fill_null(False)
    moved = books.table("accounts", "crm")
    owner = moved.select(o_system="system", o_key="key", o_account="account_key")
    moved = moved.inner_join(owner, [moved.system == owner.o_system, moved.parent_key == owner.o_key])
    moved = moved.select(m_account="account_key", m_parent="o_account").distinct()
    off = child.filter(~is_kept)
    # Sold to another group since: the CRM agrees with billing.
    off = off.anti_join(moved, [off.account_key == moved.m_account, off.n_parent_account == moved.m_parent])
    cutover = days_later(off.snapshot_date, 1)
    off = off.mutate(differs=ibis.literal("parent"), mode=_mode(params, cutover))
    nothing = ibis.literal(0).cast(_WIDE)
    return candidates(
        off,
        "legacy_accounts",
        "differs",
        "mode",
        subject=off.key,
        evidence=listed(
            reference(off.system, "legacy_accounts", off.key),
            reference(off.system, "legacy_accounts", off.p_key),
            reference(off.n_system, "accounts", off.n_key),
        ),
        legacy_year=nothing,
        signed_year=nothing,
        current_year=nothing,
        months=ibis.literal(0).cast("int64"),
    )


def _mode(params: Params, cutover: ir.DateValue) -> ir.StringValue:
    """A migration that was signed off as a whole does not stop invoices any more."""
    signed_off = params.text("signed_off")
    if not signed_off:
        return ibis.literal(str(Mode.BLOCK))
    return (cutover <= ibis.date(signed_off)).ifelse(str(Mode.WARN), str(Mode.BLOCK))


CHECK = Check(
    id="migration_carryover_defect",
    doc=__doc__,
    pattern=Pattern.MIGRATION,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *carried_over.NEEDS,
        Need("legacy_accounts", "legacy").where_filled(),
        Need("accounts", "crm").where_filled(),
    ),
    settings=(
        Setting("open_term_months", 12, "Months at stake where the old subscription had no end: a year."),
        Setting(
            "signed_off",
            "",
            "The day, such as 2026-06-30, up to which every cut-over is signed off as a whole: what is found of those "
            "only warns.",
        ),
    ),
    absent_from=Need("subscription_lines", "billing"),
    arithmetic=Arithmetic.of(
        "(legacy_year + signed_year) * months / 12", "current_year * months / 12", "abs(expected - actual)"
    ),
    message=(
        "What was carried over from {system} differs: {differs}. A year was {legacy_year} {currency}, {signed_year} of "
        "change is signed, and billing has {current_year}."
    ),
    find=find,
)
