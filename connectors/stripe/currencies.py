"""How many digits Stripe's amounts have after the point, by currency (docs.stripe.com, "Supported currencies").

It is Stripe's own table, not ISO 4217: an amount of ISK or UGX is sent as if it had two digits.
"""

from decimal import Decimal

NONE = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
THREE = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))


def places(currency: str) -> int:
    """Digits after the point of amounts in a currency, in whatever letter case."""
    known = currency.lower()
    return 0 if known in NONE else 3 if known in THREE else 2


def major(amount: Decimal, currency: str) -> Decimal:
    """An amount in minor units, whole or not, as one of the currency; exact, whatever its size."""
    sign, digits, exponent = amount.as_tuple()
    # Built from its digits: arithmetic would round to the precision of the context.
    return Decimal((sign, digits, int(exponent) - places(currency)))
