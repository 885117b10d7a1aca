"""The entities of the books and their columns: the vocabulary that mappings write and checks read.

A column that ends in `_key` holds the key of a record *in the same system*, unless its comment says whose it
is. Periods are half-open: an `end_date` or `period_end` is the first day that is no longer covered, so a
mapping turns a vendor's inclusive end into the day after.
"""

from collections.abc import Iterator, Mapping

from books.entities import billing, controls, customers, delivery, finance, integration, legacy, sales
from books.entities.entity import COMMON, Entity

__all__ = ["COMMON", "ENTITIES", "Entity", "entity", "names"]

# Parents come before their children.
ENTITIES: Mapping[str, Entity] = {
    known.name: known
    for area in (customers, sales, billing, delivery, finance, integration, legacy, controls)
    for known in area.ENTITIES
}


def entity(name: str) -> Entity:
    """The entity of that name; ValueError names the ones there are."""
    if name not in ENTITIES:
        raise ValueError(f"The books know no entity {name!r}; they know: {', '.join(ENTITIES)}.")
    return ENTITIES[name]


def names() -> Iterator[str]:
    """Every entity's name, parents before their children."""
    return iter(ENTITIES)
