"""The gate of an installation, wired to its books, its billing platforms and its exception queue."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from checks.contract import Outcome
from checks.findings import Evaluation, Finding
from checks.ruleset import Ruleset
from gateway.errors import ConfigError
from gateway.evidence import account_names, evidence_of
from gateway.exceptions.context import Context
from gateway.exceptions.queue import references, take_in
from gateway.installation import Installation
from gateway.prebill.asking import Asking, systems_read
from gateway.prebill.gate import Found, Gate
from gateway.prebill.latest import LatestTruth
from gateway.prebill.pulling import Pulling


def open_gate(installed: Installation) -> Gate:
    """Nothing is read before the first question, or before `warm`.

    Raises ConfigError where somebody answers for a check that fails open, and owners.yaml does not know them.
    """
    fail_open = installed.config.fail_open()
    for check, person in fail_open.items():
        if person not in installed.owners.people:
            raise ConfigError(f"tieout.yaml lets {check} fail open on {person!r}, whom owners.yaml does not know.")
    return Gate(
        installed.config,
        installed.database,
        LatestTruth(installed.store, installed.ledger, installed.ruleset),
        Asking(installed.ruleset, frozenset(fail_open)),
        Pulling(installed.config, lambda system: installed.runs.get(system)),
        _record(installed),
        installed.clock,
    )


def _record(installed: Installation) -> Callable[[Session, Found], Mapping[str, str]]:
    """Cases for what an enforced question found; a dry run only looks up those that exist."""

    def record(session: Session, found: Found) -> Mapping[str, str]:
        if found.enforced and found.findings:
            take_in(session, _grouped(installed.ruleset, found.findings), _context(installed, found), found.now)
        # Asked again, because somebody else may have opened one of these cases at the same moment.
        return references(session, [finding.fingerprint for finding in found.findings])

    return record


def _context(installed: Installation, found: Found) -> Context:
    accounts = {finding.account_key for finding in found.findings if finding.account_key}
    return Context(
        owners=installed.owners,
        actor="tieout:gate",
        data_as_of=found.snapshot.known_to(),
        conclusive=False,
        reads=systems_read(installed.ruleset),
        evidence=evidence_of(found.engine),
        names=account_names(found.engine, accounts),
        bands=found.bands,
        tiers=installed.config.tiers(),
    )


def _grouped(ruleset: Ruleset, found: Sequence[Finding]) -> list[Evaluation]:
    by_check: dict[str, list[Finding]] = {}
    for finding in found:
        by_check.setdefault(finding.check, []).append(finding)
    return [
        Evaluation(ruleset.rules[check].check, Outcome.FAILED, None, tuple(listed))
        for check, listed in by_check.items()
    ]
