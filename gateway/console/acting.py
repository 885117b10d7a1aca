"""What a visitor may do to a case, and doing it: each form of a case's page is one action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.console.posted import Said
from gateway.console.visit import Visit
from gateway.errors import NotFound
from gateway.exceptions import actions
from gateway.exceptions.actions import Acting
from gateway.exceptions.errors import MoveRefused
from gateway.exceptions.states import ACTIVE, PENDING, FalsePositive, Move, Resolution, State, after
from gateway.exceptions.tables import Case


@dataclass(frozen=True)
class Action:
    """`move` is what the case must allow; `done` is what the page says afterwards."""

    name: str
    move: Move
    done: str
    carry_out: Callable[[Acting, str, Said], Case]


def act(visit: Visit, name: str, reference: str, said: Said) -> Action:
    """Carry an action out. Raises NotFound, Refused; the case is then as it was."""
    action = ACTIONS.get(name)
    if action is None:
        raise NotFound(f"There is no action {name!r}.")
    if visit.actor is None or not visit.may_act:
        raise MoveRefused(NOBODY)
    with visit.installed.database.session() as session:
        action.carry_out(Acting(session, visit.installed.owners, visit.actor, visit.now), reference, said)
    return action


NOBODY = "Only people of owners.yaml can act: the audit log names them. Sign in with a key that has a person's name."


def allowed(case: Case) -> frozenset[str]:
    """The actions that the state of a case allows."""
    return frozenset(name for name, action in ACTIONS.items() if _allows(case, action.move))


def may_acknowledge(case: Case, visit: Visit) -> bool:
    """Whether the visitor belongs to a team that owns the case."""
    teams = visit.installed.owners.teams_of(visit.actor or "")
    return bool({case.business_team, case.technical_team} & set(teams))


def _allows(case: Case, move: Move) -> bool:
    state = State(case.state)
    if move is Move.ASSIGN:
        return state in ACTIVE
    try:
        after(case.reference, state, move, State.PENDING_CUSTOMER)
    except MoveRefused:
        return False
    return True


def _acknowledge(acting: Acting, reference: str, said: Said) -> Case:
    return actions.acknowledge(acting, reference, said.text("note") or None)


def _start(acting: Acting, reference: str, said: Said) -> Case:
    return actions.start(acting, reference, said.text("note") or None)


def _resume(acting: Acting, reference: str, said: Said) -> Case:
    return actions.resume(acting, reference, said.text("note") or None)


def _comment(acting: Acting, reference: str, said: Said) -> Case:
    return actions.comment(acting, reference, said.text("note"))


def _assign(acting: Acting, reference: str, said: Said) -> Case:
    role = said.text("role")
    to = said.text("to")
    return actions.assign(acting, reference, to, role="technical" if role == "technical" else "business")


def _pend(acting: Acting, reference: str, said: Said) -> Case:
    state, until = said.choice("state", State), said.instant("until")
    if state not in PENDING or state is None:
        raise MoveRefused("Say for whom the case waits: the customer, a vendor or an approval.")
    if until is None:
        raise MoveRefused("Say until when you expect to wait; the clock goes on from then.")
    return actions.pend(acting, reference, state, reason=said.text("note"), until=until)


def _resolve(acting: Acting, reference: str, said: Said) -> Case:
    code = said.choice("code", Resolution)
    if code is None:
        raise MoveRefused("Choose how the case was resolved.")
    return actions.resolve(
        acting,
        reference,
        code,
        said.text("note"),
        sub_reason=said.choice("sub_reason", FalsePositive),
        approver=said.text("approver") or None,
        until=said.instant("until"),
        duplicate_of=said.text("duplicate_of") or None,
    )


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("acknowledge", Move.ACKNOWLEDGE, "Acknowledged: it is yours now.", _acknowledge),
        Action("start", Move.START, "Work has started.", _start),
        Action("resume", Move.RESUME, "The case is in progress again.", _resume),
        Action("pend", Move.PEND, "The case waits, and its resolve clock with it.", _pend),
        Action("resolve", Move.RESOLVE, "Resolved. Its check has the last word on newer data.", _resolve),
        Action("assign", Move.ASSIGN, "Assigned.", _assign),
        Action("comment", Move.COMMENT, "Your comment is part of the timeline.", _comment),
    )
}
