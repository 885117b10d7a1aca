"""`/validations`: the verdicts of the gate, and `/validations/val_…`: one of them, in pages.

An answer about 10,000 invoices is megabytes of JSON. PostgreSQL takes it apart and only a page of it comes here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import ColumnElement, Row, func, select, text
from sqlalchemy.orm import Session

from gateway.console.filters import page_number, printable
from gateway.console.visit import Visit, VisitDep
from gateway.console.words import VERDICTS
from gateway.errors import NotFound
from gateway.prebill.tables import Validation

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
SHOWN_IMPACTS = 2  # in the line that folds an invoice's reasons
SHOWN_REASONS = 25  # of one invoice in a list; alone on its page it shows all


@dataclass(frozen=True)
class Run:
    """A verdict as a list shows it. `amounts` as in the answer, per currency."""

    id: str
    run_system: str
    run_id: str
    mode: str
    verdict: str
    proceed: bool
    would_proceed: bool
    evaluated_at: datetime
    expires_at: datetime
    counts: Mapping[str, int]
    amounts: Sequence[Mapping[str, str]]

    @property
    def held(self) -> Sequence[Mapping[str, str]]:
        """The amounts of the currencies in which anything is held back."""
        return [sums for sums in self.amounts if Decimal(sums["held"])]


@dataclass(frozen=True)
class Slice:
    """One page of a list that lies in an answer."""

    items: Sequence[Mapping[str, Any]]
    found: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // PER_PAGE))


@dataclass(frozen=True)
class Wanted:
    """Which part of an answer is looked at. `invoice` is one id, `find` a part of an invoice's or account's id."""

    verdict: str = ""
    find: str = ""
    invoice: str = ""
    page: int = 1
    reasons_page: int = 1

    def address(self, **changes: object) -> str:
        """The query that asks for this with some of it changed."""
        asked = {**vars(self), **changes}
        if not {"page", "reasons_page"} & set(changes):
            asked["page"] = 1
        said = {name: str(value) for name, value in asked.items() if value not in ("", 1)}
        return f"?{urlencode(said, quote_via=quote)}" if said else "?"

    def page_address(self, page: int) -> str:
        return self.address(page=page)

    def reasons_address(self, page: int) -> str:
        return self.address(reasons_page=page)


@router.get("/validations")
def listed(visit: VisitDep) -> Response:
    """The verdicts, the newest first."""
    wanted = _wanted(visit)
    where = [Validation.verdict == wanted.verdict] if wanted.verdict else []
    if wanted.find:
        where.append(func.strpos(func.lower(Validation.run_id), wanted.find.lower()) > 0)
    with visit.installed.database.session() as session:
        found = session.scalar(select(func.count()).select_from(Validation).where(*where)) or 0
        page = min(wanted.page, max(1, -(-found // PER_PAGE)))
        runs = newest(session, PER_PAGE, *where, offset=(page - 1) * PER_PAGE)
    shown = Slice(items=(), found=found, page=page)
    return visit.page("validations.html", runs=runs, shown=shown, wanted=wanted, verdicts=VERDICTS)


@router.get("/validations/{validation_id}")
def one(validation_id: str, visit: VisitDep) -> Response:
    """One verdict with its reasons, blocked invoices first."""
    wanted = _wanted(visit)
    with visit.installed.database.session() as session:
        head = _head(session, validation_id)
        invoices = _invoices(session, validation_id, wanted)
        run_reasons = _run_reasons(session, validation_id, wanted.reasons_page)
    return visit.page(
        "validation.html",
        answer=head,
        asked_by=head["asked_by"],
        evaluated_at=datetime.fromisoformat(head["evaluated_at"]),
        expires_at=datetime.fromisoformat(head["expires_at"]),
        as_of={name: datetime.fromisoformat(at) if at else None for name, at in head["as_of"].items()},
        invoices=invoices,
        run_reasons=run_reasons,
        wanted=wanted,
        verdicts=VERDICTS,
        shown_impacts=SHOWN_IMPACTS,
    )


def newest(session: Session, limit: int, *where: ColumnElement[bool], offset: int = 0) -> list[Run]:
    """The last verdicts, without their invoices."""
    answer = Validation.answer
    columns = (
        Validation.id,
        Validation.run_system,
        Validation.run_id,
        Validation.mode,
        Validation.verdict,
        answer["proceed"].as_boolean(),
        answer["would_proceed"].as_boolean(),
        Validation.evaluated_at,
        Validation.expires_at,
        answer["counts"],
        answer["amounts"],
    )
    ordered = select(*columns).where(*where).order_by(Validation.evaluated_at.desc(), Validation.id)
    return [Run(*row) for row in session.execute(ordered.limit(limit).offset(offset))]


def _wanted(visit: Visit) -> Wanted:
    asked = visit.request.query_params
    verdict = asked.get("verdict", "")
    return Wanted(
        verdict=verdict if verdict in VERDICTS else "",
        find=printable(asked.get("find", ""))[:200],
        invoice=printable(asked.get("invoice", ""))[:200],
        page=page_number(asked.get("page", "")),
        reasons_page=page_number(asked.get("reasons_page", "")),
    )


def _head(session: Session, validation_id: str) -> dict[str, Any]:
    """The answer without its long lists, and who asked."""
    if _ID.fullmatch(validation_id) is None:
        raise NotFound(f"{validation_id[:60]!r} is no validation; their names look like val_1f0c….")
    found = session.execute(text(_HEAD), {"id": validation_id}).first()
    if found is None:
        raise NotFound(f"There is no validation {validation_id}.")
    return {**found.head, "asked_by": found.asked_by}


def _invoices(session: Session, validation_id: str, wanted: Wanted) -> Slice:
    asked = {
        "id": validation_id,
        "verdict": wanted.verdict,
        "find": wanted.find.lower(),
        "invoice": wanted.invoice,
        "reasons": "$[*]" if wanted.invoice else f"$[0 to {SHOWN_REASONS - 1}]",
    }
    rows = _portion(session, _INVOICES, asked, wanted.page)
    if not rows and wanted.page > 1:
        return _invoices(session, validation_id, replace(wanted, page=1))
    return Slice([row.item for row in rows], rows[0].found if rows else 0, wanted.page)


def _run_reasons(session: Session, validation_id: str, page: int) -> Slice:
    rows = _portion(session, _RUN_REASONS, {"id": validation_id}, page)
    if not rows and page > 1:
        return _run_reasons(session, validation_id, 1)
    return Slice([row.item for row in rows], rows[0].found if rows else 0, page)


def _portion(session: Session, statement: str, asked: Mapping[str, object], page: int) -> Sequence[Row[Any]]:
    bounds = {"limit": PER_PAGE, "offset": (page - 1) * PER_PAGE}
    return session.execute(text(statement), {**asked, **bounds}).all()


_ID = re.compile(r"val_[0-9a-zA-Z]{1,64}")
_HEAD = "SELECT asked_by, answer - 'invoices' - 'run_reasons' AS head FROM validations WHERE id = :id"
_INVOICES = """
SELECT count(*) OVER () AS found,
       item || jsonb_build_object(
           'reasons', jsonb_path_query_array(item->'reasons', CAST(:reasons AS jsonpath)),
           'reasons_found', jsonb_array_length(item->'reasons')) AS item
FROM validations v, jsonb_array_elements(v.answer->'invoices') WITH ORDINALITY listed (item, place)
WHERE v.id = :id
  AND (:verdict = '' OR item->>'verdict' = :verdict)
  AND (:invoice = '' OR item->>'id' = :invoice)
  AND (:find = '' OR strpos(lower(item->>'id'), :find) > 0 OR strpos(lower(item->>'account_id'), :find) > 0)
ORDER BY array_position(ARRAY['block', 'warn', 'pass'], item->>'verdict'), place
LIMIT :limit OFFSET :offset
"""
_RUN_REASONS = """
SELECT count(*) OVER () AS found, item
FROM validations v, jsonb_array_elements(v.answer->'run_reasons') WITH ORDINALITY listed (item, place)
WHERE v.id = :id
ORDER BY array_position(ARRAY['block', 'warn', 'monitor'], item->>'mode'), place
LIMIT :limit OFFSET :offset
"""
