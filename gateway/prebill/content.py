"""What a verdict holds for: a hash over the drafts as they were given."""

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from gateway.prebill.drafts import Drafts

# Columns of the books that a draft brings itself; what is found out about it in the books is not part of it.
_INVOICE = (
    *("key", "account_id", "currency", "invoice_date", "total", "tax", "number", "due_date", "po_number"),
    "contract_key",
)
_LINE = (
    *("invoice_key", "key", "amount", "tax", "tax_code", "quantity", "unit_price", "subscription_key"),
    *("subscription_line_key", "line_version_key", "charge_type", "product_code", "name", "period_start", "period_end"),
)
_NUL = "\x00"  # stands in no text of a draft


def content_hash(drafts: Drafts) -> str:
    """`sha256:…` over the drafts.

    One changed cent, date or line changes it; the order of invoices and lines, and `20.0` for `20.00`, do not.
    """
    digest = hashlib.sha256()
    for table, columns in ((drafts.invoices, _INVOICE), (drafts.lines, _LINE)):
        digest.update(f"{table.num_rows}{_NUL}".encode())
        digest.update(_NUL.join(sorted(_texts(table, columns))).encode())
    return f"sha256:{digest.hexdigest()}"


def _texts(table: pa.Table, columns: Sequence[str]) -> list[str]:
    """Each row as one text, which no other row has: values behind a plus, a minus for none, NUL between them."""
    said = [pc.binary_join_element_wise("+", pc.cast(table[name], pa.string()), "") for name in columns]
    whole = pc.binary_join_element_wise(*(pc.coalesce(values, "-") for values in said), _NUL)
    rows: list[str] = whole.to_pylist()
    return rows
