"""The life of an invoice: CURRENT, then CLOSED, then approved by a call of its own (vendors.md C1, D)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.billingplatform.refusals import FieldRefused

STATUSES = ("CURRENT", "CLOSED")
APPROVED = "APPROVED"


def check_invoice(
    before: Mapping[str, str], change: Mapping[str, Any], now: datetime | None = None
) -> dict[str, object]:
    """What else changes with the invoice. `before` is empty for a new one. Raises FieldRefused.

    An approval is accepted once the invoice is closed, and not in the call that closes it.
    """
    lowered = {name.lower(): value for name, value in change.items()}
    status, approval = lowered.get("status"), lowered.get("approvalstatus")
    was = before.get("Status", "")
    if "status" in lowered and status not in STATUSES:
        raise FieldRefused(f"An invoice cannot be {status}.", "Status")
    if was == "CLOSED" and status == "CURRENT":
        raise FieldRefused("A closed invoice cannot be opened again.", "Status")
    if approval is not None and (was != "CLOSED" or "status" in lowered):
        raise FieldRefused("Only a closed invoice can be approved, in a call of its own.", "ApprovalStatus")
    if approval not in (None, APPROVED):
        raise FieldRefused(f"An invoice cannot be {approval}.", "ApprovalStatus")
    if status == "CLOSED" and was == "CURRENT":
        return {"ClosedDate": now}
    return {"ApprovalDate": now} if approval else {}
