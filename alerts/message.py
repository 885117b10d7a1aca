"""What a channel is given to send: plain values, already decided and already formatted where wording matters.

A notice is about one group of cases. `cases` are the few that are shown, `more` counts the others of the group.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Kind = Literal[
    "opened",
    "reminder",
    "escalated",
    "breached",
    "resolved",
    "regressed",
    "raised",
    "undeliverable",
    "digest",
]
Severity = Literal["S1", "S2", "S3", "S4"]


@dataclass(frozen=True)
class EvidenceRow:
    """One source record that a finding rests on: which system, which record, its named values in order."""

    system: str
    record: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseCard:
    """One case as its owner sees it.

    `reference` is the number people use ("EXC-12"), `amount` is in whole units of `currency`, `money_kind` is
    leak, overbill, timing or exposure, `arithmetic` is the formula with its numbers put in. `due_at` is an aware
    instant; `due_text` says it in the words of the owner's business calendar and wins where both are given.
    `confidence` says how sure the finding is and why, empty where it is certain; `since_last` is what happened to the
    case since the last digest, empty outside of one.
    """

    reference: str
    title: str
    why: str
    message: str
    account: str
    amount: Decimal
    currency: str
    money_kind: str
    expected: str
    actual: str
    arithmetic: str
    due_at: datetime | None
    due_text: str
    rows: tuple[EvidenceRow, ...]
    link: str
    confidence: str = ""
    since_last: str = ""


@dataclass(frozen=True)
class Notice:
    """One message to one owner about one group of cases.

    `dedupe_key` is the same whenever the same notice is sent again, so that a receiver can drop the second one.
    `now` is the aware instant at which the notice was decided.
    """

    dedupe_key: str
    kind: Kind
    headline: str
    severity: Severity
    owner_name: str
    cases: tuple[CaseCard, ...]
    more: int
    queue_url: str
    now: datetime
