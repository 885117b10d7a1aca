"""Gathers what is to be told into messages: one per recipient, check and fault of a source, or one digest.

S1 and S2 go at once; other groups keep half an hour between two messages. While a source is at fault, what its
symptoms would say waits; it is told when the fault is over and the symptom is not. What ended before anybody was
told is kept and not told. The gate is never muted: it asks the checks and not the notices.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from alerts.message import Kind, Notice, Severity
from checks.contract import Check
from gateway.exceptions.tables import Case
from gateway.notices.cards import card, money, title
from gateway.notices.digest import lines, summary
from gateway.notices.outbox import NoticeRow, NoticeState
from gateway.notices.payload import to_document
from gateway.notices.timing import INTERVAL
from gateway.notices.undeliverable import UNDELIVERABLE
from gateway.notices.waiting import WaitingItem, drop, waiting_items
from gateway.owners.channels import channels_of, name_of
from gateway.owners.model import Owners

SHOWN = 5  # cards in one message; the others are a click away
# Any number that nothing else in Tieout locks.
GATHER_LOCK = 4_701_102

_WORDS = {
    "opened": "new",
    "raised": "more severe",
    "regressed": "back after a fix",
    "resolved": "mended",
    "reminder": "near a deadline",
    "escalated": "not acknowledged",
    "breached": "past a deadline",
}
_ORDER = ("breached", "escalated", "raised", "regressed", "reminder", "opened", "resolved")


@dataclass(frozen=True)
class Gathered:
    """`notices` messages of `items` items were made; `muted` wait for a source, `dropped` were not worth telling."""

    notices: int
    items: int
    muted: int
    dropped: int


def gather(session: Session, owners: Owners, checks: Mapping[str, Check], base_url: str, now: datetime) -> Gathered:
    """Put into the outbox what is ready by now. Run twice, nothing is told twice."""
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": GATHER_LOCK}):
        return Gathered(0, 0, 0, 0)
    session.flush()
    ready, muted = waiting_items(session, now)
    over = [one for one in ready if one.dropped]
    drop(session, over)
    groups: dict[str, list[WaitingItem]] = defaultdict(list)
    for one in ready:
        if not one.dropped:
            groups[one.group].append(one)
    last = _last_told(session, list(groups))
    notices = items = 0
    composer = _Composer(session, owners, {**checks, UNDELIVERABLE.id: UNDELIVERABLE}, base_url.rstrip("/"), now)
    for group, found in groups.items():
        reason = _reason(found, last.get(group), now)
        if reason is not None:
            notices += composer.compose(group, found, reason, last.get(group))
            items += len(found)
    return Gathered(notices, items, muted, len(over))


def _last_told(session: Session, groups: Sequence[str]) -> dict[str, datetime]:
    rows = session.execute(
        select(NoticeRow.group_key, func.max(NoticeRow.created_at))
        .where(NoticeRow.group_key.in_(groups))
        .group_by(NoticeRow.group_key)
    )
    return dict(rows.all())


def _reason(found: Sequence[WaitingItem], last: datetime | None, now: datetime) -> str | None:
    """Why the group is told now; None while it has to wait for its interval."""
    if found[0].digest:
        return f"{found[0].digest}_digest"
    if last is None:
        return "first"
    if any(one.urgent for one in found):
        return "new_and_urgent"
    return "interval_elapsed" if now - last >= INTERVAL else None


@dataclass(frozen=True)
class _Composer:
    session: Session
    owners: Owners
    checks: Mapping[str, Check]
    base_url: str
    now: datetime

    def compose(self, group: str, found: Sequence[WaitingItem], reason: str, last: datetime | None) -> int:
        """One row per channel of the recipient; the items point at the first. `last`: when the group was last told."""
        said = self._digest(found, last) if found[0].digest else self._news(found)
        rows = [
            self._row(group, replace(said, dedupe_key=_dedupe_key(channel, group, found)), found, reason, channel)
            for channel in channels_of(self.owners, found[0].recipient)
        ]
        self.session.add_all(rows)
        self.session.flush()
        self.session.execute(
            text("UPDATE notice_items SET notice_id = :notice WHERE id = ANY(:ids)"),
            {"notice": rows[0].id, "ids": [one.id for one in found]},
        )
        return len(rows)

    def _row(self, group: str, notice: Notice, found: Sequence[WaitingItem], reason: str, channel: str) -> NoticeRow:
        return NoticeRow(
            dedupe_key=notice.dedupe_key,
            group_key=group,
            channel=channel,
            recipient=found[0].recipient,
            kind=notice.kind,
            severity=notice.severity,
            reason=reason,
            payload=to_document(notice),
            state=NoticeState.QUEUED,
            created_at=self.now,
            next_attempt_at=self.now,
        )

    def _news(self, found: Sequence[WaitingItem]) -> Notice:
        """Breaches first, then by dollar-days."""
        ordered = sorted(found, key=lambda one: (_ORDER.index(one.kind), -one.exposure(self.now), one.case_number))
        numbers = list(dict.fromkeys(one.case_number for one in ordered))
        return self._notice(found, _headline(ordered), dict.fromkeys(numbers, ""))

    def _digest(self, found: Sequence[WaitingItem], last: datetime | None) -> Notice:
        """The news of one owner, and what is still open of earlier digests."""
        of_digest = lines(self.session, found, last, self.now)
        told = summary(of_digest)
        ordered = sorted(found, key=lambda one: (_ORDER.index(one.kind), one.case_number))
        headline = _headline(ordered) + (f"; {told}" if told else "")
        return self._notice(found, headline, {line.number: line.since_last for line in of_digest})

    def _notice(self, found: Sequence[WaitingItem], headline: str, since_last: Mapping[int, str]) -> Notice:
        """`since_last` has the cases in the order in which they are read."""
        numbers = list(since_last)
        cases = {one.number: one for one in self.session.scalars(select(Case).where(Case.number.in_(numbers[:SHOWN])))}
        return Notice(
            dedupe_key="",
            kind=_kind(found),
            headline=headline,
            severity=cast(Severity, min(one.severity for one in found)),
            owner_name=name_of(self.owners, found[0].recipient),
            cases=tuple(
                replace(card(cases[one], self.owners, self.checks, self.base_url), since_last=since_last[one])
                for one in numbers[:SHOWN]
            ),
            more=max(len(numbers) - SHOWN, 0),
            queue_url=f"{self.base_url}/exceptions",
            now=self.now,
        )


def _dedupe_key(channel: str, group: str, found: Sequence[WaitingItem]) -> str:
    """The same items to the same channel are the same message."""
    ids = ",".join(str(one.id) for one in sorted(found, key=lambda one: one.id))
    return hashlib.sha256(f"{channel}\n{group}\n{ids}".encode()).hexdigest()[:40]


def _kind(found: Sequence[WaitingItem]) -> Kind:
    if found[0].digest:
        return "digest"
    if found[0].check == UNDELIVERABLE.id and found[0].kind == "opened":
        return "undeliverable"
    return cast(Kind, found[0].kind)


def _headline(found: Sequence[WaitingItem]) -> str:
    """ "Seat overage unbilled: 3 new; leak 9,350.00 USD". Money kinds and currencies stay apart."""
    cases = {(one.kind, one.case_number): one for one in found}
    counts = Counter(kind for kind, _ in cases)
    what = ", ".join(f"{counts[kind]} {_WORDS[kind]}" for kind in _ORDER if counts[kind])
    checks = list(dict.fromkeys(one.check for one in found))
    about = title(checks[0]) if len(checks) == 1 else f"{len(checks)} checks"
    amounts = _sums({one.case_number: one for one in found}.values())
    return f"{about}: {what}" + (f"; {amounts}" if amounts else "")


def _sums(cases: Iterable[WaitingItem]) -> str:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in cases:
        if one.amount and one.currency:
            sums[one.money_kind, one.currency] += one.amount
    return ", ".join(f"{kind} {money(amount, currency)}" for (kind, currency), amount in sorted(sums.items()))
