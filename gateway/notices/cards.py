"""From a case to the card that its owner reads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from alerts.message import CaseCard, EvidenceRow
from books.money import minor_units
from checks.contract import Check
from gateway.exceptions.tables import Case
from gateway.owners.model import Owners


def card(case: Case, owners: Owners, checks: Mapping[str, Check], base_url: str) -> CaseCard:
    """The card of one case. `base_url` is the console's, without a slash at its end."""
    check = checks.get(case.check_id)
    due_at = open_deadline(case)
    zone = owners.business_calendars[case.calendar].zone_at(due_at or case.first_detected_at)
    return CaseCard(
        reference=case.reference,
        title=title(case.check_id),
        why=check.advice["why"] if check is not None else "",
        message=case.message,
        account=case.account_name or case.account_key or "no known account",
        amount=case.amount,
        currency=case.currency or "",
        money_kind=case.money_kind,
        expected=money(case.expected, case.currency),
        actual=money(case.actual, case.currency),
        arithmetic=case.arithmetic,
        due_at=due_at,
        due_text=_due_text(case, zone),
        rows=tuple(
            EvidenceRow(row["system"], f"{row['entity']} {row['key']}", tuple(row["fields"].items()))
            for row in case.evidence
        ),
        link=f"{base_url}/exceptions/{case.reference}",
        confidence=confidence(case.confidence, case.confidence_reasons),
    )


def confidence(value: Decimal, reasons: Sequence[str]) -> str:
    """ "0.80: the event ids are not the same"; nothing for what is certain."""
    if value == 1:
        return ""
    return f"{share(value)}: {'; '.join(reasons)}" if reasons else share(value)


def share(value: Decimal) -> str:
    """At least two places, and as many as it has: what is nearly certain never reads as 1.00."""
    places = max(2, -int(value.normalize().as_tuple().exponent))
    return f"{value:.{places}f}"


def title(check: str) -> str:
    """ "Seat overage unbilled" from `seat_overage_unbilled`."""
    return check.replace("_", " ").capitalize()


def money(amount: Decimal, currency: str | None) -> str:
    """With thousands set apart, in the currency's own minor unit: "9,350.00 USD", "1,200 JPY"."""
    if currency is None:
        return format(amount.normalize(), ",f")
    return f"{amount:,.{minor_units(currency)}f} {currency}"


def open_deadline(case: Case) -> datetime | None:
    """The earliest deadline that still runs; None where the case is closed."""
    if case.resolved_at is not None:
        return None
    ack = case.ack_due_at if case.acknowledged_at is None else None
    return min((due for due in (ack, case.resolve_due_at) if due is not None), default=None)


def _due_text(case: Case, zone: ZoneInfo) -> str:
    if case.resolved_at is not None or case.resolve_due_at is None:
        return ""
    resolve = f"resolve by {_spoken(case.resolve_due_at, zone)}"
    if case.acknowledged_at is None and case.ack_due_at is not None:
        return f"acknowledge by {_spoken(case.ack_due_at, zone)}, {resolve}"
    return resolve


def _spoken(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M} {local.tzname()}"
