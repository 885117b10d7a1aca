"""A sweep: every check over the latest published snapshot, and what it found into the queue."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opentelemetry import metrics, trace

from books.engine import Engine, Request
from books.snapshots import Snapshot
from checks.findings import Evaluation, Finding
from gateway.errors import Unavailable
from gateway.evaluations.keeping import keep
from gateway.evidence import account_names, evidence_of
from gateway.exceptions.context import Context
from gateway.exceptions.queue import Intake, take_in
from gateway.installation import Installation
from gateway.rates import rates_to

log = logging.getLogger(__name__)
tracer = trace.get_tracer("tieout.sweep")
_outcomes = metrics.get_meter("tieout.sweep").create_counter("tieout.sweep.evaluations", unit="{evaluation}")


@dataclass(frozen=True)
class Sweep:
    """What a sweep evaluated and what the queue made of it."""

    snapshot: Snapshot
    evaluations: Sequence[Evaluation]
    intake: Intake

    def findings(self) -> list[Finding]:
        return [finding for evaluation in self.evaluations for finding in evaluation.findings]


def sweep(installed: Installation, now: datetime, only: Sequence[str] | None = None) -> Sweep:
    """Evaluate the checks (or the named ones) and take the findings in. Raises Unavailable before the first sync."""
    snapshot = installed.ledger.latest()
    if snapshot is None:
        raise Unavailable("Nothing has been synchronised yet. Run `tieout sync` first.")
    with tracer.start_as_current_span("sweep"), Engine.over(installed.store, snapshot) as engine:
        evaluations = evaluate(installed, engine, snapshot, now, only)
        context = context_for(installed, engine, snapshot, "tieout:sweep")
        with installed.database.session() as session:
            intake = take_in(session, evaluations, context, now)
            keep(session, evaluations, snapshot.id, now)
    return Sweep(snapshot, evaluations, intake)


def evaluate(
    installed: Installation, engine: Engine, snapshot: Snapshot, now: datetime, only: Sequence[str] | None = None
) -> list[Evaluation]:
    """Ask the checks as a sweep does: about everything that is due up to today."""
    engine.ask(Request(now, now.date()))
    bands = installed.config.bands(rates_to(installed.config.reporting_currency, engine, now.date()))
    evaluations = []
    for id_ in installed.ruleset.rules:
        if only and id_ not in only:
            continue
        with tracer.start_as_current_span("check", attributes={"check": id_}):
            found = installed.ruleset.evaluate(id_, engine, snapshot, now, whole_run=True, bands=bands)
        _outcomes.add(1, {"check": id_, "outcome": found.outcome.value})
        evaluations.append(found)
    return evaluations


def concerned(
    installed: Installation, touched: Collection[tuple[str, str]], partial: Collection[tuple[str, str]] = ()
) -> list[str]:
    """The checks that read one of these (system, entity), and none of which rows may be missing."""
    rules, books = installed.ruleset.rules, installed.ruleset.books
    reads = {
        id_: {(system, need.entity) for need in rule.check.needs for system in books.systems(need.entity, need.role)}
        for id_, rule in rules.items()
    }
    return [id_ for id_, read in reads.items() if not read.isdisjoint(touched) and read.isdisjoint(partial)]


def context_for(
    installed: Installation, engine: Engine, snapshot: Snapshot, actor: str, *, conclusive: bool = True
) -> Context:
    """What the queue needs to know beside the findings."""
    return Context(
        owners=installed.owners,
        actor=actor,
        data_as_of=snapshot.known_to(),
        conclusive=conclusive,
        reads=_reads(installed),
        evidence=evidence_of(engine),
        names=account_names(engine),
        bands=installed.config.bands(
            rates_to(installed.config.reporting_currency, engine, snapshot.published_at.date())
        ),
        tiers=installed.config.tiers(),
    )


def _reads(installed: Installation) -> Mapping[str, frozenset[str]]:
    books = installed.ruleset.books
    return {
        id_: frozenset(system for need in rule.check.needs for system in books.systems(need.entity, need.role))
        for id_, rule in installed.ruleset.rules.items()
    }
