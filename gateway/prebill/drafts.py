"""Drafts as rows of the books: from a request's body, or as the billing platform holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract import DraftRun
from gateway.prebill.request import Invoice, Line, Run
from gateway.prebill.truth import Drafts, Truth


@dataclass(frozen=True)
class Resolved:
    """The ids of a request turned into the books' keys; what nothing knows stays as it was given."""

    accounts: Mapping[str, str]  # id or number in the billing system -> account_key
    subscriptions: Mapping[str, str]  # key or number -> key of the newest version
    lines: Mapping[str, tuple[str, str | None]]  # line, line number or schedule row -> (line key, schedule row)


def from_body(truth: Truth, run: Run, invoices: Sequence[Invoice], now: datetime) -> Drafts:
    """The invoices of a request as rows; an account that nothing knows leaves `account_key` null."""
    known = _resolve(truth, run.system, invoices)
    rows = [_invoice_row(run, invoice, known, now) for invoice in invoices]
    lines = [_line_row(run, invoice, line, known, now) for invoice in invoices for line in invoice.lines]
    return Drafts(run.system, run.id, rows, lines)


def from_platform(truth: Truth, system: str, pulled: DraftRun) -> Drafts:
    """The drafts that were pulled, with their customers."""
    accounts = _accounts(truth, system, [str(row["account_id"]) for row in pulled.invoices])
    invoices = [{**row, "account_key": accounts.get(str(row["account_id"]))} for row in pulled.invoices]
    owner = {row["key"]: row["account_key"] for row in invoices}
    lines = [{**row, "account_key": owner.get(row["invoice_key"])} for row in pulled.lines]
    return Drafts(system, str(pulled.run["key"]), invoices, lines)


def to_invoices(drafts: Drafts) -> tuple[Invoice, ...]:
    """Rows back into the request's shape, so that pulled drafts are hashed like given ones."""
    lines: dict[str, list[Line]] = {}
    for row in drafts.lines:
        lines.setdefault(row["invoice_key"], []).append(_as_line(row))
    return tuple(
        Invoice(
            id=row["key"],
            account_id=row["account_id"],
            currency=row["currency"],
            invoice_date=row["invoice_date"],
            total=row["total"],
            lines=tuple(lines.get(row["key"], ())),
            number=row.get("number"),
            due_date=row.get("due_date"),
            po_number=row.get("po_number"),
        )
        for row in drafts.invoices
    )


def _as_line(row: Mapping[str, Any]) -> Line:
    return Line(
        id=row["key"],
        amount=row["amount"],
        subscription_id=row.get("subscription_key"),
        charge_id=row.get("line_version_key") or row.get("subscription_line_key"),
        product_code=row.get("product_code"),
        name=row.get("name"),
        quantity=row.get("quantity"),
        unit_price=row.get("unit_price"),
        tax=row.get("tax"),
        tax_code=row.get("tax_code"),
        period_start=row.get("period_start"),
        period_end=row.get("period_end"),
    )


def _common(run: Run, key: str, account_id: str, account_key: str | None, now: datetime) -> dict[str, Any]:
    return {
        "system": run.system,
        "key": key,
        "account_id": account_id,
        "account_key": account_key,
        "modified_at": now,
        "synced_at": now,
        "deleted": False,
    }


def _invoice_row(run: Run, invoice: Invoice, known: Resolved, now: datetime) -> dict[str, Any]:
    return {
        **_common(run, invoice.id, invoice.account_id, known.accounts.get(invoice.account_id), now),
        "number": invoice.number or invoice.id,
        "status": "draft",
        "run_key": run.id,
        "invoice_date": invoice.invoice_date,
        "due_date": invoice.due_date,
        "total": invoice.total,
        "tax": sum((line.tax for line in invoice.lines if line.tax is not None), start=invoice.total * 0),
        "currency": invoice.currency,
        "po_number": invoice.po_number,
    }


def _line_row(run: Run, invoice: Invoice, line: Line, known: Resolved, now: datetime) -> dict[str, Any]:
    line_key, version_key = known.lines.get(line.charge_id or "", (line.charge_id, None))
    return {
        **_common(run, line.id, invoice.account_id, known.accounts.get(invoice.account_id), now),
        "invoice_key": invoice.id,
        "subscription_key": known.subscriptions.get(line.subscription_id or "", line.subscription_id),
        "subscription_line_key": line_key,
        "line_version_key": version_key,
        "product_code": line.product_code,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "amount": line.amount,
        "tax": line.tax,
        "tax_code": line.tax_code,
        "currency": invoice.currency,
        "period_start": line.period_start,
        "period_end": line.period_end,
    }


def _resolve(truth: Truth, system: str, invoices: Sequence[Invoice]) -> Resolved:
    accounts = sorted({invoice.account_id for invoice in invoices})
    subscriptions = sorted({line.subscription_id for i in invoices for line in i.lines if line.subscription_id})
    charges = sorted({line.charge_id for i in invoices for line in i.lines if line.charge_id})
    return Resolved(
        _accounts(truth, system, accounts),
        _subscriptions(truth, system, subscriptions),
        _charges(truth, system, charges),
    )


def _accounts(truth: Truth, system: str, ids: Sequence[str]) -> dict[str, str]:
    rows = truth.rows(
        "SELECT key, number, account_key FROM truth.accounts WHERE system = ? AND NOT deleted "
        "AND (list_contains(?, key) OR list_contains(?, number))",
        (system, list(ids), list(ids)),
    )
    by_number = {row["number"]: row["account_key"] for row in rows if row["account_key"]}
    return {**by_number, **{row["key"]: row["account_key"] for row in rows if row["account_key"]}}


def _subscriptions(truth: Truth, system: str, ids: Sequence[str]) -> dict[str, str]:
    rows = truth.rows(
        "SELECT number, max_by(key, version) AS key FROM truth.subscriptions "
        "WHERE system = ? AND NOT deleted AND list_contains(?, number) GROUP BY number",
        (system, list(ids)),
    )
    return {row["number"]: row["key"] for row in rows}


def _charges(truth: Truth, system: str, ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    by_line = truth.rows(
        "SELECT key, number FROM truth.subscription_lines WHERE system = ? AND NOT deleted "
        "AND (list_contains(?, key) OR list_contains(?, number))",
        (system, list(ids), list(ids)),
    )
    by_version = truth.rows(
        "SELECT key, subscription_line_key FROM truth.billing_schedules "
        "WHERE system = ? AND NOT deleted AND list_contains(?, key)",
        (system, list(ids)),
    )
    known: dict[str, tuple[str, str | None]] = {
        row["key"]: (row["subscription_line_key"], row["key"]) for row in by_version
    }
    known |= {row["number"]: (row["key"], None) for row in by_line if row["number"]}
    return known | {row["key"]: (row["key"], None) for row in by_line}
