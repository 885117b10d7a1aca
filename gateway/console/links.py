"""`/links`: records that may be one customer, side by side, for a person to confirm or reject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from books.engine import Engine
from checks.findings import Record
from gateway.console.acting import NOBODY
from gateway.console.posted import SaidDep
from gateway.console.visit import Visit, VisitDep
from gateway.crosswalk import links
from gateway.crosswalk.tables import Basis, Link
from gateway.errors import NotFound, Refused
from gateway.evidence import evidence_of

router = APIRouter(include_in_schema=False)
SEE_OTHER = 303
SHOWN = 50  # on one page; what is decided makes room for the next
_DECISIONS = {"confirm": links.confirm, "reject": links.reject}
_COMPARED = ("name", "number", "currency", "country", "payment_terms", "tax_id", "status")
# What a customer may have that would move with the record.
_MOVED = ("subscriptions", "invoices", "credit_memos", "payments", "usage_events")


@dataclass(frozen=True)
class Pair:
    """A link with what both sides say, field by field, and how many rows would come to the customer."""

    link: Link
    fields: Sequence[tuple[str, str | None, str | None]]
    moved: Mapping[str, int]


@router.get("/links")
def listed(visit: VisitDep) -> Response:
    """The proposals, or with `?basis=` what was decided."""
    return _page(visit)


@router.post("/links/{reference}/{decision}")
def decided(reference: str, decision: str, visit: VisitDep, said: SaidDep) -> Response:
    """Carry out what a form says; where that is refused, the page again with the reason."""
    try:
        if decision not in _DECISIONS:
            raise NotFound(f"There is no decision {decision!r}.")
        if visit.actor is None or not visit.may_act:
            raise Refused(NOBODY)
        with visit.installed.database.session() as session:
            decide = _DECISIONS[decision]
            decide(session, visit.installed.owners, visit.actor, reference, visit.now, said.text("note"))
    except (Refused, NotFound) as refusal:
        return _page(visit, 409, str(refusal))
    return RedirectResponse("/links", SEE_OTHER)


def _page(visit: Visit, status: int = 200, refusal: str | None = None) -> Response:
    chosen = visit.request.query_params.get("basis", "")
    basis = Basis(chosen) if chosen in set(Basis) else Basis.MATCHED
    with visit.installed.database.session() as session:
        found = links.listed(session, (basis,))
    return visit.page(
        "links.html",
        status,
        pairs=_pairs(visit, found[:SHOWN]),
        found=len(found),
        basis=basis.value,
        kinds=[one.value for one in Basis],
        refusal=refusal,
        nobody=NOBODY,
    )


def _pairs(visit: Visit, found: Sequence[Link]) -> list[Pair]:
    snapshot = visit.installed.ledger.latest()
    if snapshot is None or not found:
        return [Pair(link, (), {}) for link in found]
    sides = {link.id: (_left(link), Record(link.right_system, "accounts", link.right_key)) for link in found}
    with Engine.over(visit.installed.store, snapshot) as engine:
        values = evidence_of(engine)({record for pair in sides.values() for record in pair})
        moved = {link.id: _moved(engine, link) for link in found}
    return [Pair(link, _side_by_side(*(values[side] for side in sides[link.id])), moved[link.id]) for link in found]


def _left(link: Link) -> Record:
    return Record(link.left_system, link.left_entity, link.left_key)


def _side_by_side(left: Mapping[str, str], right: Mapping[str, str]) -> list[tuple[str, str | None, str | None]]:
    return [(name, left.get(name), right.get(name)) for name in _COMPARED if name in left or name in right]


def _moved(engine: Engine, link: Link) -> dict[str, int]:
    if link.left_entity == "usage_events":
        count = (
            "SELECT count(*) FROM usage_events WHERE system = ? AND coalesce(account_id, subject) = ? AND NOT deleted"
        )
        (rows,) = engine.connection.execute(count, [link.left_system, link.left_key]).fetchall()
        return {"usage_events": rows[0]}
    counts = {}
    for entity in _MOVED:
        count = f'SELECT count(*) FROM "{entity}" WHERE account_key = ? AND NOT deleted'
        (rows,) = engine.connection.execute(count, [f"{link.left_system}:{link.left_key}"]).fetchall()
        counts[entity] = rows[0]
    return {entity: rows for entity, rows in counts.items() if rows}
