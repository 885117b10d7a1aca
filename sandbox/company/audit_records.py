"""What audit trails and tools for approvals know."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Approval:
    """Somebody allowed something: `object` and `record_key` say what, `kind` of which kind it is."""

    approval_id: str
    kind: str
    object: str
    record_key: str | None
    approver: str
    decided_at: datetime
    customer: str | None = None
    until: date | None = None
    status: str = "approved"


@dataclass(frozen=True)
class FieldChange:
    """Something that changed in how a system, or a flow's mapping, describes an object."""

    change_id: str
    object: str
    field: str
    change: str
    before: str | None
    after: str | None
    seen_at: datetime
