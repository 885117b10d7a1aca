"""The audit trail of the billing platform, as it exports it: who wrote which field of which record; and approvals."""

import json
from collections import defaultdict
from collections.abc import Iterator

from sandbox.company.audit_records import Approval, FieldChange
from sandbox.company.file_format import instant
from sandbox.company.model import RecordChange
from sandbox.company.world import World

INTEGRATION_USER = "crm-to-billing@example.com"


def render_audit(world: World) -> dict[str, str]:
    """`record_changes/2026-11.jsonl`, by the month of the change; `approvals` and `metadata_changes`."""
    files: dict[str, list[str]] = defaultdict(list)
    changes = [*_resized(world), *world.record_changes]
    for change in sorted(changes, key=lambda change: (change.changed_at, change.change_id)):
        files[f"record_changes/{change.changed_at:%Y-%m}.jsonl"].append(_line(change))
    for approval in world.approvals:
        files["approvals/all.jsonl"].append(_approval(approval))
    for redefined in world.field_changes:
        files["metadata_changes/all.jsonl"].append(_redefined(redefined))
    return {name: "".join(files[name]) for name in sorted(files)}


def _resized(world: World) -> Iterator[RecordChange]:
    """Changes of quantity that the CRM handed over: one for every segment of a charge but the first."""
    for charge in world.charges.values():
        for before, after in zip(charge.segments, charge.segments[1:], strict=False):
            yield RecordChange(
                change_id=f"rc-{after.billing_id[-12:]}",
                customer=charge.account_id,
                object="RatePlanCharge",
                record_key=charge.number,
                field="Quantity",
                before=str(before.quantity),
                after=str(after.quantity),
                changed_at=after.created_at,
                changed_by=INTEGRATION_USER,
                via="integration",
                client="cpq-connector",
                sequence=after.number,
                effective=after.start,
            )


def _line(change: RecordChange) -> str:
    said = {
        "change_id": change.change_id,
        "customer": change.customer,
        "object": change.object,
        "record_key": change.record_key,
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "changed_at": instant(change.changed_at),
        "changed_by": change.changed_by,
        "via": change.via,
        "client": change.client,
        "ticket": change.ticket,
        "sequence": change.sequence,
        "effective_date": change.effective.isoformat() if change.effective else None,
        "amount": str(change.amount) if change.amount is not None else None,
        "currency": change.currency,
    }
    return json.dumps(said) + "\n"


def _redefined(change: FieldChange) -> str:
    said = {
        "change_id": change.change_id,
        "object": change.object,
        "field": change.field,
        "change": change.change,
        "before": change.before,
        "after": change.after,
        "seen_at": instant(change.seen_at),
    }
    return json.dumps(said) + "\n"


def _approval(approval: Approval) -> str:
    said = {
        "approval_id": approval.approval_id,
        "kind": approval.kind,
        "object": approval.object,
        "record_key": approval.record_key,
        "approver": approval.approver,
        "decided_at": instant(approval.decided_at),
        "customer": approval.customer,
        "until": approval.until.isoformat() if approval.until else None,
        "status": approval.status,
    }
    return json.dumps(said) + "\n"
