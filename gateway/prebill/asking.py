"""Ask the checks about one run. Whatever goes wrong with a check leaves it not evaluated, with the reason."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import duckdb

from books.engine import Engine, Request
from checks.contract import Check, Mode, Outcome, Scope
from checks.findings import Evaluation, Finding
from checks.judging import Bands
from checks.ruleset import Ruleset
from gateway.prebill.overlay import Overlay
from gateway.prebill.truth import Truth

log = logging.getLogger(__name__)

STALE = "source_stale"
# No amount of the queue is larger, with room for exchange rates.
LARGEST = Decimal(10) ** 17
# How a check can fail on rows that it did not reckon with: in the engine, in its arithmetic, in its message.
_FAULTS = (duckdb.Error, ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Asking:
    """The checks of one installation. `fail_open` names those that do not block while they cannot be evaluated."""

    ruleset: Ruleset
    fail_open: Collection[str]

    def prepare(self) -> None:
        """Make the SQL of every check that acts at the gate, so that the first request does not wait for it."""
        self.ruleset.prepare(check.id for check in self._acting())

    def evaluate(self, truth: Truth, overlay: Overlay, request: Request, bands: Bands) -> list[Evaluation]:
        """Every check that acts at the gate: first those about single customers, then those about the whole run."""
        checks = self._acting()
        of_customers = [check for check in checks if check.scope is not Scope.RUN]
        of_run = [check for check in checks if check.scope is Scope.RUN]
        engine = overlay.narrow({need.entity for check in of_customers for need in check.needs})
        evaluations = [self._ask(check, truth, engine, request, bands) for check in of_customers]
        if of_run and request.whole_run:
            engine = overlay.widen()
        elsewhere = overlay.elsewhere()
        evaluations += [_without(elsewhere, self._ask(check, truth, engine, request, bands)) for check in of_run]
        return self._spare_unread(evaluations, truth)

    def _acting(self) -> list[Check]:
        """A run grants no credit: what would hold a credit memo says nothing about its invoices."""
        rules = self.ruleset.rules.values()
        return [r.check for r in rules if r.check.mode.acts_at_gate and r.check.scope is not Scope.CREDIT_MEMO]

    def _ask(self, check: Check, truth: Truth, engine: Engine, request: Request, bands: Bands) -> Evaluation:
        try:
            evaluation = self.ruleset.evaluate(
                check.id,
                engine,
                truth.snapshot,
                request.now,
                whole_run=request.whole_run,
                bands=bands,
                empty=truth.empty,
            )
        except _FAULTS as fault:
            log.exception("The check %s could not be worked out.", check.id)
            first = str(fault).partition("\n")[0]
            return Evaluation(check, Outcome.NOT_EVALUATED, f"It could not be worked out: {first}")
        if any(_too_large(finding) for finding in evaluation.findings):
            return Evaluation(check, Outcome.NOT_EVALUATED, f"It came to an amount of {LARGEST:,f} or more.")
        return evaluation

    def _spare_unread(self, evaluations: list[Evaluation], truth: Truth) -> list[Evaluation]:
        """A stale source blocks only where a blocking check of this request reads it; elsewhere it is a warning."""
        reads = systems_read(self.ruleset)
        read = {
            system
            for evaluation in evaluations
            if evaluation.check.gravest_mode is Mode.BLOCK
            and evaluation.outcome is not Outcome.NOT_APPLICABLE
            and evaluation.check.id not in (STALE, *self.fail_open)
            for system in reads[evaluation.check.id]
        }
        unread = {system for system, _ in truth.snapshot.readings} - read
        return [
            replace(e, findings=tuple(_spared(f, unread) for f in e.findings)) if e.check.id == STALE else e
            for e in evaluations
        ]


def _without(elsewhere: Collection[str], evaluation: Evaluation) -> Evaluation:
    """What an evaluation says of the customers whom the run bills: others are for the run that bills them."""
    findings = tuple(f for f in evaluation.findings if f.account_key not in elsewhere)
    waiting = tuple(w for w in evaluation.waiting if w.account_key not in elsewhere)
    if (len(findings), len(waiting)) == (len(evaluation.findings), len(evaluation.waiting)):
        return evaluation
    if findings:
        return replace(evaluation, findings=findings, waiting=waiting)
    outcome, reason = (Outcome.NOT_EVALUATED, waiting[0].reason) if waiting else (Outcome.PASSED, None)
    return replace(evaluation, outcome=outcome, reason=reason, findings=(), waiting=waiting)


def systems_read(ruleset: Ruleset) -> Mapping[str, frozenset[str]]:
    """Per check the systems whose tables it reads."""
    return {
        id_: frozenset(s for need in rule.check.needs for s in ruleset.books.systems(need.entity, need.role))
        for id_, rule in ruleset.rules.items()
    }


def _spared(finding: Finding, unread: Collection[str]) -> Finding:
    spare = finding.mode is Mode.BLOCK and finding.record.system in unread
    return replace(finding, mode=Mode.WARN) if spare else finding


def _too_large(finding: Finding) -> bool:
    return max(abs(finding.expected), abs(finding.actual), finding.amount) >= LARGEST
