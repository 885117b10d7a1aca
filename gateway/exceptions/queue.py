"""Takes findings in: one case per fingerprint, two named owners, two deadlines.

1. Findings of one fingerprint become one sighting; each is compared with what the queue has of it.
2. New and returned cases get owners, terms and deadlines; a case that is still there is only marked as seen.
3. Cases whose check was evaluated without finding them, on newer data, come nearer to being resolved.
4. Cases behind a source that is stale are linked to that source's case.

Set work is done by COPY and one statement each; what decides is in `sightings`. The transaction is the caller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from checks.contract import Mode
from checks.findings import Evaluation
from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.clearing import clear
from gateway.exceptions.context import Context
from gateway.exceptions.faults import link_to_faults
from gateway.exceptions.opening import Opening, open_cases
from gateway.exceptions.returning import Sighted, apply_changes, reopen
from gateway.exceptions.sightings import Known, Sighting, Verdict, sightings, verdict
from gateway.exceptions.states import State
from gateway.exceptions.tables import ACTIVE_SQL


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
    A check in shadow opens no case, and changes none that it opened before it was put there.
    """
    evaluations = [one for one in evaluations if one.check.mode is not Mode.SHADOW]
    seen = sightings(evaluations)
    _stage(session, seen)
    references = _current(session)
    known = _changed_or_closed(session)
    sorted_out: dict[Verdict, list[Sighted]] = {one: [] for one in Verdict}
    for fingerprint, sighting in seen.items():
        found = known.get(fingerprint)
        if found is not None or fingerprint not in references:
            sorted_out[verdict(found, sighting, context.data_as_of, now)].append(Sighted(sighting, found))
    references.update(_open(session, sorted_out, context, now))
    reopen(session, sorted_out[Verdict.REGRESSED], context, now)
    cleared = verified = 0
    if context.conclusive:
        _mark_seen(session, sorted_out, context, now)
        apply_changes(session, sorted_out[Verdict.CHANGED], context, now)
        cleared, verified = clear(session, evaluations, context, now)
    link_to_faults(session)
    counts = {one: len(found) for one, found in sorted_out.items() if found}
    counts[Verdict.AGAIN] = len(seen) - sum(counts.values())
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
    session.execute(text("CREATE TEMP TABLE seen (fingerprint text, content text) ON COMMIT DROP"))
    copy_rows(session, "seen", ["fingerprint", "content"], ((key, one.content) for key, one in sorted(seen.items())))
    session.execute(text("CREATE UNIQUE INDEX ON pg_temp.seen (fingerprint)"))
    session.execute(text("ANALYZE seen"))


def _current(session: Session) -> dict[str, str]:
    """The case of every fingerprint that was seen and has one."""
    rows = session.execute(
        text("SELECT c.fingerprint, 'EXC-' || c.number FROM seen JOIN cases c USING (fingerprint) WHERE c.current")
    )
    return dict(rows.all())


def _changed_or_closed(session: Session) -> dict[str, Known]:
    """What needs a decision: active cases that say the same as before are left out."""
    rows = session.execute(
        text(
            "SELECT c.fingerprint, c.number, c.state, c.severity, c.amount, c.content, c.resolved_at, "
            "c.resolution, c.accepted_until, c.accepted_amount, "
            "coalesce(original.state NOT IN ('resolved', 'verified'), false), c.confidence, c.reporting_amount "
            "FROM seen s JOIN cases c USING (fingerprint) LEFT JOIN cases original ON original.number = c.duplicate_of "
            "WHERE c.current AND (c.state IN ('resolved', 'verified') OR c.content <> s.content)"
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
    """Still there: count it, and begin to count clean evaluations anew. What was opened just now has its count."""
    accepted = [one.known.number for one in sorted_out[Verdict.ACCEPTED] if one.known]
    session.execute(
        text(
            "UPDATE case_seen t SET last_at = :now, data_at = greatest(t.data_at, :data), "
            "occurrences = t.occurrences + 1, clean_streak = 0 FROM seen s JOIN cases c USING (fingerprint) "
            f"WHERE c.current AND t.case_number = c.number AND t.last_at < :now AND ({ACTIVE_SQL} "
            "OR c.number = ANY(:accepted))"
        ),
        {"now": now, "data": context.data_as_of, "accepted": accepted},
    )
