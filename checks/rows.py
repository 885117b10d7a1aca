"""The shape of a candidate row: the columns that every check's `find` returns."""

import ibis
import ibis.expr.types as ir

from books.entities import entity as known_entity


def reference(system: ir.StringValue, entity: str, key: ir.StringValue) -> ir.StringValue:
    """A piece of evidence, `system/entity/key`; null where the key is null."""
    return system + f"/{known_entity(entity).name}/" + key


def listed(*pieces: ir.StringValue) -> ir.ArrayValue:
    """Evidence that stands in columns; nulls are left out when it is read."""
    return ibis.array(list(pieces))


def collected(piece: ir.StringValue) -> ir.ArrayValue:
    """Evidence gathered over the rows of a group, in a stable order; empty where all of it is null."""
    return some(piece.collect(order_by=[piece]))


def some(pieces: ir.ArrayValue) -> ir.ArrayValue:
    """Evidence of a row that may have none."""
    return pieces.fill_null(ibis.literal([], type="array<string>"))


def candidates(
    rows: ir.Table,
    entity: str,
    *columns: str,
    subject: ir.StringValue,
    evidence: ir.ArrayValue,
    period: tuple[ir.DateValue, ir.DateValue] | None = None,
    invoice: ir.StringValue | None = None,
    line: ir.StringValue | None = None,
    fails_from: ir.TimestampValue | None = None,
    known_at: ir.TimestampValue | None = None,
    **terms: ir.Value,
) -> ir.Table:
    """`rows` (with system, key, account_key and currency) as candidates of one primary entity.

    `columns` are passed on under their own names; `terms` are added.
    """
    never = ibis.null("timestamp('UTC', 6)")
    start, end = period or (ibis.null("date"), ibis.null("date"))
    return rows.select(
        "system",
        "key",
        "account_key",
        "currency",
        *columns,
        entity=ibis.literal(entity),
        subject=subject,
        period_start=start,
        period_end=end,
        invoice_key=ibis.null("string") if invoice is None else invoice,
        line_key=ibis.null("string") if line is None else line,
        fails_from=never if fails_from is None else fails_from,
        known_at=never if known_at is None else known_at,
        evidence=evidence,
        **terms,
    )
