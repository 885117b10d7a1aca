"""The audit log: anybody adds, one sealer chains.

A writer never waits: it inserts and is done. The sealer takes the rows of transactions that had all ended when it
looked, in the order (transaction, id), and chains their hashes onto the last seal; rows of a transaction that is
still open, a large sweep for instance, wait for the next seal. `verify` needs nothing but the exported rows.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.exceptions.errors import AuditBroken
from gateway.exceptions.tables import AuditEntry

GENESIS = "0" * 64
# Any number that nothing else in Tieout locks.
SEALER_LOCK = 4_701_101
_FIELDS = ("id", "transaction", "at", "actor", "action", "subject", "before", "after")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Seal:
    """What sealing added: the seal's number, how many entries, and the hash at the end of the chain."""

    number: int
    entries: int
    digest: str


def record(
    session: Session,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down that `actor` did `action` to `subject`, with only what changed before and after."""
    entry = AuditEntry(
        at=now, actor=actor, action=action, subject=subject, before=dict(before or {}), after=dict(after or {})
    )
    session.add(entry)


def seal(session: Session, now: datetime) -> Seal | None:
    """Chain every entry whose transaction has surely ended; None when there is nothing to chain, or when another
    sealer is at work. AuditBroken when the server's transactions count lower than the log's."""
    locked = session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": SEALER_LOCK})
    if not locked:
        return None
    last = session.execute(
        text("SELECT number, to_transaction::text, digest FROM audit_seals ORDER BY number DESC LIMIT 1")
    ).one_or_none()
    number, start, previous = last if last is not None else (0, "0", GENESIS)
    horizon = str(session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")))
    if int(horizon) < int(start):
        raise AuditBroken(
            f"The audit log is sealed up to transaction {start}, but this server is at {horizon}: it was restored "
            "from a dump. Advance the server past it with pg_resetwal -x, then seal again."
        )
    entries = _entries(session, start, horizon)
    if not entries:
        return None
    digest = chain(previous, entries)
    session.execute(
        text(
            "INSERT INTO audit_seals (number, from_transaction, to_transaction, entries, previous, digest, sealed_at) "
            "VALUES (:number, CAST(:start AS xid8), CAST(:stop AS xid8), :entries, :previous, :digest, :now)"
        ),
        {
            "number": number + 1,
            "start": start,
            "stop": horizon,
            "entries": len(entries),
            "previous": previous,
            "digest": digest,
            "now": now,
        },
    )
    return Seal(number + 1, len(entries), digest)


def unsealed(session: Session) -> tuple[int, datetime | None]:
    """How many committed entries are not sealed yet, and when the oldest of them was written."""
    found = session.execute(
        text(
            "SELECT count(*), min(at) FROM audit_entries WHERE transaction >= "
            "(SELECT coalesce(max(to_transaction), '0'::xid8) FROM audit_seals)"
        )
    ).one()
    return found[0], found[1]


def export(session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All entries and all seals, as plain values for a file: what `verify` takes."""
    seals = session.execute(
        text(
            "SELECT number, from_transaction::text, to_transaction::text, entries, previous, digest, sealed_at "
            "FROM audit_seals ORDER BY number"
        )
    ).mappings()
    plain = [{**row, "sealed_at": row["sealed_at"].isoformat()} for row in seals]
    return [_plain(entry) for entry in _entries(session, "0", None)], plain


def verify(entries: Iterable[Row], seals: Iterable[Row]) -> list[str]:
    """What is wrong with an exported log, a sentence each; nothing when every seal holds.

    Finds an entry that was changed, taken out, put in or moved within a sealed range, and a seal that was. Entries
    after the last seal are not judged. Whoever takes away the newest seals with their entries is found only by
    comparing with a digest that was kept elsewhere.
    """
    rows = sorted(entries, key=lambda row: (int(row["transaction"]), int(row["id"])))
    problems: list[str] = []
    previous, stop = GENESIS, 0
    for number, found in enumerate(sorted(seals, key=lambda row: int(row["number"])), start=1):
        name = f"Seal {found['number']}"
        if found["number"] != number or found["previous"] != previous or int(found["from_transaction"]) != stop:
            problems.append(f"{name} does not follow the seal before it.")
        stop = int(found["to_transaction"])
        part = [row for row in rows if int(found["from_transaction"]) <= int(row["transaction"]) < stop]
        if len(part) != found["entries"]:
            problems.append(f"{name} covers {found['entries']} entries, and {len(part)} are there.")
        elif chain(found["previous"], part) != found["digest"]:
            problems.append(f"{name} does not fit its {len(part)} entries: one was changed or moved.")
        previous = found["digest"]
    return problems


def chain(previous: str, entries: Iterable[Row]) -> str:
    """The hash after all entries, each hashed together with the hash before it."""
    digest = previous
    for entry in entries:
        said = json.dumps(_plain(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest = hashlib.sha256(f"{digest}{said}".encode()).hexdigest()
    return digest


def _entries(session: Session, start: str, stop: str | None) -> list[dict[str, Any]]:
    found = session.execute(
        text(
            "SELECT id, transaction::text, at, actor, action, subject, before, after FROM audit_entries "
            "WHERE transaction >= CAST(:start AS xid8) "
            "AND (CAST(:stop AS xid8) IS NULL OR transaction < CAST(:stop AS xid8)) ORDER BY transaction, id"
        ),
        {"start": start, "stop": stop},
    ).mappings()
    return [dict(row) for row in found]


def _plain(entry: Row) -> dict[str, Any]:
    at = entry["at"]
    said = at.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(at, datetime) else at
    return {**{name: entry[name] for name in _FIELDS}, "at": said}
