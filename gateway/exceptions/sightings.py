"""What a sweep or the gate has seen, one sighting per fingerprint, and what that means for the case. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from checks.findings import Evaluation, Finding, Record
from gateway.exceptions.states import ACTIVE, Resolution, State

REOPEN_WINDOW = timedelta(days=30)  # later it is a new case that names the old one
EVIDENCE_ROWS = 50  # more rows than that nobody reads, and they are in the books
SHOWN_SUMS = 5


class Sighting(NamedTuple):
    """The findings of one fingerprint. `finding` is the largest, and its confidence counts; `amount` is the sum where
    money kind and currency are the same, else the largest."""

    fingerprint: str
    pattern: str
    finding: Finding
    severity: str
    amount: Decimal
    arithmetic: str
    message: str
    evidence: tuple[Record, ...]

    @property
    def content(self) -> str:
        """Changes when what the owner reads changes. Amounts of equal value count as equal."""
        finding = self.finding
        parts = (
            finding.severity,
            finding.kind,
            str(finding.account_key),
            format(self.amount.normalize(), "f"),
            str(finding.currency),
            self.arithmetic,
            self.message,
            format(finding.confidence.normalize(), "f"),
            *finding.confidence_reasons,
        )
        return hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Known:
    """What the queue has of a fingerprint. `original_active`: it duplicates a case that is still active."""

    number: int
    state: State
    severity: str
    amount: Decimal
    content: str
    resolved_at: datetime | None
    resolution: str | None
    accepted_until: datetime | None
    accepted_amount: Decimal | None
    original_active: bool
    confidence: Decimal
    reporting_amount: Decimal | None


class Verdict(StrEnum):
    """What a sighting does to its case."""

    NEW = "new"
    AGAIN = "again"
    CHANGED = "changed"
    REGRESSED = "regressed"
    RECURRED = "recurred"
    ACCEPTED = "accepted"
    OLD_NEWS = "old_news"


def sightings(evaluations: Iterable[Evaluation]) -> dict[str, Sighting]:
    """By fingerprint."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for evaluation in evaluations:
        pattern = evaluation.check.pattern
        for finding in evaluation.findings:
            grouped.setdefault((finding.fingerprint, pattern), []).append(finding)
    return {fingerprint: _sighting(fingerprint, pattern, found) for (fingerprint, pattern), found in grouped.items()}


def _sighting(fingerprint: str, pattern: str, findings: list[Finding]) -> Sighting:
    if len(findings) == 1:
        one = findings[0]
        return Sighting(
            fingerprint,
            pattern,
            one,
            one.severity,
            one.amount,
            one.arithmetic,
            one.message,
            one.evidence[:EVIDENCE_ROWS],
        )
    ordered = sorted(findings, key=lambda finding: (-finding.amount, finding.record))
    largest = ordered[0]
    alike = len({(finding.kind, finding.currency) for finding in ordered}) == 1
    rows = dict.fromkeys(record for finding in ordered for record in finding.evidence)
    sums = "; ".join(finding.arithmetic for finding in ordered[:SHOWN_SUMS])
    more = len(ordered) - SHOWN_SUMS
    return Sighting(
        fingerprint,
        pattern,
        largest,
        min(finding.severity for finding in ordered),
        sum((finding.amount for finding in ordered), Decimal()) if alike else largest.amount,
        f"{sums}; and {more} more" if more > 0 else sums,
        f"{largest.message} The same holds for {len(ordered) - 1} more of its records.",
        tuple(rows)[:EVIDENCE_ROWS],
    )


def verdict(known: Known | None, seen: Sighting, data_as_of: datetime, now: datetime) -> Verdict:
    """A closed case comes back only on data that are newer than its resolution: older ones cannot know better."""
    if known is None:
        return Verdict.NEW
    if known.state in ACTIVE:
        return Verdict.AGAIN if known.content == seen.content else Verdict.CHANGED
    if known.resolved_at is not None and data_as_of <= known.resolved_at:
        return Verdict.OLD_NEWS
    if _accepted(known, seen, now):
        return Verdict.ACCEPTED
    if known.resolved_at is None or now - known.resolved_at <= REOPEN_WINDOW:
        return Verdict.REGRESSED
    return Verdict.RECURRED


def _accepted(known: Known, seen: Sighting, now: datetime) -> bool:
    """Somebody has answered for it, for a time and up to an amount."""
    if known.resolution == Resolution.DUPLICATE_OF:
        return known.original_active
    if known.resolution not in (Resolution.ACCEPTED_RISK, Resolution.FALSE_POSITIVE):
        return False
    in_time = known.accepted_until is not None and now < known.accepted_until
    return in_time and known.accepted_amount is not None and seen.amount <= known.accepted_amount
