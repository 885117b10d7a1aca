"""The items of the outbox that could be told now, each with what grouping needs of its case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.exceptions.faults import SOURCE_FAULTS, active_faults
from gateway.exceptions.states import CLOSED
from gateway.notices.tiers import URGENT

_DAY = 86_400
# What a fault of the source explains. A deadline of a case that was known before is still a deadline.
_MUTED = frozenset({"opened", "raised", "regressed", "reminder"})

_READY = """
SELECT i.id, i.case_number, i.recipient, i.kind, i.severity, i.digest,
       c.check_id AS "check", c.state, c.parent, c.reads,
       c.amount, c.currency, c.money_kind, coalesce(c.reporting_amount, c.amount) AS weight, c.fails_from,
       EXISTS (SELECT FROM notice_items told WHERE told.case_number = i.case_number
               AND told.recipient = i.recipient AND told.notice_id IS NOT NULL) AS told
FROM notice_items i JOIN cases c ON c.number = i.case_number
WHERE i.notice_id IS NULL AND i.dropped IS NULL AND i.ready_at <= :now
ORDER BY i.id FOR UPDATE OF i SKIP LOCKED
"""


@dataclass(frozen=True)
class WaitingItem:
    """One item. `told`: the same recipient has been told something about the case before."""

    id: int
    case_number: int
    recipient: str
    kind: str
    severity: str
    digest: str
    check: str
    state: str
    parent: int | None
    reads: tuple[str, ...]
    amount: Decimal
    currency: str | None
    money_kind: str
    weight: Decimal
    fails_from: datetime
    told: bool

    @property
    def urgent(self) -> bool:
        return self.severity in URGENT

    @property
    def group(self) -> str:
        """Items of one group make one message: a digest has everything of its owner, else one check, one fault."""
        parts = (self.recipient, self.digest) if self.digest else (self.recipient, self.kind, self.check)
        return "|".join((*parts, f"EXC-{self.parent}" if self.parent and not self.digest else ""))

    @property
    def dropped(self) -> str | None:
        """Why it is not worth telling any more."""
        if self.kind == "resolved":
            return None if self.told else "It was over before anybody was told of it."
        return "The case was closed before it was told." if self.state in CLOSED else None

    def exposure(self, now: datetime) -> Decimal:
        """Amount × days, at least one day."""
        return self.weight * max(int((now - self.fails_from).total_seconds()), _DAY) / _DAY


def waiting_items(session: Session, now: datetime) -> tuple[list[WaitingItem], int]:
    """The items that are ready, locked; and how many more are muted by the fault of a source."""
    rows = session.execute(text(_READY), {"now": now}).mappings()
    found = [WaitingItem(**{**row, "reads": tuple(row["reads"])}) for row in rows]
    faulty = frozenset(active_faults(session))
    heard = [one for one in found if not _muted(one, faulty)]
    return heard, len(found) - len(heard)


def drop(session: Session, items: Sequence[WaitingItem]) -> None:
    """Keep the items, with why they were not told."""
    reasons: dict[str, list[int]] = {}
    for one in items:
        reasons.setdefault(one.dropped or "", []).append(one.id)
    for reason, ids in reasons.items():
        session.execute(
            text("UPDATE notice_items SET dropped = :reason WHERE id = ANY(:ids)"), {"reason": reason, "ids": ids}
        )


def _muted(one: WaitingItem, faulty: frozenset[str]) -> bool:
    return one.kind in _MUTED and one.check not in SOURCE_FAULTS and not faulty.isdisjoint(one.reads)
