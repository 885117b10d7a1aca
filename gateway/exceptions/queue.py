"""Takes findings in: one case per fingerprint, two named owners, two deadlines.

1. Findings of one fingerprint become one sighting; each is compared with what the queue has of it.
2. New and returned cases get owners, terms and deadlines; a case that is still there is only marked as seen.
3. Cases whose check was evaluated without finding them, on newer data, come nearer to being resolved.
4. Cases behind a source that is stale are linked to that source's case.

Set work is done by COPY and one statement each; what decides is in `sightings`. The transaction is the caller's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from checks.findings import Evaluation
from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.clearing import clear
from gateway.exceptions.context import Context
from gateway.exceptions.faults import link_to_faults
from gateway.exceptions.opening import Opening, open_cases
from gateway.exceptions.returning import Sighted, apply_changes, reopen
from gateway.exceptions.sightings import Known, Sighting, Verdict, sightings, verdict
from gateway.exceptions.states import State


@dataclass(frozen=True)
class Intake:
    """What came of it. `references` has the case of every fingerprint that was seen: "EXC-12"."""

    verdicts: Mapping[Verdict, int]
    cleared: int
    verified: int
    references: Mapping[str, str]

    @property
    def opened(self) -> int:
        """Cases that did not exist before, recurrences included."""
        return self.verdicts.get(Verdict.NEW, 0) + self.verdicts.get(Verdict.RECURRED, 0)


def take_in(session: Session, evaluations: Sequence[Evaluation], context: Context, now: datetime) -> Intake:
    """Bring the queue up to what these evaluations say. Twice with the same `now` and data changes nothing more.

    Cases that are seen again are locked until the caller commits; what is not conclusive locks none of them.
    """
    seen = sightings(evaluations)
    _stage(session, seen)
    known = _known(session)
    sorted_out: dict[Verdict, list[Sighted]] = {one: [] for one in Verdict}
    for fingerprint, sighting in seen.items():
        found = known.get(fingerprint)
        sorted_out[verdict(found, sighting, context.data_as_of, now)].append(Sighted(sighting, found))
    references = {fingerprint: f"EXC-{found.number}" for fingerprint, found in known.items()}
    references.update(_open(session, sorted_out, context, now))
    reopen(session, sorted_out[Verdict.REGRESSED], context, now)
    cleared = verified = 0
    if context.conclusive:
        apply_changes(session, sorted_out[Verdict.CHANGED], context, now)
        _mark_seen(session, sorted_out, context, now)
        cleared, verified = clear(session, evaluations, context, now)
    link_to_faults(session)
    counts = Counter({one: len(found) for one, found in sorted_out.items() if found})
    return Intake(counts, cleared, verified, references)


def references(session: Session, fingerprints: Sequence[str]) -> dict[str, str]:
    """The current case of each fingerprint that has one: "EXC-12". Locks nothing."""
    rows = session.execute(
        text("SELECT fingerprint, number FROM cases WHERE current AND fingerprint = ANY(:fingerprints)"),
        {"fingerprints": list(fingerprints)},
    )
    return {fingerprint: f"EXC-{number}" for fingerprint, number in rows}


def _stage(session: Session, seen: Mapping[str, Sighting]) -> None:
    """What was seen, as a table that lives as long as the transaction."""
    session.flush()
    session.execute(text("DROP TABLE IF EXISTS pg_temp.seen"))
    session.execute(text("CREATE TEMP TABLE seen (fingerprint text PRIMARY KEY) ON COMMIT DROP"))
    copy_rows(session, "seen", ["fingerprint"], ((fingerprint,) for fingerprint in sorted(seen)))
    session.execute(text("ANALYZE seen"))


def _known(session: Session) -> dict[str, Known]:
    rows = session.execute(
        text(
            "SELECT c.fingerprint, c.number, c.state, c.severity, c.amount, c.content, c.last_seen_at, c.resolved_at, "
            "c.resolution, c.accepted_until, c.accepted_amount, "
            "coalesce(original.state NOT IN ('resolved', 'verified'), false) "
            "FROM seen JOIN cases c USING (fingerprint) LEFT JOIN cases original ON original.number = c.duplicate_of "
            "WHERE c.current"
        )
    )
    return {row[0]: Known(row[1], State(row[2]), *row[3:]) for row in rows}


def _open(
    session: Session, sorted_out: Mapping[Verdict, Sequence[Sighted]], context: Context, now: datetime
) -> dict[str, str]:
    """Open what is new, and what comes back so late that it is a new case."""
    recurred = sorted_out[Verdict.RECURRED]
    before = {sighted.sighting.fingerprint: sighted.known.number for sighted in recurred if sighted.known}
    if before:
        session.execute(
            text("UPDATE cases SET current = false WHERE number = ANY(:numbers)"), {"numbers": list(before.values())}
        )
    new = [sighted.sighting for sighted in (*sorted_out[Verdict.NEW], *recurred)]
    return open_cases(session, [Opening(one, before.get(one.fingerprint)) for one in new], context, now)


def _mark_seen(
    session: Session, sorted_out: Mapping[Verdict, Sequence[Sighted]], context: Context, now: datetime
) -> None:
    """Still there: count it, and begin to count clean evaluations anew."""
    kinds = (Verdict.AGAIN, Verdict.CHANGED, Verdict.ACCEPTED)
    numbers = [sighted.known.number for kind in kinds for sighted in sorted_out[kind] if sighted.known]
    if not numbers:
        return
    session.execute(
        text(
            "UPDATE cases SET last_seen_at = :now, seen_data_at = greatest(seen_data_at, :data), "
            "occurrences = occurrences + 1, clean_streak = 0 "
            "WHERE number = ANY(:numbers) AND last_seen_at < :now"
        ),
        {"now": now, "data": context.data_as_of, "numbers": numbers},
    )
