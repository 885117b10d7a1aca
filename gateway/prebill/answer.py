"""The answer of the gate, field by field in the order in which it is sent. Amounts are text, instants are UTC."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct

from checks.contract import Mode, MoneyKind, Outcome, Scope
from gateway.prebill.verdict import Draft, Judgement, Reason, Sums, Verdict


class Impact(Struct, frozen=True):
    """What a finding is about in money. Kinds are never added together."""

    kind: MoneyKind
    amount: str
    currency: str | None


class ReasonGiven(Struct, frozen=True):
    """Why an invoice or the run is held back or warned about; without money where nothing could be judged."""

    check: str
    outcome: Outcome
    mode: Mode
    scope: Scope
    line_id: str | None
    message: str
    expected: str | None
    actual: str | None
    impact: Impact | None
    confidence: str | None
    confidence_reasons: tuple[str, ...]
    exception_id: str | None


class InvoiceJudged(Struct, frozen=True):
    """One invoice of the run, with the reasons that are its own."""

    id: str
    account_id: str
    verdict: Verdict
    reasons: tuple[ReasonGiven, ...]


class RunJudged(Struct, frozen=True):
    """The run that was asked about, and up to which day it was expected to bill."""

    system: str
    id: str
    target_date: date


class Counts(Struct, frozen=True, kw_only=True, rename={"passed": "pass"}):
    """Invoices by verdict."""

    invoices: int
    passed: int
    warn: int
    block: int


class Amounts(Struct, frozen=True):
    """Totals of one currency. `held` is what a block keeps back; the kinds are never netted."""

    currency: str
    billed: str
    held: str
    leak: str
    overbill: str
    timing: str
    exposure: str


class Answer(Struct, frozen=True):
    """A verdict. Only `proceed: true` releases; a dry run never has it, and says in `would_proceed` what it is."""

    validation_id: str
    run: RunJudged
    mode: Literal["enforce", "dry_run"]
    verdict: Verdict
    proceed: bool
    would_proceed: bool
    evaluated_at: datetime
    expires_at: datetime
    content_hash: str
    ruleset: str
    as_of: dict[str, datetime | None]
    snapshot: str
    counts: Counts
    amounts: tuple[Amounts, ...]
    invoices: tuple[InvoiceJudged, ...]
    run_reasons: tuple[ReasonGiven, ...]
    not_applicable: tuple[str, ...]


def document(answer: Answer) -> dict[str, Any]:
    """The answer as JSON values, its fields in their order."""
    made: dict[str, Any] = msgspec.to_builtins(answer)
    return made


def invoices_judged(
    drafts: Sequence[Draft], judgement: Judgement, references: Mapping[str, str]
) -> tuple[InvoiceJudged, ...]:
    """Every invoice of the run; `references` are exception ids by fingerprint."""
    return tuple(
        InvoiceJudged(
            draft.id,
            draft.account_id,
            judgement.invoices[draft.id],
            reasons_given(judgement.reasons[draft.id], references),
        )
        for draft in drafts
    )


def reasons_given(reasons: Sequence[Reason], references: Mapping[str, str]) -> tuple[ReasonGiven, ...]:
    return tuple(_given(reason, references) for reason in reasons)


def _given(reason: Reason, references: Mapping[str, str]) -> ReasonGiven:
    found = reason.finding
    return ReasonGiven(
        reason.check,
        reason.outcome,
        reason.mode,
        reason.scope,
        reason.line_id,
        reason.message,
        _plain(found.expected) if found else None,
        _plain(found.actual) if found else None,
        Impact(found.kind, _plain(found.amount), found.currency) if found else None,
        _plain(found.confidence) if found else None,
        found.confidence_reasons if found else (),
        references.get(found.fingerprint) if found else None,
    )


def counts(judgement: Judgement) -> Counts:
    verdicts = list(judgement.invoices.values())
    return Counts(
        invoices=len(verdicts),
        passed=verdicts.count(Verdict.PASS),
        warn=verdicts.count(Verdict.WARN),
        block=verdicts.count(Verdict.BLOCK),
    )


def amounts(sums: Mapping[str, Sums]) -> tuple[Amounts, ...]:
    return tuple(
        Amounts(
            currency,
            _plain(of.billed),
            _plain(of.held),
            **{kind.value: _plain(of.kinds[kind]) for kind in MoneyKind},
        )
        for currency, of in sums.items()
    )


def _plain(amount: Decimal) -> str:
    """At least two places, no exponent: what a machine reads back without loss."""
    whole, _, places = f"{amount:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
