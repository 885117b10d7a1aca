"""`/links`: records that may be one customer, side by side, for a person to confirm or reject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
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
_ASKED = pa.schema({"link": pa.int64(), "system": pa.string(), "account_key": pa.string(), "subject": pa.string()})
_COUNT = """
    SELECT asked.link, '{0}' AS entity, count(*) AS n FROM "{0}" held JOIN asked USING (account_key)
    WHERE NOT held.deleted GROUP BY asked.link
"""
_USED = """
    SELECT asked.link, 'usage_events' AS entity, count(*) AS n FROM usage_events held
    JOIN asked ON asked.system = held.system AND asked.subject = coalesce(held.account_id, held.subject)
    WHERE NOT held.deleted GROUP BY asked.link
"""


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
        moved = _moved(engine, found)
    return [
        Pair(link, _side_by_side(*(values[side] for side in sides[link.id])), moved.get(link.id, {})) for link in found
    ]


def _left(link: Link) -> Record:
    return Record(link.left_system, link.left_entity, link.left_key)


def _side_by_side(left: Mapping[str, str], right: Mapping[str, str]) -> list[tuple[str, str | None, str | None]]:
    return [(name, left.get(name), right.get(name)) for name in _COMPARED if name in left or name in right]


def _moved(engine: Engine, links: Sequence[Link]) -> Mapping[int, Mapping[str, int]]:
    """By link, how many live rows of each entity would come to the customer."""
    engine.hold("asked", pa.Table.from_pylist([_asked(link) for link in links], _ASKED))
    counted: dict[int, dict[str, int]] = {}
    for row in engine.rows(" UNION ALL ".join([*map(_COUNT.format, _MOVED), _USED])):
        counted.setdefault(row["link"], {})[row["entity"]] = row["n"]
    return counted


def _asked(link: Link) -> dict[str, object]:
    """An account's rows are those that it owns; a meter's subject has usage under its name."""
    whose = "subject" if link.left_entity == "usage_events" else "account_key"
    named = {"subject": link.left_key, "account_key": f"{link.left_system}:{link.left_key}"}
    return {"link": link.id, "system": link.left_system, whose: named[whose]}
