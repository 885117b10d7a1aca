"""The links of an installation: listed, confirmed, rejected. Each decision is one audit entry."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.crosswalk.matching import Match
from gateway.crosswalk.tables import REFERENCE, Basis, Link
from gateway.errors import NotFound, Refused
from gateway.exceptions.audit import record
from gateway.owners.model import Owners

_REFERENCE = re.compile(rf"(?:{REFERENCE})?(\d{{1,18}})", re.IGNORECASE)
MOST_LISTED = 500
_CHUNK = 1000


def listed(session: Session, basis: Sequence[Basis] = (Basis.MATCHED,), account: str | None = None) -> list[Link]:
    """Links of these kinds, the likeliest first; `account` only those of a customer or of a record with that key."""
    statement = select(Link).where(Link.basis.in_([one.value for one in basis]))
    if account is not None:
        system, _, key = account.partition(":")
        is_record = (Link.left_system == system) & (Link.left_key == key)
        statement = statement.where((Link.right_key == account) | is_record)
    ordered = statement.order_by(Link.score.desc(), Link.left_system, Link.left_key, Link.id)
    return list(session.scalars(ordered.limit(MOST_LISTED)))


def propose(session: Session, found: Iterable[Match], now: datetime) -> None:
    """Keep what matches now as proposals, and take back proposals that do not any more. Decisions stay as they are."""
    rows = {_pair(match): match for match in found}
    held = {_pair_of(link): link for link in session.scalars(select(Link).where(Link.basis == Basis.MATCHED))}
    gone = [link.id for pair, link in held.items() if pair not in rows]
    if gone:
        session.execute(delete(Link).where(Link.id.in_(gone)))
    for chunk in _chunks([_row(match, now) for match in rows.values()]):
        added = insert(Link).values(chunk)
        same = {name: added.excluded[name] for name in ("score", "reason", "left_name", "right_name")}
        still_open = Link.basis == Basis.MATCHED
        session.execute(added.on_conflict_do_update(constraint="uq_links_pair", set_=same, where=still_open))


def confirm(session: Session, owners: Owners, actor: str, reference: str, now: datetime, note: str = "") -> Link:
    """They are one customer: from the next sync on the record belongs to it, and other proposals for it are dropped.

    Raises NotFound, and Refused for somebody unknown, or where the record was confirmed as another customer.
    """
    link = _decided(session, owners, actor, reference, Basis.CONFIRMED, now, note)
    same_record = (
        Link.left_system == link.left_system,
        Link.left_entity == link.left_entity,
        Link.left_key == link.left_key,
    )
    others = session.scalars(select(Link).where(*same_record, Link.id != link.id)).all()
    if taken := next((other for other in others if other.basis == Basis.CONFIRMED), None):
        raise Refused(
            f"{link.left_name} was confirmed as {taken.right_name} in {taken.reference}. Reject that one first."
        )
    session.execute(delete(Link).where(*same_record, Link.basis == Basis.MATCHED))
    return link


def reject(session: Session, owners: Owners, actor: str, reference: str, now: datetime, note: str = "") -> Link:
    """They are two: the pair is not proposed again. A link that was confirmed joins no more from the next sync on."""
    return _decided(session, owners, actor, reference, Basis.REJECTED, now, note)


def _decided(
    session: Session, owners: Owners, actor: str, reference: str, basis: Basis, now: datetime, note: str
) -> Link:
    if actor not in owners.people:
        raise Refused(f"owners.yaml knows no person {actor!r}: the audit log names who decides.")
    found = _REFERENCE.fullmatch(reference.strip())
    link = session.get(Link, int(found[1]), with_for_update=True) if found else None
    if link is None:
        raise NotFound(f"There is no link {reference}.")
    if link.basis == basis:
        return link
    before = {"basis": link.basis}
    link.basis, link.decided_at, link.decided_by, link.note = basis.value, now, actor, note or None
    said = {
        "basis": basis.value,
        "record": f"{link.left_system}/{link.left_entity}/{link.left_key}",
        "customer": f"{link.right_system}/accounts/{link.right_key}",
        "score": str(link.score),
        "note": note,
    }
    record(session, now, actor, f"link.{basis.value}", link.reference, before=before, after=said)
    session.flush()
    return link


def _pair(match: Match) -> tuple[str, ...]:
    left, right = match.left, match.right
    return left.system, left.entity, left.key, right.system, right.key


def _pair_of(link: Link) -> tuple[str, ...]:
    return link.left_system, link.left_entity, link.left_key, link.right_system, link.right_key


def _row(match: Match, now: datetime) -> dict[str, object]:
    return {
        "left_system": match.left.system,
        "left_entity": match.left.entity,
        "left_key": match.left.key,
        "left_name": match.left.name,
        "right_system": match.right.system,
        "right_key": match.right.key,
        "right_name": match.right.name,
        "basis": Basis.MATCHED.value,
        "score": match.score,
        "reason": match.reason,
        "proposed_at": now,
    }


def _chunks(rows: Sequence[dict[str, object]]) -> Iterator[Sequence[dict[str, object]]]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))
