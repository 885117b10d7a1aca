"""From evaluations to a verdict: a pure function. What could not be judged and would have blocked, blocks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from checks.contract import Mode, MoneyKind, Outcome, Scope
from checks.findings import Evaluation, Finding


class Verdict(StrEnum):
    """What may happen to an invoice or a run."""

    PASS = "pass"
    WARN = "warn"
    BLOCK = "block"


_WEIGHT = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.BLOCK: 2}
_OF_MODE = {Mode.BLOCK: Verdict.BLOCK, Mode.WARN: Verdict.WARN, Mode.MONITOR: Verdict.PASS}


@dataclass(frozen=True)
class Draft:
    """What the verdict needs of one draft invoice. `account_key` is None for an account that nothing knows."""

    id: str
    account_id: str
    account_key: str | None
    currency: str
    total: Decimal
    lines: int


@dataclass(frozen=True)
class Reason:
    """Why an invoice or a run is held back or warned about. `finding` carries the money, where there is any."""

    check: str
    outcome: Outcome
    mode: Mode
    scope: Scope
    message: str
    finding: Finding | None = None
    failed_open_by: str | None = None

    @property
    def verdict(self) -> Verdict:
        return Verdict.PASS if self.failed_open_by else _OF_MODE[self.mode]

    def shown(self, references: Mapping[str, str]) -> dict[str, Any]:
        """The reason as the answer prints it; `references` are exception ids by fingerprint."""
        found = self.finding
        shown: dict[str, Any] = {
            "check": self.check,
            "outcome": self.outcome.value,
            "mode": self.mode.value,
            "scope": self.scope.value,
            "line_id": found.line_key if found else None,
            "message": self.message,
            "expected": _plain(found.expected) if found else None,
            "actual": _plain(found.actual) if found else None,
            "impact": _impact(found),
            "exception_id": references.get(found.fingerprint) if found else None,
        }
        return shown | ({"failed_open_by": self.failed_open_by} if self.failed_open_by else {})


@dataclass(frozen=True)
class Judgement:
    """The verdicts of one request, before it is answered."""

    drafts: Sequence[Draft]
    reasons: Mapping[str, Sequence[Reason]]  # per invoice id
    run_reasons: Sequence[Reason]
    not_applicable: Sequence[str] = field(default_factory=tuple)

    def of_invoice(self, invoice: str) -> Verdict:
        return worst(reason.verdict for reason in (*self.reasons.get(invoice, ()), *self._of_whole_run()))

    def of_run(self) -> Verdict:
        return worst(
            [*(self.of_invoice(draft.id) for draft in self.drafts), *(reason.verdict for reason in self.run_reasons)]
        )

    def findings(self) -> list[Finding]:
        """Every finding once, in a stable order."""
        reasons = [*self.run_reasons, *(r for listed in self.reasons.values() for r in listed)]
        found = {r.finding.fingerprint: r.finding for r in reasons if r.finding is not None}
        return [found[fingerprint] for fingerprint in sorted(found)]

    def counts(self) -> dict[str, int]:
        verdicts = [self.of_invoice(draft.id) for draft in self.drafts]
        return {"invoices": len(verdicts), **{v.value: verdicts.count(v) for v in Verdict}}

    def amounts(self) -> list[dict[str, str]]:
        """Per currency: billed and held totals, and each kind of impact, never netted."""
        currencies = sorted({d.currency for d in self.drafts} | {f.currency for f in self.findings() if f.currency})
        return [self._amounts_in(currency) for currency in currencies]

    def _amounts_in(self, currency: str) -> dict[str, str]:
        drafts = [draft for draft in self.drafts if draft.currency == currency]
        held = [draft for draft in drafts if self.of_invoice(draft.id) is Verdict.BLOCK]
        found = [f for f in self.findings() if f.currency == currency]
        kinds = {kind.value: sum((f.amount for f in found if f.kind is kind), Decimal(0)) for kind in MoneyKind}
        sums = {"billed": sum((d.total for d in drafts), Decimal(0)), "held": sum((d.total for d in held), Decimal(0))}
        return {"currency": currency, **{name: _plain(amount) for name, amount in (sums | kinds).items()}}

    def _of_whole_run(self) -> list[Reason]:
        """Run reasons that hold for every invoice: those that could not be judged."""
        return [reason for reason in self.run_reasons if reason.outcome is Outcome.NOT_EVALUATED]


def judge_run(
    drafts: Sequence[Draft],
    evaluations: Iterable[Evaluation],
    refusals: Sequence[tuple[str | None, Reason]],
    fail_open: Mapping[str, str],
) -> Judgement:
    """Lay evaluations over the drafts. `refusals` are reasons from before any check: (invoice id or None, reason)."""
    reasons: dict[str, list[Reason]] = {draft.id: [] for draft in drafts}
    run_reasons: list[Reason] = []
    not_applicable: list[str] = []
    for invoice, reason in refusals:
        (run_reasons if invoice is None else reasons[invoice]).append(reason)
    for evaluation in evaluations:
        if evaluation.outcome is Outcome.NOT_APPLICABLE:
            not_applicable.append(evaluation.check.id)
            continue
        for invoices, reason in _placed(evaluation, drafts, fail_open.get(evaluation.check.id)):
            if invoices is None:
                run_reasons.append(reason)
            for invoice in invoices or ():
                reasons[invoice].append(reason)
    return Judgement(drafts, reasons, run_reasons, tuple(sorted(not_applicable)))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_WEIGHT.__getitem__, default=Verdict.PASS)


def _placed(
    evaluation: Evaluation, drafts: Sequence[Draft], failed_open_by: str | None
) -> list[tuple[list[str] | None, Reason]]:
    """Each reason with the invoices that it concerns; None for the run."""
    check = evaluation.check
    placed: list[tuple[list[str] | None, Reason]] = []
    if evaluation.outcome is Outcome.NOT_EVALUATED and not evaluation.waiting:
        message = evaluation.reason or "It could not be evaluated."
        reason = Reason(check.id, Outcome.NOT_EVALUATED, check.mode, check.scope, message, None, failed_open_by)
        return [(None, reason)] if check.mode is not Mode.MONITOR else []
    for row in evaluation.waiting:
        reason = Reason(check.id, Outcome.NOT_EVALUATED, check.mode, check.scope, row.reason, None, failed_open_by)
        placed.append((_concerned(check.scope, drafts, row.account_key, row.invoice_key), reason))
    for finding in evaluation.findings:
        reason = Reason(check.id, Outcome.FAILED, finding.mode, check.scope, finding.message, finding)
        placed.append((_concerned(check.scope, drafts, finding.account_key, finding.invoice_key), reason))
    return placed


def _concerned(
    scope: Scope, drafts: Sequence[Draft], account_key: str | None, invoice_key: str | None
) -> list[str] | None:
    """Invoices of the run that a row holds back. A row about an invoice outside the run concerns none of them."""
    if scope is Scope.RUN:
        return None
    if scope is Scope.ACCOUNT:
        return [draft.id for draft in drafts if account_key is not None and draft.account_key == account_key]
    return [draft.id for draft in drafts if draft.id == invoice_key]


def _impact(finding: Finding | None) -> dict[str, str | None] | None:
    if finding is None:
        return None
    return {"kind": finding.kind.value, "amount": _plain(finding.amount), "currency": finding.currency}


def _plain(amount: Decimal) -> str:
    """At least two places, no exponent: what a machine reads back without loss."""
    text = f"{amount:f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
