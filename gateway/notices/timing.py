"""When somebody is told. Pure.

S1 and S2 at once. What is new, back or mended waits for a digest, one per owner: the daily one at the next day's
opening, the weekly one at the next Monday's (gateway/notices/tiers.py says which). A deadline does not wait for a
digest: reminders, escalations and breaches of S3 and S4 are only gathered for two minutes.
"""

from datetime import datetime, timedelta

from gateway.exceptions.calendar import Calendar, opening_from
from gateway.notices.tiers import URGENT, Route

WAIT = timedelta(minutes=2)  # long enough to gather one sweep's findings into one message
INTERVAL = timedelta(minutes=30)  # between two messages of one group
_MONDAY = 0


def ready(route: Route, calendar: Calendar, now: datetime) -> tuple[datetime, str] | None:
    """From when on news may be told, and in which digest: "daily", "weekly" or "" for none. None: it is not told."""
    if route is Route.AT_ONCE:
        return now, ""
    if route is Route.DAILY:
        return opening_from(calendar, now), "daily"
    return (opening_from(calendar, now, _MONDAY), "weekly") if route is Route.WEEKLY else None


def deadline_ready(severity: str, now: datetime) -> tuple[datetime, str]:
    """The same for what a clock says."""
    return (now if severity in URGENT else now + WAIT), ""
