"""A source that is stale or silently empty is one fault with many symptoms: the symptoms hang on its case."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.exceptions.tables import ACTIVE_SQL

SOURCE_FAULTS = ("source_stale", "integration_empty_run")

_ACTIVE_FAULTS = f"""
SELECT number, unnest(string_to_array(subject, '/') || record_system) AS system
FROM cases WHERE current AND check_id = ANY(:faults) AND {ACTIVE_SQL}
"""
_LINK = f"""
UPDATE cases c SET parent = fault.number
FROM (SELECT system, min(number) AS number FROM ({_ACTIVE_FAULTS}) f GROUP BY system) fault
WHERE c.current AND c.parent IS NULL AND c.state = 'open' AND c.check_id <> ALL(:faults)
  AND fault.system = ANY(c.reads)
"""


def link_to_faults(session: Session) -> None:
    """Give every open case that reads a faulty source that source's case as its parent."""
    if active_faults(session):
        session.execute(text(_LINK), {"faults": list(SOURCE_FAULTS)})


def active_faults(session: Session) -> Mapping[str, int]:
    """System to the case that says it is at fault."""
    rows = session.execute(text(_ACTIVE_FAULTS), {"faults": list(SOURCE_FAULTS)})
    return {row.system: row.number for row in rows}
