"""One kind of record of the books, and the columns that every kind has."""

from dataclasses import dataclass

import ibis.expr.schema as sch
import pyarrow as pa

from books.columns import Column, columns

COMMON: tuple[Column, ...] = columns(
    system="text",  # the source's name in tieout.yaml
    key="text",  # the source's own id of the record
    account_id="text",  # the source's own id of the customer; null where a parent row names it
    account_key="text",  # the customer across systems (books/accounts.py); null while nobody owns the row
    modified_at="instant",  # the source's stamp
    synced_at="instant",
    deleted="flag",  # a tombstone: the source no longer has the record
    raw="text",  # JSON of the source fields that the mapping keeps
)


@dataclass(frozen=True)
class Entity:
    """One kind of record.

    `parent` is the (entity, column) through which a row without its own `account_id` finds its customer.
    """

    name: str
    own: tuple[Column, ...]
    parent: tuple[str, str] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return COMMON + self.own

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([(c.name, c.kind.arrow) for c in self.columns])

    @property
    def ibis(self) -> sch.Schema:
        return sch.Schema({c.name: c.kind.ibis for c in self.columns})
