"""What the gate holds back, as rows: invoices that the last enforced verdict on them blocked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import duckdb
from sqlalchemy import select, text
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

# Every enforced verdict on the invoices whose last one blocks them, the earliest first.
_VERDICTS = text("""
    WITH verdicts AS (
        SELECT v.id, v.run_system, v.run_id, v.evaluated_at, i ->> 'id' AS invoice, i ->> 'verdict' AS verdict, i,
            last_value(i ->> 'verdict') OVER of_invoice AS last_verdict, lead(v.id) OVER of_invoice IS NULL AS is_last
        FROM validations v CROSS JOIN LATERAL jsonb_array_elements(v.answer -> 'invoices') AS i
        WHERE v.mode = 'enforce' AND v.evaluated_at >= :since
        WINDOW of_invoice AS (
            PARTITION BY v.run_system, v.run_id, i ->> 'id' ORDER BY v.evaluated_at, v.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    )
    SELECT id, run_system, run_id, invoice, verdict, evaluated_at, CASE WHEN is_last THEN i END AS said
    FROM verdicts WHERE last_verdict = 'block'
    ORDER BY run_system, run_id, invoice, evaluated_at, id
""")


@dataclass(frozen=True)
class _Draft:
    total: Decimal
    currency: str | None
    account_id: str | None


@dataclass(frozen=True)
class _Hold:
    """An invoice that is held. `said`: what the last verdict says of it, in the validation of that id."""

    validation: str
    run_system: str
    run_id: str
    invoice: str
    said: Mapping[str, Any]
    since: datetime


def standing_holds(
    session: Session, owners: Owners, store: Store, versions: Mapping[str, int], now: datetime
) -> Iterator[dict[str, Any]]:
    """One row per invoice that is held; `versions` are those of the books that say whose it is.

    A hold ends when the invoice passes, or when its run is asked about as a whole and it is not on it any more. A
    question about other invoices of the run says nothing of it.
    """
    holds = list(_held(session, now))
    if not holds:
        return
    drafts = {id_: _drafts(session, id_) for id_ in {hold.validation for hold in holds}}
    customers = _customers(store, versions)
    team = owners.roles[Owner.BILLING_OPS]
    deadline = owners.terms(CHECK).policies[Severity.S1].resolve
    calendar = owners.business_calendars[owners.teams[team].calendar]
    for hold in holds:
        draft = drafts[hold.validation].get(hold.invoice, _Draft(Decimal(0), None, None))
        reasons = hold.said["reasons"]
        yield {
            "key": f"{hold.run_system}/{hold.run_id}/{hold.invoice}",
            "account_key": customers.get((hold.run_system, hold.said["account_id"])),
            "modified_at": hold.since,
            "run_key": hold.run_id,
            "invoice_key": hold.invoice,
            "owner": _owner(session, reasons) or on_duty(owners, team, now),
            "reason": ", ".join(dict.fromkeys(reason["check"] for reason in reasons)),
            "amount": draft.total,
            "currency": draft.currency,
            "held_at": hold.since,
            "due_at": add(calendar, hold.since, deadline),
        }


def _held(session: Session, now: datetime) -> Iterator[_Hold]:
    since = now - _FORGOTTEN
    found = session.execute(_VERDICTS, {"since": since}).all()
    for (system, run), of_run in groupby(found, lambda row: (row.run_system, row.run_id)):
        whole = _whole(session, system, run, since)
        for invoice, rows in groupby(of_run, lambda row: row.invoice):
            verdicts = list(rows)
            begun = _without_a_break(verdicts, whole)
            if begun is not None:
                yield _Hold(verdicts[-1].id, system, run, invoice, verdicts[-1].said, begun)


def _without_a_break(verdicts: Sequence[Any], whole: Mapping[str, datetime]) -> datetime | None:
    """Since when an invoice has been blocked at every question that was about it; None where it is not any more."""
    about_it = {row.id for row in verdicts}
    ended = [row.evaluated_at for row in verdicts if row.verdict != "block"]
    ended += [at for id_, at in whole.items() if id_ not in about_it]
    last = max(ended, default=None)
    return next((row.evaluated_at for row in verdicts if last is None or row.evaluated_at > last), None)


def _whole(session: Session, system: str, run: str, since: datetime) -> dict[str, datetime]:
    """When a run was asked about as a whole, by the id of the validation."""
    asked = select(Validation.id, Validation.evaluated_at).where(
        Validation.run_system == system,
        Validation.run_id == run,
        Validation.mode == "enforce",
        Validation.whole,
        Validation.evaluated_at >= since,
    )
    return dict(session.execute(asked).all())


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


def _customers(store: Store, versions: Mapping[str, int]) -> dict[tuple[str, str], str]:
    """The customer across systems of every account."""
    version = versions.get("accounts")
    relation = None if version is None else store.relation("accounts", version)
    if relation is None:
        return {}
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT system, key, account_key FROM {relation} WHERE account_key IS NOT NULL")
        return {(system, key): customer for system, key, customer in found.fetchall()}
