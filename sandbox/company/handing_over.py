"""Events of the hand-over from the CRM to billing, as billing applied them."""

from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.model import RecordChange
from sandbox.company.render_audit import INTEGRATION_USER
from sandbox.company.world import World


def applied(
    world: World,
    account_id: str,
    record: tuple[str, str, str],
    sequence: int,
    after: str,
    ago: timedelta,
    effective: date,
    *,
    worth: tuple[Decimal, str] | None = None,
) -> RecordChange:
    """An event for (object, record, field) that was applied so long ago; `worth` is an amount with its currency."""
    kind, key, field = record
    change = RecordChange(
        change_id=f"rc-{world.ids.number('record change'):08d}",
        customer=account_id,
        object=kind,
        record_key=key,
        field=field,
        before=None,
        after=after,
        changed_at=world.now - ago,
        changed_by=INTEGRATION_USER,
        via="integration",
        client="cpq-connector",
        sequence=sequence,
        effective=effective,
        amount=worth[0] if worth else None,
        currency=worth[1] if worth else None,
    )
    world.record_changes.append(change)
    return change
