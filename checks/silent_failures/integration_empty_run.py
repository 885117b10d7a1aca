"""A flow reports success and has moved nothing, or far less than the source had for it.

Why it matters: a green run is not looked at. What it did not move is missing in the target from then on, and shows as
missing invoices, seats or usage only when somebody else counts.

Usual cause: the integration user lost the right to see records, a filter or a saved search was changed, a token was
renewed for another company, or the delta's starting point was moved past what it had not read yet.

How to fix: find out why the flow saw so little, then run it again for the same time. The source's own count says when
it is complete.

What it is not: a run for which the source itself counts nothing, a weekday on which the flow usually moves nothing, a
run whose records went to the error queue, or one whose window a later run with the same trace key has moved.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days_later, midnight
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

_OF = ("system", "flow", "day")
_USUAL_DAYS = 8  # so many earlier runs of the same weekday say what is usual: two months, which hold a month's end


def find(books: Books, params: Params) -> ir.Table:
    """Days of a flow on which less was moved than the source counts, or else than is usual on that weekday."""
    run = _runs(books)
    least = params.whole("least_percent")
    short = _by_count(run, least).union(_by_calendar(run, least, params.whole("usual_days")))
    short = short.cross_join(books.request.select("today"))
    short = short.filter(short.day >= days_later(short.today, -params.whole("look_back_days")))
    worth = _worth(run)
    rows = short.left_join(worth, [short.system == worth.w_system, short.flow == worth.w_flow])
    return candidates(
        rows.mutate(
            account_key=ibis.null("string"),
            currency=rows.w_currency,
            unit=rows.w_currency.fill_null("(the platform keeps no control totals)"),
        ),
        "integration_runs",
        "flow",
        "day",
        "measure",
        "unit",
        subject=rows.flow,
        evidence=rows.runs,
        period=(rows.day, days_later(rows.day, 1)),
        fails_from=rows.fails_from,
        wanted=rows.wanted,
        days=rows.days,
        moved=rows.moved,
        value=rows.w_value.fill_null(0),
        records=rows.w_records.fill_null(1),
    )


def _runs(books: Books) -> ir.Table:
    """Successful runs. `moved` counts what was written, `done` also what was rejected, which is not silent."""
    run = books.table("integration_runs", "integration").filter(lambda t: t.status == "success")
    at = ibis.coalesce(run.started_at, run.finished_at, run.modified_at)
    run = run.filter(at.notnull())
    moved = ibis.coalesce(run.written_count, run.read_count, 0)
    at = ibis.coalesce(run.started_at, run.finished_at, run.modified_at)
    return run.select(
        "system",
        "key",
        "trace_key",
        "source_count",
        "amount",
        "currency",
        flow=ibis.coalesce(run.flow, run.object, run.key),
        at=at,
        ended=ibis.coalesce(run.finished_at, at),
        day=at.cast("date"),
        moved=moved,
        done=moved + run.rejected_count.fill_null(0),
    )


def _by_count(run: ir.Table, least: int) -> ir.Table:
    """Runs that moved too little of what the source counts, and that no later run has made up for."""
    short = run.filter(run.done * 100 < run.source_count * least)
    later = run.filter(run.trace_key.notnull()).select(
        l_system="system", l_flow="flow", l_trace="trace_key", l_ended="ended", l_done="done"
    )
    joined = short.inner_join(
        later,
        [
            short.system == later.l_system,
            short.flow == later.l_flow,
            short.trace_key == later.l_trace,
            short.ended < later.l_ended,
        ],
    )
    made_up = joined.group_by("system", "key", "source_count", "done").agg(since=joined.l_done.sum())
    made_up = made_up.filter(lambda t: t.since + t.done >= t.source_count)
    short = short.anti_join(made_up, ["system", "key"])
    return short.group_by(*_OF).agg(
        key=short.key.first(order_by=[short["at"], short.key]),
        runs=collected(reference(short.system, "integration_runs", short.key)),
        fails_from=short.ended.min(),
        wanted=short.source_count.sum().cast("int64"),
        days=ibis.literal(1).cast("int64"),
        moved=short.done.sum().cast("int64"),
        measure=ibis.literal("that the source counts"),
    )


def _by_calendar(run: ir.Table, least: int, usual_days: int) -> ir.Table:
    """Days, over, of flows for which no source counts, on which too little was moved for such a weekday."""
    uncounted = run.mutate(known=run.source_count.notnull())
    daily = uncounted.group_by(*_OF).agg(
        key=uncounted.key.last(order_by=[uncounted["at"], uncounted.key]),
        runs=collected(reference(uncounted.system, "integration_runs", uncounted.key)),
        known=uncounted.known.any(),
        moved=uncounted.done.sum().cast("int64"),
    )
    before = ibis.window(
        group_by=[daily.system, daily.flow, daily.day.day_of_week.index()],
        order_by=[daily.day],
        preceding=(_USUAL_DAYS, 1),
    )
    daily = daily.mutate(
        wanted=daily.moved.sum().over(before).cast("int64"), days=daily.moved.count().over(before).cast("int64")
    )
    short = daily.filter(
        ~daily.known & (daily.days >= usual_days) & (daily.moved * daily.days * 100 < daily.wanted * least)
    )
    return short.select(
        *_OF,
        "key",
        "runs",
        fails_from=midnight(days_later(short.day, 1)),
        wanted=short.wanted,
        days=short.days,
        moved=short.moved,
        measure=ibis.literal("that are usual on this weekday"),
    )


def _worth(run: ir.Table) -> ir.Table:
    """Per flow with control totals in one currency: their sum, and the records that they are for."""
    told = run.filter(run.amount.notnull() & run.currency.notnull() & (run.moved > 0))
    grouped = told.group_by(w_system="system", w_flow="flow").agg(
        w_currency=told.currency.max(),
        currencies=told.currency.nunique(),
        w_value=told.amount.sum().cast("decimal(38, 4)"),
        w_records=told.moved.sum().cast("int64"),
    )
    return grouped.filter(grouped.currencies == 1).drop("currencies")


CHECK = Check(
    id="integration_empty_run",
    doc=__doc__,
    pattern=Pattern.SILENT_FAILURES,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.IT),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.SYSTEM,
    needs=(Need("integration_runs", "integration"),),
    settings=(
        Setting("least_percent", 50, "A run that moves less than this share of what is expected has seen too little."),
        Setting(
            "usual_days", 4, "So many earlier days of the same weekday must be known before one of them is unusual."
        ),
        Setting("look_back_days", 35, "Older runs cannot be run again: what they missed is found on the records."),
    ),
    arithmetic=Arithmetic.of("wanted / days * value / records", "moved * value / records"),
    message="{flow} ended well on {day} with {moved} of the {wanted} records {measure}: about {amount} {unit}.",
    find=find,
)
