"""The gate of an installation, wired to its books, its billing platforms and its exception queue."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from books.engine import Engine
from books.snapshots import Snapshot
from checks.contract import Outcome
from checks.findings import Evaluation, Finding
from gateway.exceptions.queue import references, take_in
from gateway.installation import Installation
from gateway.prebill.gate import Gate
from gateway.sweep import context_for


def open_gate(installed: Installation) -> Gate:
    """Nothing is loaded before the first question, or before `warm`."""

    def record(
        session: Session, found: Sequence[Finding], engine: Engine, snapshot: Snapshot, now: datetime, enforced: bool
    ) -> Mapping[str, str]:
        """Cases for what an enforced question found; a dry run only looks up those that exist."""
        if not enforced or not found:
            return references(session, [finding.fingerprint for finding in found])
        context = context_for(installed, engine, snapshot, "tieout:gate", conclusive=False)
        return take_in(session, _grouped(installed, found), context, now).references

    return Gate(
        installed.config,
        installed.store,
        installed.ledger,
        installed.database,
        installed.ruleset,
        installed.runs,
        record,
        installed.clock,
    )


def _grouped(installed: Installation, found: Sequence[Finding]) -> list[Evaluation]:
    by_check: dict[str, list[Finding]] = {}
    for finding in found:
        by_check.setdefault(finding.check, []).append(finding)
    return [
        Evaluation(installed.ruleset.rules[check].check, Outcome.FAILED, None, tuple(listed))
        for check, listed in by_check.items()
    ]
