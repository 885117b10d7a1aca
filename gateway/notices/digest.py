"""What stands in a digest: the owner's news, and their open cases that an earlier digest has told of, as they are now.

A case follows its owner: whoever has it by now reads of it, although another was told of it first.

Past a deadline first, then by amount × days; what is mended comes last. Each says what happened since the last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.exceptions.tables import ACTIVE_SQL
from gateway.notices.cards import money
from gateway.notices.waiting import WaitingItem

_NEWS = {"opened": "new", "raised": "more severe", "regressed": "back after a fix", "resolved": "mended"}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_KNOWN = f"""
SELECT c.number, c.currency, c.state NOT IN ('resolved', 'verified')
         AND ((c.acknowledged_at IS NULL AND c.ack_due_at < :now) OR c.resolve_due_at < :now) AS late,
       coalesce(c.reporting_amount, c.amount)
         * greatest(extract(epoch FROM CAST(:now AS timestamptz) - c.fails_from) / 86400, 1) AS exposure,
       (SELECT e.before->>'amount' FROM case_events e WHERE e.case_number = c.number AND e.at > :last
          AND e.move = 'changed' AND e.before->>'amount' IS NOT NULL ORDER BY e.id LIMIT 1) AS was
FROM cases c
WHERE c.number = ANY(:news) OR ({ACTIVE_SQL} AND 'person:' || c.business_owner = :recipient AND EXISTS (
    SELECT 1 FROM notice_items i WHERE i.case_number = c.number AND i.digest = :digest AND i.notice_id IS NOT NULL))
"""


@dataclass(frozen=True)
class Line:
    """One case of a digest. `since_last` is empty where nothing happened to it."""

    number: int
    late: bool
    exposure: Decimal
    since_last: str
    mended: bool


def lines(session: Session, found: Sequence[WaitingItem], last: datetime | None, now: datetime) -> list[Line]:
    """`found` are the items of one digest of one recipient; `last` is when they read the one before."""
    news: dict[int, str] = {}
    for one in found:
        news[one.case_number] = _NEWS.get(one.kind, one.kind)
    asked = {
        "news": list(news),
        "recipient": found[0].recipient,
        "digest": found[0].digest,
        "last": last or _NEVER,
        "now": now,
    }
    made = []
    for row in session.execute(text(_KNOWN), asked):
        was = f"was {money(Decimal(row.was), row.currency)}" if row.was else ""
        told = news.get(row.number) or was
        made.append(Line(row.number, row.late, row.exposure, told, news.get(row.number) == "mended"))
    return sorted(made, key=lambda line: (line.mended, not line.late, -line.exposure, line.number))


def summary(found: Sequence[Line]) -> str:
    """ "3 as before, 1 changed, 2 past a deadline"; empty where the news are all there is."""
    quiet = sum(not line.since_last for line in found)
    changed = sum(line.since_last.startswith("was ") for line in found)
    late = sum(line.late for line in found)
    parts = ((quiet, "as before"), (changed, "with another amount"), (late, "past a deadline"))
    return ", ".join(f"{number} {words}" for number, words in parts if number)
