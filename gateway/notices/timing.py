"""When somebody is told. Pure.

S1 and S2 at once. What is new, back or mended at S3 waits for the next day's opening, at S4 for the next Monday's:
one digest per owner. A deadline does not wait for a digest: reminders, escalations and breaches of S3 and S4 are
only gathered for two minutes.
"""

from datetime import datetime, timedelta

from gateway.exceptions.calendar import Calendar, opening_from

WAIT = timedelta(minutes=2)  # long enough to gather one sweep's findings into one message
INTERVAL = timedelta(minutes=30)  # between two messages of one group
URGENT = frozenset({"S1", "S2"})
_DIGESTED = frozenset({"opened", "regressed", "resolved"})
_MONDAY = 0


def ready(kind: str, severity: str, calendar: Calendar, now: datetime) -> tuple[datetime, str]:
    """From when on it may be told, and in which digest: "daily", "weekly" or "" for none."""
    if severity in URGENT:
        return now, ""
    if kind not in _DIGESTED:
        return now + WAIT, ""
    if severity == "S3":
        return opening_from(calendar, now), "daily"
    return opening_from(calendar, now, _MONDAY), "weekly"
