"""The books as a check sees them: unbound Ibis tables, named by entity and by the role of the system.

Nothing here holds a connection. An expression built from these tables compiles once and is then asked of
whatever engine holds tables of those names: the snapshot in a sweep, the run's share of it in the gate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import ibis
import ibis.expr.types as ir

from books.entities import entity

Role = Literal[
    "crm",
    "billing",
    "erp",
    "usage",
    "seats",
    "shipping",
    "work",
    "collections",
    "reference",
    "integration",
    "audit",
    "legacy",
    "controls",
]
ROLES: tuple[str, ...] = get_args(Role)

REQUEST_SCHEMA = ibis.schema(
    {
        "now": "timestamp('UTC', 6)",
        "today": "date",
        "target_date": "date",  # what is due up to and including this day must be on the run
        "whole_run": "boolean",  # the request claims to hold every invoice of its run, or a sweep asks
    }
)
SOURCES_SCHEMA = ibis.schema(
    {
        "system": "string",
        "entity": "string",
        "watermark": "timestamp('UTC', 6)",
        "fresh_from": "timestamp('UTC', 6)",  # a watermark further ahead of the clock is not believed
        "stale_at": "timestamp('UTC', 6)",  # the first instant at which the watermark is too old
        "failure": "string",  # why the last poll did not end well; null when it did
    }
)


def literals(systems: Iterable[str]) -> str:
    """Systems as what stands in `IN (…)`; NULL, which nothing equals, where there are none."""
    return ", ".join("'" + system.replace("'", "''") + "'" for system in systems) or "NULL"


@dataclass(frozen=True)
class Books:
    """Which systems play which role, and the tables that follow from it.

    `mapped` says which entities each system's mapping fills.
    """

    roles: Mapping[str, tuple[str, ...]]
    mapped: Mapping[str, frozenset[str]]

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        """Made once: every look-up of a compiled check hashes its books."""
        roles = sorted((role, tuple(systems)) for role, systems in self.roles.items())
        return str((roles, sorted((system, sorted(entities)) for system, entities in self.mapped.items())))

    def systems(self, name: str, role: str) -> tuple[str, ...]:
        """The systems of a role whose mapping fills the entity; empty when none does."""
        if role not in ROLES:
            raise ValueError(f"There is no role {role!r}; the roles are {', '.join(ROLES)}.")
        return tuple(s for s in self.roles.get(role, ()) if name in self.mapped.get(s, frozenset()))

    def table(self, name: str, role: str) -> ir.Table:
        """Live rows of an entity, of the systems that play the role."""
        rows = self.every(name, role)
        return rows.filter(~rows.deleted)

    def every(self, name: str, role: str) -> ir.Table:
        """The same with the tombstones."""
        rows = ibis.table(entity(name).ibis, name=name)
        return rows.filter(rows.system.isin(self.systems(name, role) or ("",)))

    @property
    def request(self) -> ir.Table:
        """One row: the moment and the run that are asked about."""
        return ibis.table(REQUEST_SCHEMA, name="request")

    @property
    def sources(self) -> ir.Table:
        """One row per system and entity: how far its watermark is."""
        return ibis.table(SOURCES_SCHEMA, name="sources")
