"""A sweep: the checks over the latest published snapshot, and what they found into the queue."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opentelemetry import metrics, trace

from books.engine import Engine, Request, source_rows
from books.snapshots import Snapshot
from books.spark_engine import SparkEngine, session
from checks.contract import Need
from checks.findings import Evaluation, Finding
from checks.judging import Bands
from checks.ruleset import Ruleset
from gateway.errors import Unavailable
from gateway.evaluations.keeping import keep
from gateway.evidence import account_names, evidence_of
from gateway.exceptions.context import Context
from gateway.exceptions.queue import Intake, take_in
from gateway.installation import Installation
from gateway.own_records.renewing import renewed
from gateway.rates import rates_to
from gateway.sweeping.keeping import move_marks
from gateway.sweeping.plan import MOMENT, Plan, plan

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


def sweep(
    installed: Installation, now: datetime, only: Sequence[str] | None = None, *, changed_only: bool = False
) -> Sweep:
    """Evaluate the checks (or the named ones) and take the findings in. Raises Unavailable before the first sync.

    `changed_only`: ask no more than what may have changed since each check was last evaluated.
    """
    snapshot = renewed(installed, now)
    if snapshot is None:
        raise Unavailable("Nothing has been synchronised yet. Run `tieout sync` first.")
    checks = tuple(id_ for id_ in installed.ruleset.rules if not only or id_ in only)
    with tracer.start_as_current_span("sweep") as span, Engine.over(installed.store, snapshot) as engine:
        asked = plan(installed, engine, snapshot, now, checks) if changed_only else Plan(checks)
        span.set_attributes({"whole": len(asked.whole), "narrow": len(asked.narrow), "accounts": len(asked.accounts)})
        evaluations = _ask(installed, engine, snapshot, now, asked)
        context = context_for(installed, engine, snapshot, "tieout:sweep")
        with installed.database.session() as session:
            intake = take_in(session, evaluations, context, now)
            keep(session, evaluations, snapshot.id, now)
            move_marks(session, installed.ruleset, asked, evaluations, snapshot, now)
    return Sweep(snapshot, evaluations, intake)


def evaluate(
    installed: Installation, engine: Engine, snapshot: Snapshot, now: datetime, only: Sequence[str] | None = None
) -> list[Evaluation]:
    """Ask the checks as a sweep does: about everything that is due up to today."""
    checks = tuple(id_ for id_ in installed.ruleset.rules if not only or id_ in only)
    return _ask(installed, engine, snapshot, now, Plan(checks))


def _ask(installed: Installation, engine: Engine, snapshot: Snapshot, now: datetime, asked: Plan) -> list[Evaluation]:
    """In the catalogue's order. What a share of the books says of rows that nobody owns is asked of all of them."""
    engine.ask(Request(now, now.date()))
    bands = installed.config.bands(rates_to(installed.config.reporting_currency, engine, now.date()))
    one = _Asking(installed.ruleset, snapshot, now, bands)
    found = _narrowly(one, engine, asked) if asked.narrow else {}
    whole = {*asked.whole, *(id_ for id_, evaluation in found.items() if evaluation.concerns_nobody)}
    of_all = _distributed(installed, snapshot, now) if whole and installed.config.engine == "spark" else engine
    return [
        one.ask(id_, of_all) if id_ in whole else found[id_]
        for id_ in installed.ruleset.rules
        if id_ in found or id_ in whole
    ]


def _distributed(installed: Installation, snapshot: Snapshot, now: datetime) -> SparkEngine:
    """The same books on Spark. A share of them is small, and stays with the embedded engine."""
    said = installed.config.spark
    engine = SparkEngine.over(installed.store, snapshot, session(said.master, said.settings))
    engine.ask(Request(now, now.date()))
    return engine


def _narrowly(one: "_Asking", engine: Engine, asked: Plan) -> dict[str, Evaluation]:
    rules = one.ruleset.rules
    read = {name for id_ in asked.narrow for name in rules[id_].compiled.reads} - MOMENT
    empty = one.ruleset.empty_needs(engine, asked.narrow)
    with engine.share(asked.accounts, read) as share:
        share.hold("sources", source_rows(one.snapshot))
        share.ask(Request(one.now, one.now.date()))
        return {id_: replace(one.ask(id_, share, empty), accounts=asked.accounts) for id_ in asked.narrow}


@dataclass(frozen=True)
class _Asking:
    """One moment of one snapshot, of which checks are asked."""

    ruleset: Ruleset
    snapshot: Snapshot
    now: datetime
    bands: Bands

    def ask(self, check: str, engine: Engine | SparkEngine, empty: Collection[Need] | None = None) -> Evaluation:
        """`empty`: as `Ruleset.evaluate` takes it, where the engine holds a share of the books."""
        with tracer.start_as_current_span("check", attributes={"check": check}):
            found = self.ruleset.evaluate(
                check, engine, self.snapshot, self.now, whole_run=True, bands=self.bands, empty=empty
            )
        _outcomes.add(1, {"check": check, "outcome": found.outcome.value})
        return found


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
