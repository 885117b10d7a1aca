"""Amounts inside expressions: what a price comes to in a year, and how much of a difference is only rounding."""

import ibis
import ibis.expr.types as ir

from books.money import MINOR_UNITS, product

_DIGITS: dict[int, list[str]] = {
    digits: [code for code, minor in MINOR_UNITS.items() if minor == digits] for digits in (0, 3)
}


def per_year(quantity: ir.DecimalValue, price: ir.DecimalValue, price_months: ir.IntegerValue) -> ir.DecimalValue:
    """quantity × price for twelve months; null where a year is not a whole number of price spans.

    Without a division, so that the sum of such amounts is exact.
    """
    whole = product(product(quantity, price), (12 // price_months).cast("decimal(18, 0)"))
    return (12 % price_months == 0).ifelse(whole, ibis.null(whole.type()))


def half_unit(currency: ir.StringValue) -> ir.DecimalValue:
    """Half the minor unit of a currency: what rounding one line may move. 0.005 USD, 0.5 JPY, 0.0005 BHD."""
    amounts = {0: "0.5", 3: "0.0005"}
    cases = [(currency.isin(codes), _exact(amounts[digits])) for digits, codes in _DIGITS.items()]
    return ibis.cases(*cases, else_=_exact("0.005"))


def _exact(number: str) -> ir.DecimalValue:
    return ibis.literal(number).cast("decimal(18, 4)")
