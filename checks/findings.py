"""What a check found: one broken state, its record, its money and the rows that prove it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from checks.confidence import CERTAIN, DECLARED
from checks.contract import Check, Mode, MoneyKind, Outcome, Owner, Scope, Severity


@dataclass(frozen=True, order=True)
class Record:
    """A row of the books: (system, entity, key)."""

    system: str
    entity: str
    key: str

    @classmethod
    def parse(cls, text: str) -> "Record":
        """From `system/entity/key`; the key may itself hold slashes."""
        system, entity, key = text.split("/", 2)
        return cls(system, entity, key)

    def __str__(self) -> str:
        return f"{self.system}/{self.entity}/{self.key}"


@dataclass(frozen=True)
class Finding:
    """One failing row, decided with Decimal. Amounts are in `currency`, `amount` is never negative.

    `period` is half-open; `arithmetic` is the formula with the numbers put in. `confidence` is 0 to 1.
    """

    check: str
    version: int
    severity: Severity
    mode: Mode
    scope: Scope
    kind: MoneyKind
    owners: tuple[Owner, Owner]
    record: Record
    account_key: str | None
    subject: str
    period: tuple[date | None, date | None]
    expected: Decimal
    actual: Decimal
    amount: Decimal
    currency: str | None
    terms: Mapping[str, Decimal]
    arithmetic: str
    message: str
    evidence: tuple[Record, ...]
    invoice_key: str | None
    line_key: str | None
    fails_from: datetime
    confidence: Decimal = CERTAIN
    confidence_reasons: tuple[str, ...] = (DECLARED,)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.check, self.version, self.subject, self.period)


def fingerprint(check: str, version: int, subject: str, period: tuple[date | None, date | None]) -> str:
    """What stays the same while the state stays broken: check, major version, subject keys and period."""
    parts = (check, str(version), subject, *(day.isoformat() if day else "" for day in period))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Waiting:
    """A row that may not be judged yet: the system that would hold the counterpart is behind, or a term is unknown."""

    account_key: str | None
    record: Record
    invoice_key: str | None
    reason: str


class WaitsFor(StrEnum):
    """What has to come to an instant before a row is judged."""

    CLOCK = "clock"
    WATERMARK = "watermark"  # of the system that would hold the counterpart


@dataclass(frozen=True)
class Later:
    """A row to look at again: once the clock has come to `at`, or once the counterpart's system is known past it."""

    account_key: str | None
    waits_for: WaitsFor
    at: datetime


@dataclass(frozen=True)
class Evaluation:
    """What came of asking one check.

    `later` are the rows to look at again. `accounts` are those that were asked about; None for all of the books. Of
    any other account, and of rows that belong to none, an evaluation of some accounts says nothing.
    """

    check: Check
    outcome: Outcome
    reason: str | None
    findings: tuple[Finding, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    later: tuple[Later, ...] = ()
    accounts: frozenset[str] | None = None

    @property
    def wake_ups(self) -> tuple[datetime, ...]:
        """The instants at which a row becomes a finding."""
        return tuple(row.at for row in self.later if row.waits_for is WaitsFor.CLOCK)

    @property
    def conclusive(self) -> bool:
        """Asked, with an answer for every row that does not wait. A check that was not asked at all has none."""
        if self.outcome is Outcome.NOT_EVALUATED:
            return bool(self.waiting)
        return self.outcome in (Outcome.PASSED, Outcome.FAILED)

    @property
    def concerns_nobody(self) -> bool:
        """Whether some of its rows belong to no account."""
        return any(row.account_key is None for rows in (self.findings, self.waiting, self.later) for row in rows)
