"""What somebody agreed to, in whichever system the approval was given: it only has to be in the books."""

import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need

NEEDS = (Need("approvals", "crm").where_filled(), Need("approvals", "billing").where_filled())


def approvals(books: Books, *kinds: str) -> ir.Table:
    """Approvals that were given, of these kinds; one that does not say its kind is of any."""
    known = books.table("approvals", "crm").union(books.table("approvals", "billing"))
    return known.filter((known.status == "approved") & known.kind.fill_null(kinds[0]).isin(kinds))
