"""The rows of the queue: cases, their events, the terms they were promised, the audit log and its seals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    Sequence,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship
from sqlalchemy.types import UserDefinedType

from gateway.db.base import Base, Document
from gateway.db.immutable import make_immutable

CASE_NUMBER = Sequence("case_number", metadata=Base.metadata)
ACTIVE_SQL = "state IN ('open','acknowledged','in_progress','pending_customer','pending_vendor','pending_approval')"


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's xid8: a transaction's number, never reused. As text in Python."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class FrozenTerms(Base):
    """Deadlines and ladders as owners.yaml had them. Many cases share one row, by its digest.

    The digest is not unique on purpose: two writers of the same terms would wait for each other, and a decision
    would wait for a sweep. Rows of one digest are equal, so any of them will do.
    """

    __tablename__ = "sla_terms"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    digest: Mapped[str] = mapped_column(index=True)
    document: Mapped[Document]
    frozen_at: Mapped[datetime]


class CaseSeen(Base):
    """What every sweep writes about a case, apart from the case because that row is wide.

    `occurrences` counts the sweeps that found it. `data_at` and `clean_data_at` say how new the data were that last
    showed the state broken, and clean; `clean_streak` counts the clean evaluations since it was last found.
    """

    __tablename__ = "case_seen"
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)

    case_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_at: Mapped[datetime]
    data_at: Mapped[datetime]
    occurrences: Mapped[int] = mapped_column(server_default=text("1"))
    clean_streak: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    clean_data_at: Mapped[datetime | None]


class Case(Base):
    """One broken state, from the day it was found to the day it is proved mended.

    At most one case per fingerprint is `current`; an older one was left behind by a recurrence. `ack_due_at`,
    `resolve_due_at` and `next_step_at` follow from the events and are kept for searching.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("uq_cases_current_fingerprint", "fingerprint", unique=True, postgresql_where=text("current")),
        Index("ix_cases_next_step_at", "next_step_at", postgresql_where=text("next_step_at IS NOT NULL")),
        Index("ix_cases_state_check_id", "state", "check_id"),
        Index("ix_cases_account_key", "account_key"),
        CheckConstraint("amount >= 0", name="amount_is_a_size"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_is_a_share"),
    )

    number: Mapped[int] = mapped_column(CASE_NUMBER, primary_key=True, server_default=CASE_NUMBER.next_value())
    fingerprint: Mapped[str]
    current: Mapped[bool] = mapped_column(server_default=text("true"))

    check_id: Mapped[str]
    check_version: Mapped[int] = mapped_column(SmallInteger)
    pattern: Mapped[str]
    severity: Mapped[str]
    mode: Mapped[str]
    scope: Mapped[str]
    money_kind: Mapped[str]
    account_key: Mapped[str | None]
    account_name: Mapped[str | None]
    record_system: Mapped[str]
    record_entity: Mapped[str]
    record_key: Mapped[str]
    subject: Mapped[str]
    period_start: Mapped[date | None] = mapped_column(Date)
    period_end: Mapped[date | None] = mapped_column(Date)
    invoice_key: Mapped[str | None]
    line_key: Mapped[str | None]
    content: Mapped[str]
    reads: Mapped[list[str]] = mapped_column(ARRAY(Text))

    expected: Mapped[Decimal]
    actual: Mapped[Decimal]
    amount: Mapped[Decimal]
    currency: Mapped[str | None]
    reporting_amount: Mapped[Decimal | None]
    terms: Mapped[Document]
    arithmetic: Mapped[str]
    message: Mapped[str]
    evidence: Mapped[list[Any]]
    confidence: Mapped[Decimal] = mapped_column(Numeric(5, 4), server_default=text("1"))
    confidence_reasons: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))

    fails_from: Mapped[datetime]
    first_detected_at: Mapped[datetime]

    state: Mapped[str]
    cycle: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    regressed: Mapped[bool] = mapped_column(server_default=text("false"))
    overridden: Mapped[bool] = mapped_column(server_default=text("false"))
    disputed: Mapped[bool] = mapped_column(server_default=text("false"))
    orphaned: Mapped[bool] = mapped_column(server_default=text("false"))
    recurrence_of: Mapped[int | None] = mapped_column(ForeignKey("cases.number"))
    parent: Mapped[int | None] = mapped_column(ForeignKey("cases.number"))

    business_team: Mapped[str]
    business_owner: Mapped[str]
    technical_team: Mapped[str]
    technical_owner: Mapped[str]
    calendar: Mapped[str]
    sla_terms: Mapped[str]  # of `sla_terms`, which loses no rows
    cut_off_at: Mapped[datetime | None]
    ack_due_at: Mapped[datetime | None]
    resolve_due_at: Mapped[datetime | None]
    next_step_at: Mapped[datetime | None]

    acknowledged_at: Mapped[datetime | None]
    pending_until: Mapped[datetime | None]
    pending_reason: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    resolution_note: Mapped[str | None]
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("cases.number"))
    accepted_until: Mapped[datetime | None]
    accepted_amount: Mapped[Decimal | None]

    seen: Mapped[CaseSeen] = relationship(
        primaryjoin=lambda: Case.number == foreign(CaseSeen.case_number), lazy="joined", innerjoin=True, uselist=False
    )

    @property
    def reference(self) -> str:
        """The number that people use: EXC-12."""
        return f"EXC-{self.number}"


class CaseEvent(Base):
    """One thing that happened to a case. `before` and `after` hold only what it changed.

    `step` is the key of an escalation step: the database refuses the same step twice.
    """

    __tablename__ = "case_events"
    __table_args__ = (
        Index(
            "uq_case_events_case_number_step",
            "case_number",
            "step",
            unique=True,
            postgresql_where=text("step IS NOT NULL"),
        ),
        Index("ix_case_events_case_number_id", "case_number", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    case_number: Mapped[int]  # of `cases`, which loses no rows
    at: Mapped[datetime]
    actor: Mapped[str]
    move: Mapped[str]
    state: Mapped[str]
    note: Mapped[str | None]
    before: Mapped[Document] = mapped_column(server_default=text("'{}'"))
    after: Mapped[Document] = mapped_column(server_default=text("'{}'"))
    step: Mapped[str | None]


class AuditEntry(Base):
    """Who did what to which thing, over the whole gateway. `transaction` is the writer's, and tells the sealer
    when a range can grow no more."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_transaction", "transaction"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    transaction: Mapped[str] = mapped_column(TransactionId(), server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[Document] = mapped_column(server_default=text("'{}'"))
    after: Mapped[Document] = mapped_column(server_default=text("'{}'"))


class AuditSeal(Base):
    """A range of the audit log that can change no more without showing: [from_transaction, to_transaction)."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_transaction: Mapped[str] = mapped_column(TransactionId())
    to_transaction: Mapped[str] = mapped_column(TransactionId())
    entries: Mapped[int]
    previous: Mapped[str]
    digest: Mapped[str]
    sealed_at: Mapped[datetime]


for _record in (FrozenTerms, CaseEvent, AuditEntry, AuditSeal):
    make_immutable(cast(Table, _record.__table__))
