"""Amounts as they stand on a document, and prices in the currencies of the company.

Written apart from the books' money arithmetic on purpose: what is tested must not do its own sums.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

CURRENCIES = ("USD", "EUR", "GBP", "JPY")
_DIGITS = {"JPY": 0}
# How a price list in dollars is turned into other currencies; a list price, not an exchange rate.
_PRICE_FACTOR = {"USD": Decimal(1), "EUR": Decimal("0.95"), "GBP": Decimal("0.85"), "JPY": Decimal(150)}
_FINE = Decimal("0.000001")  # usage is sold at fractions of a cent


def minor_unit(currency: str) -> Decimal:
    """0.01, or 1 where the currency has no decimals."""
    return Decimal(1).scaleb(-_DIGITS.get(currency, 2))


def document(amount: Decimal | Fraction, currency: str) -> Decimal:
    """The amount rounded half up to the minor unit; a Fraction keeps thirds exact until here."""
    exact = amount if isinstance(amount, Decimal) else Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(minor_unit(currency), ROUND_HALF_UP)


def local_price(dollars: Decimal, currency: str) -> Decimal:
    """A dollar list price in another currency, with six places where it is below a dollar."""
    price = dollars * _PRICE_FACTOR[currency]
    return price.quantize(_FINE) if 0 < dollars < 1 else document(price, currency)


def discounted(rng: Random, dollars: Decimal, currency: str) -> Decimal:
    """A negotiated price of 70 to 100 % of the list price."""
    return local_price(dollars * rng.choice((100, 100, 95, 90, 85, 80, 70)) / 100, currency)
