"""Exchange rates to the reporting currency, for severity bands and totals: the newest rate up to a day."""

from datetime import date
from decimal import Decimal

from books.engine import Engine


def rates_to(reporting_currency: str, engine: Engine, day: date) -> dict[str, Decimal]:
    """Units of the reporting currency for one unit of each currency that has a rate, direct or inverse."""
    sql = f"""
        SELECT from_currency, to_currency, max_by(rate, rate_date) AS rate FROM fx_rates
        WHERE NOT deleted AND rate > 0 AND rate_date <= DATE '{day.isoformat()}' GROUP BY ALL
    """
    rates: dict[str, Decimal] = {}
    for row in engine.rows(sql):
        if row["from_currency"] == reporting_currency:
            rates.setdefault(row["to_currency"], Decimal(1) / row["rate"])
    for row in engine.rows(sql):
        if row["to_currency"] == reporting_currency:
            rates[row["from_currency"]] = row["rate"]
    return rates
