"""A line, a schedule or a revenue plan names a parent that its own system does not have.

Why it matters: nobody is asked for what hangs on nothing: no run bills it, no report counts it, and nobody can say
whose it is.

Usual cause: a parent was deleted or merged by hand, a load stopped half-way, or an id was carried over from another
company or sandbox.

How to fix: find the parent that was meant, by number or by the customer, and link the record to it; or remove the
record if its parent was removed on purpose.

What it is not: a record whose parent was deleted or archived, which the source lists as such, one whose parent the
integration user may not see and that vanished with many others, or one that arrived before its parent.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import per_year
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
from checks.rows import candidates, collected

_EXACT = "decimal(38, 9)"
# Child, its role, the parent, and the column that names it.
_KINSHIP = (
    ("invoice_lines", "billing", "invoices", "invoice_key"),
    ("invoice_lines", "erp", "invoices", "invoice_key"),
    ("subscription_lines", "billing", "subscriptions", "subscription_key"),
    ("billing_schedules", "billing", "subscription_lines", "subscription_line_key"),
    ("revenue_schedules", "erp", "invoice_lines", "invoice_line_key"),
)


def find(books: Books, params: Params) -> ir.Table:
    """Records without a parent, one row per child entity, missing parent and currency."""
    found = [_orphans(books, *kinship) for kinship in _KINSHIP]
    rows = ibis.union(*found)
    first = [rows.modified_at, rows.key]
    off = rows.group_by("system", "child", "parent", "missing", "currency").agg(
        key=rows.key.first(order_by=first),
        account_key=rows.account_key.max(),
        parent_key=rows.parent_key.max(),
        records=rows.key.count(),
        stated=rows.stated.sum().cast(_EXACT),
        yearly_months=rows.yearly_months.sum().cast(_EXACT),
        modified_at=rows.modified_at.max(),
        orphans=rows.orphans.max(),
        siblings=rows.siblings.max(),
        seen=collected(rows.system + "/" + rows.child + "/" + rows.key),
    )
    draft = _drafts(books)
    off = off.left_join(draft, [off.system == draft.d_system, off.key == draft.d_line])
    # So many at once is no broken record: the parents are hidden from us, and nobody can tell.
    is_hidden = (off.orphans >= params.whole("hidden_records")) & (
        off.orphans * 100 >= off.siblings * params.whole("hidden_percent")
    )
    found_rows = candidates(
        off.mutate(names=ibis.coalesce("names " + off.parent_key, "names none"), unit=off.currency.fill_null("")),
        "invoice_lines",
        "child",
        "parent",
        "records",
        "names",
        "unit",
        subject=off.child + "/" + off.missing + "/" + off.currency.fill_null(""),
        evidence=off.seen,
        invoice=off.d_invoice,
        known_at=off.modified_at,
        stated=is_hidden.ifelse(ibis.null(_EXACT), off.stated),
        yearly_months=off.yearly_months,
    )
    return found_rows.mutate(entity=found_rows.child)


def _orphans(books: Books, child: str, role: str, parent: str, column: str) -> ir.Table:
    """Live rows whose parent is in no row of the books, not even in a tombstone: an archived parent is one.

    A system that never fills the column does not name parents by it.
    """
    rows = books.table(child, role)
    rows = rows.filter(rows.system.isin(books.systems(parent, role) or ("",)))
    of_system = ibis.window(group_by=rows.system)
    rows = rows.mutate(siblings=rows.key.count().over(of_system), named=rows[column].count().over(of_system))
    known = books.every(parent, role).select(p_system="system", p_key="key")
    off = rows.filter(rows.named > 0).anti_join(known, [rows.system == known.p_system, rows[column] == known.p_key])
    stated, yearly_months = _worth(off, child)
    return off.select(
        "system",
        "key",
        "account_key",
        "currency",
        "modified_at",
        "siblings",
        child=ibis.literal(child),
        parent=ibis.literal(parent),
        parent_key=off[column],
        missing=off[column].fill_null(off.key),
        orphans=off.key.count().over(ibis.window(group_by=off.system)),
        stated=stated.fill_null(0).cast(_EXACT),
        yearly_months=yearly_months.fill_null(0).cast(_EXACT),
    )


def _worth(rows: ir.Table, child: str) -> tuple[ir.DecimalValue, ir.DecimalValue]:
    """What a record says it is worth, and twelve times what one that has a price bills in a period."""
    nothing = ibis.literal(0).cast(_EXACT)
    if child in ("invoice_lines", "revenue_schedules"):
        return rows.amount, nothing
    months = rows.price_months.fill_null(1)
    period = rows.billing_months.fill_null(months) if child == "subscription_lines" else months
    return nothing, product(per_year(rows.quantity, rows.unit_price, months), period)


def _drafts(books: Books) -> ir.Table:
    """The draft that bills a subscription line or one of its schedule rows, where one does."""
    line = books.table("invoice_lines", "billing")
    draft = books.table("invoices", "billing").filter(lambda t: t.status == "draft")
    draft = draft.select(i_system="system", i_key="key")
    line = line.inner_join(draft, [line.system == draft.i_system, line.invoice_key == draft.i_key])
    billed = [
        line.filter(line[name].notnull()).select(d_system="system", d_line=name, d_invoice="invoice_key")
        for name in ("subscription_line_key", "line_version_key")
    ]
    both = ibis.union(*billed)
    return both.group_by("d_system", "d_line").agg(d_invoice=both.d_invoice.max())


CHECK = Check(
    id="orphan_child_record",
    doc=__doc__,
    pattern=Pattern.BROKEN_LINKS,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        Need("invoice_lines", "billing"),
        Need("invoices", "billing"),
        *(
            Need(entity, role).where_filled()
            for role, entities in (
                ("billing", ("subscriptions", "subscription_lines", "billing_schedules")),
                ("erp", ("invoices", "invoice_lines", "revenue_schedules")),
            )
            for entity in entities
        ),
    ),
    settings=(
        Setting(
            "hidden_percent", 20, "When so large a part of all records has lost its parents, they are hidden, not gone."
        ),
        Setting(
            "hidden_records", 20, "Fewer records than this may be broken one by one, whatever part of all they are."
        ),
    ),
    absent_from=Need("invoices", "billing"),
    lag_minutes=60,
    arithmetic=Arithmetic.of("stated + yearly_months / 12", "0"),
    message="{records} of the {child} of {system} have no parent in its {parent} (it {names}): {amount} {unit}.",
    find=find,
)
