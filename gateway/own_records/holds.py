"""What the gate holds back, as rows: invoices that the last enforced verdict on their run blocked."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
from sqlalchemy import text
from sqlalchemy.orm import Session

from books.store import Store
from checks.contract import Owner, Severity
from gateway.exceptions.calendar import add
from gateway.exceptions.tables import Case
from gateway.owners.duty import on_duty
from gateway.owners.model import Owners
from gateway.prebill.tables import Validation

CHECK = "gate_hold_aged"  # its deadline is that of a hold
# A run that nobody has asked about for so long is over, whatever became of it.
_FORGOTTEN = timedelta(days=90)

# Per run the latest enforced verdict, with every invoice that it blocks and since when without a break.
_HELD = text("""
    WITH verdicts AS (
        SELECT v.id, v.run_system, v.run_id, v.evaluated_at, i ->> 'id' AS invoice, i ->> 'verdict' AS verdict, i,
            max(v.evaluated_at) OVER (PARTITION BY v.run_system, v.run_id) AS latest
        FROM validations v CROSS JOIN LATERAL jsonb_array_elements(v.answer -> 'invoices') AS i
        WHERE v.mode = 'enforce' AND v.evaluated_at >= :since
    ), spans AS (
        SELECT *, max(evaluated_at) FILTER (WHERE verdict <> 'block')
            OVER (PARTITION BY run_system, run_id, invoice) AS passed_at
        FROM verdicts
    ), first AS (
        SELECT run_system, run_id, invoice, min(evaluated_at) AS held_at FROM spans
        WHERE verdict = 'block' AND (passed_at IS NULL OR evaluated_at > passed_at)
        GROUP BY run_system, run_id, invoice
    )
    SELECT s.id, s.run_system, s.run_id, s.invoice, s.i, f.held_at
    FROM spans s JOIN first f USING (run_system, run_id, invoice)
    WHERE s.evaluated_at = s.latest AND s.verdict = 'block'
    ORDER BY s.run_system, s.run_id, s.invoice
""")


@dataclass(frozen=True)
class _Draft:
    total: Decimal
    currency: str | None
    account_id: str | None


def standing_holds(session: Session, owners: Owners, store: Store, now: datetime) -> Iterator[dict[str, Any]]:
    """One row per invoice that is held. A hold ends when its run is asked about again and the invoice passes."""
    rows = session.execute(_HELD, {"since": now - _FORGOTTEN}).all()
    if not rows:
        return
    drafts = {id_: _drafts(session, id_) for id_ in {row.id for row in rows}}
    customers = _customers(store)
    team = owners.roles[Owner.BILLING_OPS]
    deadline = owners.terms(CHECK).policies[Severity.S1].resolve
    calendar = owners.business_calendars[owners.teams[team].calendar]
    for row in rows:
        draft = drafts[row.id].get(row.invoice, _Draft(Decimal(0), None, None))
        reasons = row.i["reasons"]
        yield {
            "key": f"{row.run_system}/{row.run_id}/{row.invoice}",
            "account_key": customers.get((row.run_system, row.i["account_id"])),
            "modified_at": row.held_at,
            "run_key": row.run_id,
            "invoice_key": row.invoice,
            "owner": _owner(session, reasons) or on_duty(owners, team, now),
            "reason": ", ".join(dict.fromkeys(reason["check"] for reason in reasons)),
            "amount": draft.total,
            "currency": draft.currency,
            "held_at": row.held_at,
            "due_at": add(calendar, row.held_at, deadline),
        }


def _owner(session: Session, reasons: list[Mapping[str, Any]]) -> str | None:
    """Who has the first exception behind a hold."""
    numbers = [reason["exception_id"].removeprefix("EXC-") for reason in reasons if reason["exception_id"]]
    case = session.get(Case, int(numbers[0])) if numbers else None
    return case.business_owner if case else None


def _drafts(session: Session, validation: str) -> dict[str, _Draft]:
    """The invoices of a question, as they were given or pulled, by id."""
    kept = session.get_one(Validation, validation)
    said = json.loads(kept.request)
    pulled = said.get("pulled")
    invoices = pulled["invoices"] if pulled else said.get("invoices") or ()
    return {
        row["key" if pulled else "id"]: _Draft(Decimal(str(row["total"] or 0)), row["currency"], row["account_id"])
        for row in invoices
    }


def _customers(store: Store) -> dict[tuple[str, str], str]:
    """The customer across systems of every account."""
    version = store.version("accounts")
    relation = None if version is None else store.relation("accounts", version)
    if relation is None:
        return {}
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT system, key, account_key FROM {relation} WHERE account_key IS NOT NULL")
        return {(system, key): customer for system, key, customer in found.fetchall()}
