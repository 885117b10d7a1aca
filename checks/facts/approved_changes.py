"""Changes of fields and mappings that somebody approved or announced: the change calendar.

An approval names what it allows by its object (`Contract`, `contracts`, or a flow) and its record key: the field, or
nothing for all of the object.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, days_later

KINDS = ("mapping", "metadata", "change", "launch")


def covering(
    books: Books, rows: ir.Table, day: ir.DateValue, valid_days: int, of: tuple[str, ...] = ("key",)
) -> ir.Table:
    """The `system` and the columns `of` those rows, with `object` and `field`, that an approval covers on their day.

    An approval counts for later changes for `valid_days`, or until its own end, and for all that came before it.
    """
    approval = books.table("approvals", "audit")
    approval = approval.filter((approval.status == "approved") & approval.kind.isin(KINDS) & approval.object.notnull())
    decided = approval.decided_at.cast("date")
    approval = approval.select(
        p_object=approval.object.lower(),
        p_field=approval.record_key.lower(),
        p_until=ibis.coalesce(approval.until_date, days_later(decided, valid_days + 1), FOREVER),
    )
    asked = rows.select("system", *of, day=day, at=rows.object.lower(), named=rows.field.lower())
    joined = asked.inner_join(approval, asked["at"] == approval.p_object)
    is_it = joined.p_field.isnull() | (joined.p_field == joined.named)
    return joined.filter(is_it & (joined.day < joined.p_until)).select("system", *of).distinct()
