"""What somebody agreed to, in whichever system the approval was given: it only has to be in the books."""

import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need

_ROLES = ("crm", "billing", "erp", "audit")
NEEDS = tuple(Need("approvals", role).where_filled() for role in _ROLES)


def approvals(books: Books, *kinds: str) -> ir.Table:
    """Approvals that were given, of these kinds; one that does not say its kind is of any."""
    known, *others = (books.table("approvals", role) for role in _ROLES)
    known = known.union(*others)
    return known.filter((known.status == "approved") & known.kind.fill_null(kinds[0]).isin(kinds))
