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


def known_sum(amounts: ir.DecimalValue, as_type: str | None = None) -> ir.DecimalValue:
    """The sum over a group, null where one of them is: with an unknown part nobody knows the whole."""
    wanted = as_type or amounts.type()
    return amounts.isnull().any().ifelse(ibis.null(wanted), amounts.sum().cast(wanted))


def half_unit(currency: ir.StringValue) -> ir.DecimalValue:
    """Half the minor unit of a currency: what rounding one line may move. 0.005 USD, 0.5 JPY, 0.0005 BHD."""
    amounts = {0: "0.5", 3: "0.0005"}
    cases = [(currency.isin(codes), _exact(amounts[digits])) for digits, codes in _DIGITS.items()]
    return ibis.cases(*cases, else_=_exact("0.005"))


def minor_scale(price: ir.DecimalValue, currency: ir.StringValue) -> tuple[ir.DecimalValue, ir.DecimalValue]:
    """By what to multiply a price so that it is whole, and by what to get it back: the minor unit of its currency.

    A price that is finer than the minor unit is whole in its eight places. Multiplying both ways keeps SQL from
    dividing.
    """
    ups = {0: "1", 3: "1000"}
    downs = {0: "1", 3: "0.001"}
    fits = {digits: price == price.cast(f"decimal(24, {digits})") for digits in (0, 2, 3)}
    fine = [(currency.isin(codes) & fits[digits], digits) for digits, codes in _DIGITS.items()]
    plain = ~currency.isin([code for codes in _DIGITS.values() for code in codes]) & fits[2]
    up = ibis.cases(*((is_so, _scale(ups[n])) for is_so, n in fine), (plain, _scale("100")), else_=_scale("100000000"))
    down = ibis.cases(
        *((is_so, _scale(downs[n])) for is_so, n in fine), (plain, _scale("0.01")), else_=_scale("0.00000001")
    )
    return up, down


def _scale(number: str) -> ir.DecimalValue:
    return ibis.literal(number).cast("decimal(24, 8)")


def _exact(number: str) -> ir.DecimalValue:
    return ibis.literal(number).cast("decimal(18, 4)")
