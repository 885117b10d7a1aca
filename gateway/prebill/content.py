"""What a verdict holds for: a hash over the drafts as they were given."""

from books.engine import Engine

# Columns of the books that a draft brings itself; what is found out about it in the books is not part of it.
_INVOICE = (
    *("key", "account_id", "currency", "invoice_date", "total", "tax", "number", "due_date", "po_number"),
    "contract_key",
)
_LINE = (
    *("key", "amount", "tax", "tax_code", "quantity", "unit_price", "subscription_key", "subscription_line_key"),
    *("line_version_key", "charge_type", "product_code", "name", "period_start", "period_end"),
)


def _text(alias: str, columns: tuple[str, ...]) -> str:
    """SQL for the columns as one text; each with its length before it, so that no two rows share a text."""
    parts = (f'{alias}."{column}"::VARCHAR' for column in columns)
    return " || ".join(f"coalesce(strlen({part}) || ':' || {part}, '-')" for part in parts)


_SQL = f"""
    WITH lines AS (
        SELECT invoice_key, string_agg(text, '' ORDER BY text) AS text
        FROM (SELECT l.invoice_key, sha256({_text("l", _LINE)}) AS text FROM said_invoice_lines l) GROUP BY invoice_key
    ), invoices AS (
        SELECT sha256({_text("i", _INVOICE)} || coalesce(lines.text, '')) AS text
        FROM said_invoices i LEFT JOIN lines ON lines.invoice_key = i.key
    )
    SELECT sha256(coalesce(string_agg(text, '' ORDER BY text), '')) AS hash FROM invoices
"""


def content_hash(engine: Engine) -> str:
    """`sha256:…` over the tables `said_invoices` and `said_invoice_lines`.

    One changed cent, date or line changes it; the order of invoices and lines, and `20.0` for `20.00`, do not.
    """
    return f"sha256:{engine.rows(_SQL)[0]['hash']}"
