"""What integration flows could not move and have not moved since: entries of error queues, one per broken record."""

import re
from datetime import date

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import midnight
from checks.contract import Need, Params, Setting
from checks.errors import DeclarationError
from checks.facts import next_invoices
from checks.relation import Relation
from checks.rows import collected, reference

NEEDS = (
    Need("integration_errors", "integration", may_be_empty=True),
    Need("integration_runs", "integration").where_filled(),
)
IGNORED = Setting(
    "ignored",
    (),
    "Classes of errors that do no harm, each as `CODE until 2027-03-31 by dana`. Somebody answers for each, and none "
    "is ignored for ever.",
)
WORTH = f"said + {next_invoices.WORTH}"
_SETTLED = ("resolved", "ignored", "discarded", "closed")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _rows(books: Books) -> ir.Table:
    """One row per system, flow and `about`: the trace key, else the record, else the entry itself.

    The primary entry is the oldest. `raised_at` is when it was first seen, `last_seen_at` when any of them was last;
    `owner` is null where none of them has one; `amount` is the largest that the platform reports, in `currency`.
    A later success with the same trace key settles all of them: they are not here.
    """
    entry = books.table("integration_errors", "integration")
    entry = entry.filter(~entry.status.fill_null("open").isin(_SETTLED) & entry.resolved_at.isnull())
    record = entry.object.fill_null("") + "/" + entry.record_key
    entry = entry.mutate(
        flow=entry.flow.fill_null(""),
        about=ibis.coalesce(entry.trace_key, record, entry.key),
        since=ibis.coalesce(entry.raised_at, entry.modified_at, entry.synced_at),
        seen=ibis.coalesce(entry.last_seen_at, entry.raised_at, entry.modified_at, entry.synced_at),
    )
    entry = entry.anti_join(_retried(books, entry), ["system", "key"])
    first, last = [entry.since, entry.key], [entry.seen, entry.key]
    return entry.group_by("system", "flow", "about").agg(
        key=entry.key.first(order_by=first),
        account_key=entry.account_key.max(),
        code=entry.code.last(order_by=last),
        error=entry.message.last(order_by=last),
        queue=entry.queue.max(),
        owner=entry.owner.max(),
        raised_at=entry.since.min(),
        last_seen_at=entry.seen.max(),
        amount=entry.amount.max(),
        currency=entry.currency.max(),
        entries=collected(reference(entry.system, "integration_errors", entry.key)),
    )


def _retried(books: Books, entry: ir.Table) -> ir.Table:
    """(system, key) of entries whose trace key a later run has moved with success."""
    run = books.table("integration_runs", "integration")
    run = run.filter((run.status == "success") & run.trace_key.notnull())
    moved = run.group_by(r_system="system", r_trace="trace_key").agg(
        moved_at=ibis.coalesce(run.finished_at, run.modified_at).max()
    )
    joined = entry.inner_join(moved, [entry.system == moved.r_system, entry.trace_key == moved.r_trace])
    return joined.filter(joined.moved_at > joined.seen).select("system", "key")


ROWS = Relation("flow_errors", _rows)


def unsettled(params: Params) -> ir.Table:
    """`ROWS` with `ignored_until`, the instant from which a class of errors is heeded again; null where it always is.

    Raises DeclarationError for an entry of `IGNORED` of another form.
    """
    rows = ROWS.table
    never = ibis.null("timestamp('UTC', 6)")
    said = [
        (rows.code == code, midnight(ibis.literal(until))) for code, until in map(_parsed, params.texts(IGNORED.name))
    ]
    return rows.mutate(ignored_until=ibis.cases(*said, else_=never) if said else never)


def _parsed(said: str) -> tuple[str, date]:
    """The code, and the first day on which it is heeded again."""
    match said.split():
        case [code, "until", day, "by", _, *_] if _DAY.fullmatch(day):
            return code, date.fromisoformat(day)
    raise DeclarationError(
        f"{said!r} does not say which code is ignored until when and by whom: `CODE until 2027-03-31 by dana`."
    )


def priced(rows: ir.Table) -> ir.Table:
    """`rows` with the terms of `WORTH`: the platform's amount, else the customer's next invoice, else nothing.

    `bills` is the evidence of the next invoice, `unit` the currency in words.
    """
    bill = next_invoices.first()
    joined = rows.left_join(bill, rows.account_key == bill.b_account_key)
    is_said = joined.amount.notnull() & joined.currency.notnull()
    money = joined.b_yearly_months.type()
    nothing = ibis.literal(0).cast(money)
    currency = is_said.ifelse(joined.currency, joined.b_currency)
    return joined.mutate(
        said=is_said.ifelse(joined.amount.cast(money), nothing),
        currency=currency,
        unit=currency.fill_null("(nothing says what it is worth)"),
        bills=is_said.ifelse(ibis.null("string"), joined.b_source),
        **{
            name: is_said.ifelse(ibis.null(joined[f"b_{name}"].type()), joined[f"b_{name}"]).fill_null(otherwise)
            for name, otherwise in zip(next_invoices.TERMS, (0, 0, 1, 1), strict=True)
        },
    )
