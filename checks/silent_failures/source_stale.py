"""A source has not been read within its freshness target, or its last read failed.

Why it matters: checks that read it are not evaluated until it is fresh, so a run that needs them waits, and what
broke since the last read is not seen.

Usual cause: expired credentials, a rate limit, a source under maintenance, a sync process that stopped, or a clock
that is wrong.

How to fix: run the doctor, which says what is wrong with the source, restore the connection, and run the sync once by
hand. If the source is often slower than its target, or rests at night, agree on another target or on a calendar.

What it is not: a source in announced maintenance or outside the opening hours of its calendar: such time makes no
reading older.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Owner, Params, Pattern, Scope, Severity, Spans
from checks.rows import candidates


def find(books: Books, _: Params) -> ir.Table:
    """One row per system, for the entity that is (or will be) stale first; the others are its evidence."""
    read = books.sources
    read = read.cross_join(books.request.select("now"))
    never = ibis.timestamp("1970-01-01 00:00:00").cast("timestamp('UTC', 6)")
    is_ahead = read.fresh_from > read.now
    is_unusable = read.failure.notnull() | read.watermark.isnull() | is_ahead
    read = read.mutate(due=is_unusable.ifelse(never, read.stale_at))
    mark = read.watermark.strftime("%Y-%m-%d %H:%M") + " UTC"
    state = ibis.coalesce(
        "could not be read: " + read.failure,
        is_ahead.ifelse("was read up to " + mark + ", ahead of our clock", ibis.null("string")),
        "was last read at " + mark,
        "has not been read yet",
    )
    read = read.mutate(state=read.entity + " " + state)
    order = [read.due, read.entity]
    is_stale = read.due <= read.now
    rows = read.group_by("system").agg(
        key=read.entity.first(order_by=order),
        due=read.due.min(),
        state=read.state.first(order_by=order),
        stale=is_stale.sum(),
        evidence=(read.system + "/sources/" + read.entity).collect(where=is_stale, order_by=order),
    )
    rows = rows.mutate(account_key=ibis.null("string"), currency=ibis.null("string"))
    rows = rows.cross_join(_drafts(books))
    return candidates(
        rows,
        "sources",
        "state",
        "stale",
        subject=rows.system,
        evidence=rows.evidence,
        fails_from=rows.due,
        severity=rows.is_run_near.ifelse(Severity.S1.value, Severity.S3.value),
        money=ibis.literal(0),
    )


def _drafts(books: Books) -> ir.Table:
    """One row: whether a run is being prepared, which is when drafts exist."""
    draft = books.table("invoices", "billing").filter(lambda t: t.status == "draft")
    return draft.agg(is_run_near=draft.count() > 0)


CHECK = Check(
    id="source_stale",
    doc=__doc__,
    pattern=Pattern.SILENT_FAILURES,
    severity=Severity.S3,
    owners=(Owner.IT, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.SYSTEM,
    needs=(),
    arithmetic=Arithmetic.of("money", "0"),
    message="{stale} entities of {system} are not fresh enough to rely on: {state}.",
    find=find,
)
