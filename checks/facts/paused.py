"""When subscription lines were suspended and resumed: nothing is billed for these days, and nothing need be."""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.facts import subscribed

NEEDS = (Need("amendments", "billing").where_filled(), Need("billing_schedules", "billing").where_filled())


def spans(books: Books) -> ir.Table:
    """[`paused`, `resumed`) per `p_system` and `p_line`: between two schedules, from the day of a suspension on."""
    schedule = books.table("billing_schedules", "billing")
    following = schedule.start_date.lead().over(
        group_by=[schedule.system, schedule.subscription_line_key], order_by=[schedule.start_date, schedule.key]
    )
    hole = schedule.select(
        p_system="system", p_line="subscription_line_key", paused="end_date", resumed=following
    ).filter(lambda t: t.paused < t.resumed)
    line = subscribed.LINES.table.select(l_system="system", l_line="key", l_number="number")
    hole = hole.inner_join(line, [hole.p_system == line.l_system, hole.p_line == line.l_line])
    made = _suspensions(books)
    return hole.semi_join(
        made, [hole.p_system == made.s_system, hole.l_number == made.s_number, hole.paused == made.s_date]
    ).select("p_system", "p_line", "paused", "resumed")


def _suspensions(books: Books) -> ir.Table:
    made = books.table("amendments", "billing")
    made = made.filter((made.status == "activated") & made.type.fill_null("").lower().startswith("suspend"))
    version = books.table("subscriptions", "billing")
    version = version.select(v_system="system", v_key="key", s_number=ibis.coalesce(version.number, version.key))
    joined = made.inner_join(version, [made.system == version.v_system, made.subscription_key == version.v_key])
    return joined.select("s_number", s_system="system", s_date="effective_date")
