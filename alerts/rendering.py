"""How values read in a message: text made safe, money, instants, spans of time, and the words for our codes."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from alerts.message import CaseCard, Kind, Severity

# ISO 4217, minor units other than two.
MINOR_UNITS = (
    dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"), 0)
    | dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0)
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)

KINDS: dict[Kind, str] = {
    "opened": "New",
    "reminder": "Reminder",
    "escalated": "Escalated",
    "breached": "Deadline missed",
    "resolved": "Resolved",
    "regressed": "Came back",
    "raised": "More severe",
    "undeliverable": "Not delivered",
    "digest": "Digest",
}
SEVERITIES: dict[Severity, str] = {"S1": "critical", "S2": "high", "S3": "medium", "S4": "low"}
MONEY_KINDS = {
    "leak": "never billed",
    "overbill": "billed too much",
    "timing": "timing",
    "exposure": "at risk",
}

# Control characters do nothing for a reader and break JSON stores, mail and XML. Direction overrides can make
# "1,000" read as "000,1"; a source system can hold both, since people paste into it.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that any receiver can store and show: no controls but line ends, no lone surrogates."""
    text = _LINE_END.sub("\n", text).replace("\t", " ")
    return _LONE_SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def line(text: str, limit: int) -> str:
    """One line of at most `limit` characters, an ellipsis at the end when it was longer."""
    return shorten(" ".join(clean(text).split()), limit)


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def web_link(url: str) -> str | None:
    """The URL if it is one that a click may follow: http or https with a host, plain characters only."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    return url if plain and parts.scheme in {"http", "https"} and parts.netloc else None


def money(amount: Decimal, currency: str) -> str:
    """ "20,000.00 USD". At least the currency's minor units, more where the amount has them: nothing is rounded."""
    places = MINOR_UNITS.get(currency, 2)
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int):
        places = max(places, -exponent)
    return f"{abs(amount) if amount.is_zero() else amount:,.{places}f} {currency}"


def impact(card: CaseCard) -> str:
    """The amount and what kind of money it is: "900.00 USD never billed"."""
    return f"{money(card.amount, card.currency)} {money_kind(card.money_kind)}"


def money_kind(code: str) -> str:
    """What happened to the money, in words; a code that we do not know stays as it is."""
    return MONEY_KINDS.get(code, code)


def instant(moment: datetime) -> str:
    """ "Fri 27 Nov 2026, 17:00 UTC"."""
    return f"{moment.astimezone(UTC):%a %d %b %Y, %H:%M} UTC"


def span(length: timedelta) -> str:
    """The two largest units of a span, at least a minute: "2 d 4 h", "35 min"."""
    minutes = max(int(abs(length).total_seconds()) // 60, 1)
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes % 60} min"]
    return " ".join([part for part in parts if part and not part.startswith("0 ")][:2])


def due(card: CaseCard, now: datetime) -> str:
    """When the case is due: in the calendar's words where they were given, else the instant and how far it is."""
    if card.due_text or card.due_at is None:
        return card.due_text or "no deadline"
    left = card.due_at - now
    distance = f"in {span(left)}" if left > timedelta() else f"overdue by {span(left)}"
    return f"{instant(card.due_at)} ({distance})"


def first_due(cards: tuple[CaseCard, ...], now: datetime) -> str:
    """The earliest deadline among the cases."""
    dated = [card for card in cards if card.due_at is not None]
    if not dated:
        return "no deadline"
    return due(min(dated, key=lambda card: card.due_at or now), now)
