"""Money arithmetic: exact in Decimal, and wide enough in SQL.

In DuckDB the product of decimal(18,4) and decimal(18,6) is decimal(18,10), which 20,000 × 5,000 already
overflows, and `/` leaves the decimals for a double. So SQL multiplies only through `product`, divides only
to select candidates, and `Decimal` decides.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

# ISO 4217 currencies whose minor unit is not two digits.
MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
PRECISION = 50


def minor_units(currency: str) -> int:
    """Digits after the decimal point of a currency; two where ISO 4217 says nothing else."""
    return MINOR_UNITS.get(currency, 2)


def cent(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 USD, 1 JPY."""
    return Decimal(1).scaleb(-minor_units(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount as it stands on a document: rounded half up to the currency's minor unit."""
    with localcontext() as context:
        context.prec = PRECISION
        return amount.quantize(cent(currency), ROUND_HALF_UP)


def product(left: ir.NumericValue, right: ir.NumericValue) -> ir.DecimalValue:
    """left × right in SQL without overflow, as decimal(38,9): for selection and sums, not for documents.

    Both sides are widened to 38 digits first, so that the product has room for 10²². The result has another scale
    than the factors on purpose: Ibis believes that the product has theirs and would leave the last cast out, and
    DuckDB, which gives it twice as many places, would overflow at the next multiplication.
    """
    wide = dt.Decimal(38, 8)
    return (left.cast(wide) * right.cast(wide)).cast(dt.Decimal(38, 9))
