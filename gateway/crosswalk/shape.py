"""A link as machines read it."""

from typing import Any

from gateway.crosswalk.tables import Link


def link_shape(link: Link) -> dict[str, Any]:
    """The score is text, instants are ISO 8601."""
    return {
        "reference": link.reference,
        "basis": link.basis,
        "record": {
            "system": link.left_system,
            "entity": link.left_entity,
            "key": link.left_key,
            "name": link.left_name,
        },
        "customer": {"system": link.right_system, "key": link.right_key, "name": link.right_name},
        "score": f"{link.score:f}",
        "reason": link.reason,
        "proposed_at": link.proposed_at.isoformat(),
        "decided_at": link.decided_at.isoformat() if link.decided_at else None,
        "decided_by": link.decided_by,
        "note": link.note,
    }
