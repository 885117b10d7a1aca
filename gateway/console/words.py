"""How the console writes amounts, instants, lengths of time and the names that the code uses. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from books.money import minor_units
from checks.formula import plain
from gateway.exceptions.events import SYSTEM
from gateway.exceptions.states import State, spoken
from gateway.owners.model import Owners

_CAPITALS = {"erp": "ERP", "fx": "FX", "po": "PO", "sla": "SLA", "id": "ID", "crm": "CRM"}
_SYSTEMS = {"netsuite": "NetSuite"}

KINDS: Mapping[str, str] = {
    "leak": "never billed",
    "overbill": "billed too much",
    "timing": "heals itself in a later period",
    "exposure": "a gap in control, no loss yet",
}
SEVERITIES: Mapping[str, str] = {"S1": "critical", "S2": "high", "S3": "medium", "S4": "low"}
VERDICTS: Mapping[str, str] = {"pass": "Pass", "warn": "Warn", "block": "Block"}
TIERS: Mapping[str, str] = {
    "alert": "nearly certain or certain",
    "digest": "likely",
    "review": "unsure: wants a look",
}
AT_THE_GATE: Mapping[str, str] = {
    "block": "blocks",
    "warn": "warns about",
    "monitor": "is only watched",
    "shadow": "does not act yet",
}
SCOPES: Mapping[str, str] = {
    "line": "the invoice of the line",
    "invoice": "the invoice",
    "credit_memo": "the credit memo",
    "account": "the invoices of the account",
    "run": "the whole run",
}
NO_CURRENCY = "none"


def money(amount: Decimal | str, currency: str | None) -> str:
    """`12,345.60`: at least the currency's minor digits, up to four where the amount has more."""
    value = Decimal(amount)
    exact = -int(value.normalize().as_tuple().exponent)
    digits = max(minor_units(currency or ""), min(exact, 4))
    return f"{value:,.{digits}f}".replace("-", "−")


def number(value: Decimal | str | int) -> str:
    """A quantity or a term, with thousands separated and no trailing zeros."""
    return plain(Decimal(value))


def share(value: Decimal) -> str:
    """`0.80`: as exact as it is, so that what is nearly certain never reads as 1.00."""
    return f"{value:.{max(2, -int(value.normalize().as_tuple().exponent))}f}"


def day(value: date) -> str:
    """`1 Dec 2026`."""
    return f"{value.day} {value:%b %Y}"


def instant(value: datetime) -> str:
    """`1 Dec 2026, 09:30 UTC`."""
    at = value.astimezone(UTC)
    return f"{day(at)}, {at:%H:%M} UTC"


def brief(value: datetime) -> str:
    """`1 Dec 09:30`, in UTC, for a column whose head says so."""
    at = value.astimezone(UTC)
    return f"{at.day} {at:%b %H:%M}"


def relative(value: datetime, now: datetime) -> str:
    """`in 3 h`, `12 days ago`: by the wall clock."""
    if abs(value - now) < timedelta(minutes=1):
        return "just now"
    length = wall(abs(value - now))
    return f"in {length}" if value > now else f"{length} ago"


def wall(length: timedelta) -> str:
    """A length by the wall clock in its largest unit: `40 min`, `5 h`, `1 day`, `14 months`."""
    minutes = int(length.total_seconds() // 60)
    days = length.days
    if minutes < 120:
        return f"{minutes} min"
    if days < 2:
        return f"{minutes // 60} h"
    return f"{days} days" if days < 90 else f"{days // 30} months"


def hours(length: timedelta) -> str:
    """A length of working time, which has no days of 24 hours: `6 h 30 min`."""
    minutes = abs(int(length.total_seconds())) // 60
    whole, rest = divmod(minutes, 60)
    if not whole:
        return f"{rest} min"
    return f"{whole} h {rest} min" if rest else f"{whole} h"


def title(name: str) -> str:
    """`invoice_not_in_erp` as `Invoice not in ERP`."""
    words = " ".join(_CAPITALS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def system(name: str) -> str:
    """A source's name as people write it."""
    return _SYSTEMS.get(name, name.replace("_", " ").capitalize())


def state(value: str) -> str:
    """`Waiting for customer`."""
    return spoken(State(value)).capitalize()


def period(start: date | None, end: date | None) -> str:
    """A half-open period by its first and its last day."""
    if start is None or end is None:
        return day(start) if start else "—"
    last = end - timedelta(days=1)
    return day(start) if last <= start else f"{day(start)} – {day(last)}"


class Names:
    """People and teams of owners.yaml by id; an id that the file has lost stands for itself."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    def person(self, id_: str) -> str:
        known = self._owners.people.get(id_)
        return known.name if known else id_

    def team(self, id_: str) -> str:
        known = self._owners.teams.get(id_)
        return known.name if known else id_

    def actor(self, id_: str) -> str:
        """Who did it: a person, or a part of Tieout."""
        return f"Tieout ({id_.removeprefix(SYSTEM)})" if id_.startswith(SYSTEM) else self.person(id_)

    def told(self, recipient: str) -> str:
        """A recipient of a notice, `person:ann` or `team:billing`."""
        kind, _, name = recipient.partition(":")
        return self.team(name) if kind == "team" else self.person(name)


FILTERS: Mapping[str, Any] = {
    "money": money,
    "number": number,
    "share": share,
    "day": day,
    "instant": instant,
    "brief": brief,
    "wall": wall,
    "hours": hours,
    "title": title,
    "system": system,
    "state": state,
}
