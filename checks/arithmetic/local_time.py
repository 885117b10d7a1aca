"""Days of the customer: in which of its own days an instant lies."""

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=((dt.Timestamp("UTC"), dt.string), dt.timestamp))
def _local(moment, zone):  # type: ignore[no-untyped-def]
    """The wall clock of a time zone. Spark has the function; the embedded engine is given it (books/engine.py)."""


def local_day(moment: ir.TimestampValue, zone: ir.StringValue) -> ir.DateValue:
    """The date on the wall clock of an IANA time zone; UTC where none is known."""
    return _local(moment, zone.fill_null("UTC")).date()


def is_east(day: ir.DateValue, zone: ir.StringValue) -> ir.BooleanValue:
    """Whether the zone's clocks are ahead of UTC on that day, so that its midnight lies on the day before in UTC."""
    moment = day.cast("timestamp('UTC', 6)")
    return _local(moment, zone.fill_null("UTC")) > day.cast("timestamp")
