"""`/exceptions/EXC-12`: one case with its money, its proof, its clocks, its story, and what may be done now."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.console import evidence, words
from gateway.console.acting import ACTIONS, NOBODY, act, allowed, may_acknowledge
from gateway.console.filters import link
from gateway.console.posted import SaidDep
from gateway.console.standing import Shown, of_clock
from gateway.console.timeline import told
from gateway.console.visit import Visit, VisitDep
from gateway.errors import NotFound, Refused
from gateway.exceptions.actions import case_number
from gateway.exceptions.clocks import Cycle
from gateway.exceptions.search import CaseFile, case_file
from gateway.exceptions.states import FalsePositive, Resolution, State
from gateway.exceptions.tables import Case

router = APIRouter(include_in_schema=False)
SEE_OTHER = 303
SHOWN_SYMPTOMS = 20

# What people may say; only a check says auto_verified.
CODES: Mapping[str, str] = {
    Resolution.FIXED_AT_SOURCE: "Fixed at source",
    Resolution.CORRECTED_INVOICE: "Invoice corrected",
    Resolution.CREDIT_ISSUED: "Credit issued",
    Resolution.FALSE_POSITIVE: "False positive",
    Resolution.ACCEPTED_RISK: "Risk accepted",
    Resolution.DUPLICATE_OF: "Duplicate of another exception",
    Resolution.NOT_REPRODUCIBLE: "Cannot be reproduced",
}
WAITS = (State.PENDING_CUSTOMER, State.PENDING_VENDOR, State.PENDING_APPROVAL)


@router.get("/exceptions/{reference}")
def case(reference: str, visit: VisitDep) -> Response:
    """The page of one case."""
    done = ACTIONS.get(visit.request.query_params.get("done", ""))
    return _page(visit, reference, done=done.done if done else None)


@router.post("/exceptions/{reference}/{action}")
def changed(reference: str, action: str, visit: VisitDep, said: SaidDep) -> Response:
    """Carry out what a form says; where that is refused, the page again with the reason and what was typed."""
    try:
        carried_out = act(visit, action, reference, said)
    except (Refused, NotFound) as refusal:
        return _page(visit, reference, 409, refusal=str(refusal), tried=action, typed=said.shown())
    return RedirectResponse(f"/exceptions/EXC-{case_number(reference)}?done={carried_out.name}", SEE_OTHER)


def _page(
    visit: Visit,
    reference: str,
    status: int = 200,
    *,
    done: str | None = None,
    refusal: str | None = None,
    tried: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    with visit.installed.database.session() as session:
        file = case_file(session, visit.installed.owners, reference, visit.now)
        symptoms = _symptoms(session, file.case)
    return visit.page(
        "case.html",
        status,
        case=file.case,
        check=visit.installed.checks.get(file.case.check_id),
        evidence=evidence.laid_out(file.case.evidence),
        arithmetic=file.case.arithmetic.split("; "),
        tier=visit.installed.config.tiers().tier(file.case.confidence).value,
        timeline=told(file.events, words.Names(visit.installed.owners)),
        clocks=_clocks(file.cycles[-1]) if file.cycles else [],
        earlier=[(cycle.number, _clocks(cycle)) for cycle in file.cycles[:-1]],
        symptoms=symptoms[:SHOWN_SYMPTOMS],
        more_symptoms=len(symptoms) > SHOWN_SYMPTOMS,
        link=link,
        done=done,
        refusal=refusal,
        tried=tried,
        typed=typed or {},
        **_possible(visit, file),
    )


def _possible(visit: Visit, file: CaseFile) -> Mapping[str, object]:
    """What the forms of the page offer."""
    owners, names = visit.installed.owners, words.Names(visit.installed.owners)
    members = sorted(
        {person for team in owners.teams.values() for person in (team.lead, *team.members)}, key=names.person
    )
    return {
        "allowed": allowed(file.case) if visit.may_act else frozenset(),
        "may_acknowledge": may_acknowledge(file.case, visit),
        "nobody": NOBODY,
        "codes": CODES,
        "sub_reasons": {reason.value: words.title(reason.value) for reason in FalsePositive},
        "waits": {state.value: words.state(state.value) for state in WAITS},
        "members": [(person, names.person(person)) for person in members],
        "approvers": [
            (id_, names.person(id_)) for id_ in sorted(owners.people, key=names.person) if id_ != visit.actor
        ],
    }


def _clocks(cycle: Cycle) -> list[Shown]:
    return [of_clock(clock) for clock in (cycle.ack, cycle.resolve) if clock is not None]


def _symptoms(session: Session, case: Case) -> Sequence[Case]:
    """Cases that hang on this one: symptoms of the same fault, the largest first."""
    ordered = select(Case).where(Case.parent == case.number).order_by(Case.severity, Case.amount.desc(), Case.number)
    return session.scalars(ordered.limit(SHOWN_SYMPTOMS + 1)).all()
