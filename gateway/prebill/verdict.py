"""From evaluations to a verdict: pure functions. What could not be judged and would have blocked, blocks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from checks.contract import Mode, MoneyKind, Outcome, Scope
from checks.findings import Evaluation, Finding


class Verdict(StrEnum):
    """What may happen to an invoice or a run."""

    PASS = "pass"
    WARN = "warn"
    BLOCK = "block"


_WEIGHT = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.BLOCK: 2}
_OF_MODE = {
    Mode.BLOCK: Verdict.BLOCK,
    Mode.WARN: Verdict.WARN,
    Mode.MONITOR: Verdict.PASS,
    Mode.SHADOW: Verdict.PASS,
}


@dataclass(frozen=True)
class Draft:
    """What the verdict needs of one draft invoice. `account_key` is None for an account that nothing knows."""

    id: str
    account_id: str
    account_key: str | None
    currency: str
    total: Decimal


@dataclass(frozen=True)
class Reason:
    """Why an invoice or a run is held back or warned about. `finding` carries the money, where there is any."""

    check: str
    outcome: Outcome
    mode: Mode
    scope: Scope
    message: str
    finding: Finding | None = None
    line_id: str | None = None

    @property
    def verdict(self) -> Verdict:
        return _OF_MODE[self.mode]


@dataclass(frozen=True)
class Sums:
    """Money of one currency. `held` is what a block keeps back: all of it where the block is the run's."""

    billed: Decimal
    held: Decimal
    kinds: Mapping[MoneyKind, Decimal]


@dataclass(frozen=True)
class Judgement:
    """The verdicts of one request. `findings` are those that concern the run, each once; `sums` are per currency."""

    verdict: Verdict
    invoices: Mapping[str, Verdict]
    reasons: Mapping[str, Sequence[Reason]]
    run_reasons: Sequence[Reason]
    findings: Sequence[Finding]
    sums: Mapping[str, Sums]
    not_applicable: Sequence[str]


def judge_run(
    drafts: Sequence[Draft],
    evaluations: Iterable[Evaluation],
    refusals: Iterable[tuple[str | None, Reason]],
    fail_open: Mapping[str, str],
) -> Judgement:
    """Lay evaluations over the drafts.

    `refusals` are reasons from before any check: (invoice id or None for the run, reason). `fail_open` names the
    checks that do not block while they cannot be evaluated, each with the person who answers for it.
    """
    board = _Board(drafts)
    for invoice, reason in refusals:
        board.pin(reason, None if invoice is None else [invoice])
    not_applicable = []
    for evaluation in evaluations:
        if evaluation.outcome is Outcome.NOT_APPLICABLE:
            not_applicable.append(evaluation.check.id)
        else:
            board.take(evaluation, fail_open.get(evaluation.check.id))
    return board.judgement(drafts, sorted(not_applicable))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_WEIGHT.__getitem__, default=Verdict.PASS)


class _Board:
    """Reasons, pinned to the invoices that they concern or to the run."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._reasons: dict[str, list[Reason]] = {draft.id: [] for draft in drafts}
        self._run_reasons: list[Reason] = []
        self._findings: list[Finding] = []
        self._of_account: dict[str, list[str]] = defaultdict(list)
        for draft in drafts:
            if draft.account_key is not None:
                self._of_account[draft.account_key].append(draft.id)

    def pin(self, reason: Reason, invoices: Collection[str] | None) -> None:
        if invoices is None:
            self._run_reasons.append(reason)
        for invoice in invoices or ():
            self._reasons[invoice].append(reason)

    def take(self, evaluation: Evaluation, answers_for_it: str | None) -> None:
        """Pin what one check found, and what of it nobody can judge."""
        check = evaluation.check
        unjudged = [
            (row.reason, self._concerned(check.scope, row.account_key, row.invoice_key)) for row in evaluation.waiting
        ]
        if evaluation.outcome is Outcome.NOT_EVALUATED and not evaluation.waiting:
            unjudged = [(evaluation.reason or "It could not be evaluated.", None)]
        for message, invoices in unjudged:
            reason = Reason(check.id, Outcome.NOT_EVALUATED, check.gravest_mode, check.scope, message)
            self.pin(_let_pass(reason, answers_for_it) if answers_for_it else reason, invoices)
        for finding in evaluation.findings:
            self._take_finding(check.scope, finding)

    def _take_finding(self, scope: Scope, finding: Finding) -> None:
        invoices = self._concerned(scope, finding.account_key, finding.invoice_key)
        if invoices is not None and not invoices:
            return
        self._findings.append(finding)
        self.pin(
            Reason(finding.check, Outcome.FAILED, finding.mode, scope, finding.message, finding, finding.line_key),
            invoices,
        )

    def _concerned(self, scope: Scope, account_key: str | None, invoice_key: str | None) -> Collection[str] | None:
        """The invoices of the run that a row is about; none for a row about somebody else's, None for the run."""
        if scope is Scope.RUN:
            return None
        if scope is Scope.ACCOUNT:
            return self._of_account.get(account_key or "", ())
        return (invoice_key,) if invoice_key in self._reasons else ()

    def judgement(self, drafts: Sequence[Draft], not_applicable: Sequence[str]) -> Judgement:
        unjudged = worst(r.verdict for r in self._run_reasons if r.outcome is Outcome.NOT_EVALUATED)
        invoices = {id_: worst([unjudged, *(r.verdict for r in found)]) for id_, found in self._reasons.items()}
        of_run = worst(reason.verdict for reason in self._run_reasons)
        held = {id_ for id_, verdict in invoices.items() if Verdict.BLOCK in (verdict, of_run)}
        return Judgement(
            worst([of_run, *invoices.values()]),
            invoices,
            self._reasons,
            self._run_reasons,
            self._findings,
            _sums(drafts, held, self._findings),
            not_applicable,
        )


def _let_pass(reason: Reason, answers_for_it: str) -> Reason:
    """Failing open: it is said, and it only warns."""
    if reason.mode is not Mode.BLOCK:
        return reason
    said = (
        f"{reason.message} tieout.yaml lets this check fail open, so it only warns; {answers_for_it} answers for that."
    )
    return replace(reason, mode=Mode.WARN, message=said)


def _sums(drafts: Sequence[Draft], held: Collection[str], findings: Sequence[Finding]) -> dict[str, Sums]:
    billed: dict[str, Decimal] = defaultdict(Decimal)
    kept: dict[str, Decimal] = defaultdict(Decimal)
    kinds: dict[str, dict[MoneyKind, Decimal]] = defaultdict(lambda: dict.fromkeys(MoneyKind, Decimal(0)))
    for draft in drafts:
        billed[draft.currency] += draft.total
        if draft.id in held:
            kept[draft.currency] += draft.total
    for finding in findings:
        if finding.currency is not None:
            kinds[finding.currency][finding.kind] += finding.amount
    currencies = sorted({*billed, *kinds})
    return {currency: Sums(billed[currency], kept[currency], kinds[currency]) for currency in currencies}
