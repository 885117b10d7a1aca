"""What audit trails note beside the work of flows: writes by hand, and changes of fields and mappings."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sandbox.company.audit_records import Approval, FieldChange
from sandbox.company.model import RecordChange
from sandbox.company.world import World

OPERATIONS = "dana.ops@example.com"


def note_manual_work(world: World, rng: Random) -> None:
    """Every now and then operations correct a customer's record by hand, each time with a ticket."""
    for account in list(world.accounts.values()):
        if rng.random() < 0.08:
            change_by_hand(
                world, account.crm_id, "Account", account.number, "PurchaseOrderNumber", rng.choice(("ui", "import")),
                timedelta(days=rng.randint(1, 40)), before="", after=f"PO-{rng.randint(1_000, 9_999)}",
                ticket=f"CHG-{rng.randint(1_000, 9_999)}",
            )  # fmt: skip


def change_by_hand(
    world: World,
    customer: str,
    object_: str,
    record: str,
    field: str,
    via: str,
    ago: timedelta,
    *,
    before: str,
    after: str,
    by: str = OPERATIONS,
    ticket: str | None = None,
    amount: Decimal | None = None,
    currency: str | None = None,
) -> str:
    """Note a write that no flow made; returns its id."""
    made = RecordChange(
        change_id=f"hand-{world.ids.number('change by hand'):06d}",
        customer=customer,
        object=object_,
        record_key=record,
        field=field,
        before=before,
        after=after,
        changed_at=world.now - ago,
        changed_by=by,
        via=via,
        ticket=ticket,
        amount=amount,
        currency=currency,
    )
    world.record_changes.append(made)
    return made.change_id


def redefine(
    world: World, object_: str, field: str, change: str, before: str | None, after: str | None, seen_at: datetime
) -> str:
    """Note a change of a field or a mapping; returns its id."""
    made = FieldChange(
        f"setup-{world.ids.number('field change'):06d}", object_, field, change, before, after, seen_at
    )  # fmt: skip
    world.field_changes.append(made)
    return made.change_id


def approve(world: World, kind: str, object_: str, record: str | None, decided_at: datetime) -> None:
    """Note an approval of a change."""
    number = world.ids.number("approval")
    world.approvals.append(Approval(f"APR-{number}", kind, object_, record, "sam", decided_at))
