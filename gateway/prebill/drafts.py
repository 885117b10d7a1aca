"""Drafts as rows of the books, from a request's body or as the billing platform holds them.

Ids stand here as they were given; `overlay` finds out whose and what they are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from books.entities import entity
from books.store import table_from
from connectors.contract import DraftRun
from gateway.errors import Refused
from gateway.prebill.request import MONEY, PRICE, QUANTITY, Invoice, Run, malformed

_PATTERNS = {"total": MONEY, "amount": MONEY, "tax": MONEY, "quantity": QUANTITY, "unit_price": PRICE}
_SHOWN = 40  # characters of a wrong text that its message repeats
# What a draft cannot be judged without.
_INVOICE_MUST = ("account_id", "currency", "invoice_date", "total")
_LINE_MUST = ("invoice_key", "amount")


@dataclass(frozen=True)
class Drafts:
    """The drafts of one run, in the shape of the books' invoices and invoice_lines.

    `run_names` are the ids and numbers by which stored drafts may name the run. `batches`: the batches of accounts
    that the run bills, as the platform says; empty where it bills everybody. `whole`: what was pulled is all that the
    platform is about to bill.
    """

    system: str
    run_names: tuple[str, ...]
    invoices: pa.Table
    lines: pa.Table
    batches: tuple[str, ...] = ()
    whole: bool = False

    def latest_date(self) -> date | None:
        """The latest invoice date; None without invoices."""
        latest: date | None = pc.max(self.invoices["invoice_date"]).as_py()
        return latest


def from_body(run: Run, invoices: Sequence[Invoice], now: datetime) -> Drafts:
    """The invoices of a request. Raises Refused for a number or a period that no draft can have."""
    lines = _lines(run, invoices, now)
    return Drafts(run.system, (run.id,), _invoices(run, invoices, _taxes(lines), now), lines)


def from_platform(run: Run, pulled: DraftRun) -> Drafts:
    """The drafts that were pulled. Raises Refused for a draft that lacks what any judgement needs."""
    for row in pulled.invoices:
        _check_present(row, _INVOICE_MUST, f"The draft {row['key']}")
    for row in pulled.lines:
        _check_present(row, _LINE_MUST, f"The line {row['key']} of the draft {row.get('invoice_key')}")
    invoices, lines = table_from("invoices", pulled.invoices), table_from("invoice_lines", pulled.lines)
    batches = tuple(batch for batch in str(pulled.run.get("batches") or "").split(",") if batch)
    names = dict.fromkeys((run.id, pulled.run["key"], pulled.run.get("number")))
    return Drafts(run.system, tuple(name for name in names if name), invoices, lines, batches, pulled.whole)


def _check_present(row: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    missing = [name for name in names if row.get(name) is None]
    if missing:
        raise Refused(f"{what} of the run has no {' and no '.join(missing)}, so it cannot be judged.", "run-not-ready")


def _invoices(run: Run, invoices: Sequence[Invoice], taxes: Mapping[str, Decimal], now: datetime) -> pa.Table:
    same = ("account_id", "invoice_date", "due_date", "currency", "po_number")
    columns = {
        **{name: _column(invoices, name) for name in same},
        "key": _column(invoices, "id"),
        "number": [invoice.number or invoice.id for invoice in invoices],
        "status": ["draft"] * len(invoices),
        "run_key": [run.id] * len(invoices),
        "total": _numbers("invoices", "total", invoices, lambda n: f"invoice {invoices[n].id}"),
        "tax": [taxes.get(invoice.id) for invoice in invoices],
        "contract_key": _column(invoices, "contract_id"),
    }
    return _table("invoices", run.system, columns, len(invoices), now)


def _lines(run: Run, invoices: Sequence[Invoice], now: datetime) -> pa.Table:
    lines = [line for invoice in invoices for line in invoice.lines]
    theirs = [invoice for invoice in invoices for _ in invoice.lines]

    def named(n: int) -> str:
        return f"line {lines[n].id} of invoice {theirs[n].id}"

    same = ("charge_type", "product_code", "name", "tax_code", "period_start", "period_end")
    numbers = ("quantity", "unit_price", "amount", "tax")
    columns = {
        **{name: _column(lines, name) for name in same},
        **{name: _numbers("invoice_lines", name, lines, named) for name in numbers},
        "key": _column(lines, "id"),
        "account_id": _column(theirs, "account_id"),
        "invoice_key": _column(theirs, "id"),
        "subscription_key": _column(lines, "subscription_id"),
        "subscription_line_key": _column(lines, "charge_id"),
        "currency": _column(theirs, "currency"),
    }
    table = _table("invoice_lines", run.system, columns, len(lines), now)
    backwards = pc.index(pc.less(table["period_end"], table["period_start"]), True).as_py()
    if backwards >= 0:
        raise malformed(f"The period of {named(backwards)} ends before it starts.")
    return table


def _column(parts: Sequence[Struct], name: str) -> list[Any]:
    return [getattr(part, name) for part in parts]


def _table(name: str, system: str, columns: Mapping[str, Any], rows: int, now: datetime) -> pa.Table:
    """The columns as a table of the entity's schema; what is not named is null."""
    common = {"system": system, "modified_at": now, "synced_at": now, "deleted": False}
    arrays = []
    for field in entity(name).arrow:
        if field.name in common:
            arrays.append(pa.repeat(pa.scalar(common[field.name], field.type), rows))
        else:
            given = columns.get(field.name)
            arrays.append(pa.nulls(rows, field.type) if given is None else pa.array(given, field.type))
    return pa.Table.from_arrays(arrays, schema=entity(name).arrow)


def _numbers(table: str, column: str, parts: Sequence[Struct], named: Callable[[int], str]) -> pa.Array:
    """The decimals of a column. Raises Refused for a text that is no number, or more than the books can hold."""
    kind = entity(table).arrow.field(column).type
    texts = pa.array(_column(parts, column), pa.string())
    wrong = pc.index(pc.match_substring_regex(texts, _PATTERNS[column]), False).as_py()
    if wrong >= 0:
        raise malformed(
            f"The {column} of {named(wrong)} is {texts[wrong].as_py()[:_SHOWN]!r}: that is no decimal number, or has "
            f"more than {kind.precision - kind.scale} digits before or {kind.scale} after the point."
        )
    return pc.cast(texts, kind)


def _taxes(lines: pa.Table) -> dict[str, Decimal]:
    """Per invoice the sum of its lines' taxes, where any line names one."""
    sums = lines.select(["invoice_key", "tax"]).group_by("invoice_key").aggregate([("tax", "sum")])
    try:
        exact = pc.cast(sums["tax_sum"], entity("invoices").arrow.field("tax").type)
    except pa.ArrowInvalid as error:
        raise malformed("The taxes of one invoice add up to more than the books can hold.") from error
    return dict(zip(sums["invoice_key"].to_pylist(), exact.to_pylist(), strict=True))
