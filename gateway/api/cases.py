"""What the queue's routes answer, for their OpenAPI document: the shapes of gateway/exceptions/shape.py."""

from typing import Any

from pydantic import BaseModel


class Account(BaseModel):
    key: str | None
    name: str | None


class SourceRecord(BaseModel):
    """A row of the books."""

    system: str
    entity: str
    key: str


class Period(BaseModel):
    """Half-open, ISO dates."""

    start: str | None
    end: str | None


class Impact(BaseModel):
    kind: str
    amount: str
    currency: str | None


class Both(BaseModel):
    """Of the business owner and of the technical one."""

    business: str
    technical: str


class CaseShown(BaseModel):
    """A case as a list shows it. Instants are ISO 8601, UTC."""

    reference: str
    check: str
    severity: str
    state: str
    regressed: bool
    account: Account
    record: SourceRecord
    period: Period
    message: str
    impact: Impact
    confidence: str
    confidence_reasons: list[str]
    owners: Both
    teams: Both
    first_detected_at: str
    ack_due_at: str | None
    resolve_due_at: str | None


class Evidence(SourceRecord):
    """A row behind a case, with its values as a person reads them."""

    fields: dict[str, str]


class ClockShown(BaseModel):
    state: str
    due_at: str | None


class Clocks(BaseModel):
    ack: ClockShown | None
    resolve: ClockShown | None


class Event(BaseModel):
    at: str
    actor: str
    move: str
    state: str
    note: str | None


class CaseFileShown(CaseShown):
    """A case with its arithmetic, evidence, clocks and timeline."""

    expected: str
    actual: str
    arithmetic: str
    terms: dict[str, Any]
    evidence: list[Evidence]
    clocks: Clocks
    timeline: list[Event]


class TotalShown(BaseModel):
    """The cases of one kind and currency; kinds and currencies are never added together."""

    kind: str
    currency: str | None
    cases: int
    amount: str


class QueuePage(BaseModel):
    found: int
    page: int
    pages: int
    totals: list[TotalShown]
    exceptions: list[CaseShown]
