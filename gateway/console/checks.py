"""`/checks`, `/checks/<id>` and `/controls`: what is looked for, what came of it last, and what nobody looks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checks import page as words_of
from checks.contract import Mode, Outcome, Pattern
from gateway.console.filters import link
from gateway.console.visit import HEADERS, VisitDep
from gateway.controls import Control, matrix
from gateway.errors import NotFound
from gateway.evaluations.tables import CheckState, ShadowFinding
from gateway.exceptions.states import ACTIVE
from gateway.exceptions.tables import Case

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Standing:
    """A check with what came of it last; `state` is None where no sweep has asked it yet.

    `found` counts open cases, or what is recorded where nobody acts on it.
    """

    control: Control
    state: CheckState | None
    found: int

    @property
    def outcome(self) -> str:
        """In a word. A share of the books may have passed while findings elsewhere are open."""
        if self.control.idle is not None:
            return "not_applicable"
        if self.state is None:
            return "not_asked"
        if self.state.outcome == Outcome.NOT_EVALUATED:
            return "not_evaluated"
        return "found" if self.found else "passed"

    @property
    def reason(self) -> str | None:
        if self.control.idle is not None:
            return self.control.idle
        return self.state.reason if self.state is not None and self.outcome == "not_evaluated" else None

    @property
    def in_shadow(self) -> bool:
        return self.control.check.mode is Mode.SHADOW


@router.get("/checks")
def checks(visit: VisitDep) -> Response:
    """All checks by family."""
    with visit.installed.database.session() as session:
        standings = _standings(session, matrix(visit.installed).controls)
    families = [(p, [s for s in standings if s.control.check.pattern is p]) for p in Pattern]
    counts = {outcome: sum(s.outcome == outcome for s in standings) for outcome in _OUTCOMES}
    return visit.page(
        "checks.html",
        families=families,
        counts=counts,
        total=len(standings),
        outcomes=_OUTCOMES,
        says=words_of,
        link=link,
    )


@router.get("/checks/{check}")
def check(check: str, visit: VisitDep) -> Response:
    """The page of one check: its text, its declaration as it is in force, and what it found in shadow."""
    control = next((c for c in matrix(visit.installed).controls if c.check.id == check), None)
    if control is None:
        raise NotFound(f"There is no check {check}.")
    with visit.installed.database.session() as session:
        (standing,) = _standings(session, [control])
        shadow = session.scalars(
            select(ShadowFinding).where(ShadowFinding.check_id == check).order_by(ShadowFinding.amount.desc())
        ).all()
    return visit.page(
        "check.html",
        standing=standing,
        check=control.check,
        params=visit.installed.ruleset.rules[check].params,
        shadow=shadow,
        outcomes=_OUTCOMES,
        says=words_of,
        link=link,
    )


@router.get("/controls")
def controls(visit: VisitDep) -> Response:
    """Failure pattern by system: the checks of each cell, and the cells without one."""
    found = matrix(visit.installed)
    played = {role: systems for role, systems in found.systems.items() if systems}
    return visit.page("controls.html", matrix=found, patterns=list(Pattern), roles=played, all_roles=found.systems)


@router.get("/controls.csv")
def exported(visit: VisitDep) -> Response:
    """The same as `tieout controls --csv`."""
    text = matrix(visit.installed).as_text(visit.installed.owners.roles)
    named = {"Content-Disposition": 'attachment; filename="controls.csv"'}
    return PlainTextResponse(text, headers={**HEADERS, **named}, media_type="text/csv")


# Each outcome with its words and the badge that stands for it.
_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "found": ("Findings", "sla-breached"),
    "not_evaluated": ("Not evaluated", "sla-at_risk"),
    "passed": ("Passed", "sla-met"),
    "not_asked": ("Not asked yet", "state-open"),
    "not_applicable": ("Not applicable", "severity-s4"),
}


def _standings(session: Session, controls: Sequence[Control]) -> list[Standing]:
    active = select(Case.check_id, func.count()).where(Case.current, Case.state.in_(ACTIVE)).group_by(Case.check_id)
    cases = {row[0]: row[1] for row in session.execute(active)}
    shadow = select(ShadowFinding.check_id, func.count()).group_by(ShadowFinding.check_id)
    recorded = {row[0]: row[1] for row in session.execute(shadow)}
    states = {state.check_id: state for state in session.scalars(select(CheckState))}
    session.expunge_all()
    return [
        Standing(
            control,
            states.get(control.check.id),
            (recorded if control.check.mode is Mode.SHADOW else cases).get(control.check.id, 0),
        )
        for control in controls
    ]
