"""One page of a query's rows, all values as the text that the account sends."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.masks import DISPLAY_FORMATS
from sandbox.netsuite.mirror import NUMBER_TEXT, literal
from sandbox.netsuite.names import resolve
from sandbox.netsuite.page_sql import count_sql, is_plain, page_sql
from sandbox.netsuite.refusals import QueryRefused
from sandbox.netsuite.statement import parse
from sandbox.netsuite.translation import Translator


@dataclass(frozen=True)
class Page:
    """`rows` of the page, null columns absent, and `total`, the number of rows of the whole query."""

    rows: list[dict[str, str]]
    total: int


def read_page(account: NetSuiteAccount, text: str, params: Sequence[object], limit: int, offset: int) -> Page:
    """Rows `offset` to `offset + limit` of the query, over the account as it is at this moment.

    What ORDER BY leaves open is decided anew for each page, always the same for the same request, so that a
    walk over pages without a unique ORDER BY loses rows (vendors.md B7). Raises Refusal.
    """
    query = parse(text, params)
    display = DISPLAY_FORMATS[account.date_format]
    with account.reading() as reading:
        resolve(query, reading.schema)
        plain = is_plain(query)
        Translator(account, reading.schema).translate(query)
        snapshot = reading.snapshot({table.name for table in query.find_all(exp.Table)})
    seed = zlib.crc32(repr((text, params, limit, offset)).encode())
    with snapshot:
        page = page_sql(query, plain=plain, seed=seed, limit=limit, offset=offset)
        try:
            total = snapshot.fetch(count_sql(query))[0][0]
            *values, _ = [_as_text(f"v{i}", kind, display) for i, kind in enumerate(snapshot.types(page))]
            rows = snapshot.fetch(f"SELECT {', '.join(values)} FROM ({page}) AS page ORDER BY __place")
        except duckdb.Error as error:
            raise QueryRefused(f"Search error occurred: {str(error).splitlines()[0]}") from None
    names = query.named_selects
    return Page([_item(names, row) for row in rows], int(str(total)))


def _as_text(value: str, kind: str, display: str) -> str:
    """SQL for the value as the account writes it; dates and moments lose their time (vendors.md 0.4)."""
    if kind.startswith(("DATE", "TIMESTAMP")):
        return f"strftime({value}, {literal(display)})"
    if kind.startswith("DECIMAL") or kind in ("DOUBLE", "FLOAT"):
        return f"{NUMBER_TEXT}({value})"
    return f"CAST({value} AS VARCHAR)"


def _item(names: Sequence[str], row: Sequence[object]) -> dict[str, str]:
    """Null columns are absent, and so is empty text, which Oracle holds for null."""
    return {name: str(value) for name, value in zip(names, row, strict=True) if value not in (None, "")}
