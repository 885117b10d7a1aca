"""Values as JSON text. Written directly, because money must leave as the number it is and never pass a float."""

from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quoted

from sandbox.salesforce.fields import Value


def instant_text(value: datetime) -> str:
    """2026-05-07T22:07:19.000+0000, for a UTC instant in whole seconds."""
    return value.isoformat()[:19] + ".000+0000"


def value_text(value: Value) -> str:
    """A value as JSON; null stays null, a decimal always shows a fraction as Salesforce writes it (500.0)."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, datetime):
        return f'"{instant_text(value)}"'
    return f'"{value.isoformat()}"' if isinstance(value, date) else str(value)


def _decimal_text(value: Decimal) -> str:
    whole, _, fraction = format(value, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
