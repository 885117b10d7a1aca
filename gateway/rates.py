"""Exchange rates to the reporting currency, for severity bands and totals: the newest rate up to a day."""

from datetime import date
from decimal import Decimal

from books.engine import Engine


def rates_to(reporting_currency: str, engine: Engine, day: date) -> dict[str, Decimal]:
    """Units of the reporting currency for one unit of each currency that has a rate; a direct one before an inverse."""
    listed = engine.rows(f"""
        SELECT from_currency, to_currency, arg_max(rate, (rate_date, rate)) AS rate FROM fx_rates
        WHERE NOT deleted AND rate > 0 AND rate_date <= DATE '{day.isoformat()}' GROUP BY ALL
    """)
    direct = {row["from_currency"]: row["rate"] for row in listed if row["to_currency"] == reporting_currency}
    inverse = {row["to_currency"]: 1 / row["rate"] for row in listed if row["from_currency"] == reporting_currency}
    return inverse | direct
