"""After a sweep: the marks move, and what is to be looked at again is kept."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from books.snapshots import Snapshot
from checks.findings import Evaluation, Later, WaitsFor
from checks.ruleset import Ruleset
from gateway.evaluations.tables import NOBODY
from gateway.exceptions.bulk import copy_rows
from gateway.sweeping.marks import marks
from gateway.sweeping.plan import Plan
from gateway.sweeping.tables import SweepMark


def move_marks(
    session: Session,
    ruleset: Ruleset,
    asked: Plan,
    evaluations: Sequence[Evaluation],
    snapshot: Snapshot,
    now: datetime,
) -> None:
    """Move the marks of what was evaluated, and of what needed not be; keep the rows to look at again."""
    session.execute(text("LOCK TABLE sweep_marks IN SHARE ROW EXCLUSIVE MODE"))
    kept = marks(session)
    conclusive = {one.check.id: one for one in evaluations if one.conclusive}
    for id_ in (*conclusive, *asked.left):
        mark, one = kept.get(id_), conclusive.get(id_)
        if one is not None and one.accounts is None:
            mark = mark or SweepMark(check_id=id_)
            mark.whole_at, mark.unowned = now, one.concerns_nobody
        assert mark is not None, "a share is asked only of what was asked of all before"
        mark.rule, mark.snapshot, mark.swept_at = ruleset.rules[id_].digest, snapshot.id, now
        mark.known_until = ruleset.known_until(id_, snapshot)
        session.add(mark)
    _forget(session, conclusive.values())
    session.execute(text("DROP TABLE IF EXISTS pg_temp.later"))
    session.execute(text("CREATE TEMP TABLE later (LIKE sweep_later) ON COMMIT DROP"))
    copy_rows(session, "later", ("check_id", "account_key", "waits_for", "at"), _rows(conclusive.values()))
    session.execute(
        text(
            "INSERT INTO sweep_later SELECT * FROM later "
            "ON CONFLICT (check_id, account_key, waits_for) DO UPDATE SET at = least(sweep_later.at, excluded.at)"
        )
    )


def _forget(session: Session, evaluations: Iterable[Evaluation]) -> None:
    """What was to be asked again and has been."""
    checks: dict[frozenset[str] | None, list[str]] = {}
    for one in evaluations:
        checks.setdefault(one.accounts, []).append(one.check.id)
    for accounts, asked in checks.items():
        session.execute(
            text(
                "DELETE FROM sweep_later WHERE check_id = ANY(:checks) "
                "AND (CAST(:accounts AS text[]) IS NULL OR account_key = ANY(CAST(:accounts AS text[])))"
            ),
            {"checks": asked, "accounts": None if accounts is None else sorted(accounts)},
        )


def _rows(evaluations: Iterable[Evaluation]) -> Iterator[tuple[str, str, str, datetime]]:
    """The first instant of each account."""
    for one in evaluations:
        first: dict[tuple[str, WaitsFor], Later] = {}
        for row in one.later:
            at = (row.account_key or NOBODY, row.waits_for)
            if at not in first or row.at < first[at].at:
                first[at] = row
        for (account, waits_for), row in first.items():
            yield one.check.id, account, waits_for.value, row.at
