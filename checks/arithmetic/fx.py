"""Exchange rates: the factor that turns an amount of one currency into another on the day of a document."""

from datetime import date

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import days_later
from checks.contract import Need

NEEDS = (Need("fx_rates", "reference").where_filled(),)
# Many finance teams publish one table a month; an older rate is no rate.
RATE_DAYS = 31
_LAST = date(9999, 12, 31)


def with_rate(books: Books, rows: ir.Table, source: str, target: str, day: str, name: str = "rate") -> ir.Table:
    """`rows` with the factor from the currency in column `source` to that in `target` on the date in `day`.

    It is 1 within one currency, else the latest rate of that pair, published in that direction at most
    RATE_DAYS before. Where there is none the factor is null, which leaves the row unjudged: an amount in an
    unknown relation to another is neither right nor wrong.
    """
    rates = _spans(books)
    joined = rows.left_join(
        rates,
        [
            rows[source] == rates.fx_from,
            rows[target] == rates.fx_to,
            rows[day] >= rates.fx_since,
            rows[day] < rates.fx_until,
        ],
    )
    same = joined[source] == joined[target]
    return joined.mutate(**{name: same.ifelse(ibis.literal(1).cast("decimal(24, 8)"), joined.fx_rate)}).drop(
        "fx_from", "fx_to", "fx_since", "fx_until", "fx_rate"
    )


def converted(amount: ir.DecimalValue, rate: ir.DecimalValue) -> ir.DecimalValue:
    """amount × rate, as decimal(38,8); within one currency nothing is multiplied, which is most of the time."""
    exact = product(amount, rate)
    return (rate == 1).ifelse(amount.cast(exact.type()), exact)


def _spans(books: Books) -> ir.Table:
    """Each rate with the days on which it is the latest."""
    published = books.table("fx_rates", "reference")
    daily = published.group_by("from_currency", "to_currency", "rate_date").agg(rate=published.rate.max())
    following = (
        daily.rate_date.lead()
        .over(group_by=[daily.from_currency, daily.to_currency], order_by=daily.rate_date)
        .fill_null(_LAST)
    )
    return daily.select(
        fx_from="from_currency",
        fx_to="to_currency",
        fx_rate="rate",
        fx_since="rate_date",
        fx_until=ibis.least(following, days_later(daily.rate_date, RATE_DAYS)),
    )
