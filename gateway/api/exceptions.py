"""`/v1/exceptions`: the queue for machines. Who acts is a person of owners.yaml, named in each action."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.access import CallerDep, InstallationDep
from gateway.errors import Refused
from gateway.exceptions import actions
from gateway.exceptions.actions import Acting
from gateway.exceptions.search import Query, Sort, case_file, search
from gateway.exceptions.shape import case_shape, file_shape, page_shape
from gateway.exceptions.states import FalsePositive, Resolution, State
from gateway.exceptions.tables import Case
from gateway.installation import Installation

router = APIRouter(prefix="/v1/exceptions", tags=["exceptions"])
Words = Annotated[list[str] | None, Parameter()]


class Action(BaseModel):
    """Who does it, and what they say."""

    model_config = ConfigDict(extra="forbid")

    actor: str = Field(min_length=1, max_length=255)
    note: str = Field(default="", max_length=10_000)


class Assignment(Action):
    to: str
    role: Literal["business", "technical"] = "business"


class Wait(Action):
    state: Literal["pending_customer", "pending_vendor", "pending_approval"]
    until: datetime


class Closing(Action):
    code: Resolution
    sub_reason: FalsePositive | None = None
    approver: str | None = None
    until: datetime | None = None
    duplicate_of: str | None = None


@router.get("")
def listed(
    who: CallerDep,
    installed: InstallationDep,
    owner: Words = None,
    team: Words = None,
    severity: Words = None,
    state: Words = None,
    check: Words = None,
    sort: Sort = Sort.EXPOSURE,
    page: Annotated[int, Parameter(ge=1)] = 1,
    per_page: Annotated[int, Parameter(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """A page of the queue; repeat a filter to widen it."""
    who.require("exceptions:read")
    query = Query(
        owner=tuple(owner or ()),
        team=tuple(team or ()),
        severity=tuple(severity or ()),
        state=tuple(state or ()),
        check=tuple(check or ()),
        sort=sort,
        page=page,
        per_page=per_page,
    )
    with installed.database.session() as session:
        return page_shape(search(session, query, installed.clock()))


@router.get("/{reference}")
def one(reference: str, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    """One case with its evidence, clocks and timeline."""
    who.require("exceptions:read")
    with installed.database.session() as session:
        return file_shape(case_file(session, installed.owners, reference, installed.clock()))


@router.post("/{reference}/acknowledge")
def acknowledge(reference: str, said: Action, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    who.require("exceptions:write")
    with _acting(installed, said) as acting:
        return case_shape(actions.acknowledge(acting, reference, said.note or None))


@router.post("/{reference}/start")
def start(reference: str, said: Action, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    who.require("exceptions:write")
    with _acting(installed, said) as acting:
        return case_shape(actions.start(acting, reference, said.note or None))


@router.post("/{reference}/comment")
def comment(reference: str, said: Action, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    who.require("exceptions:write")
    with _acting(installed, said) as acting:
        return case_shape(actions.comment(acting, reference, said.note))


@router.post("/{reference}/assign")
def assign(reference: str, said: Assignment, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    who.require("exceptions:write")
    with _acting(installed, said) as acting:
        return case_shape(actions.assign(acting, reference, said.to, role=said.role))


@router.post("/{reference}/pend")
def pend(reference: str, said: Wait, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    who.require("exceptions:write")
    until = _with_zone(said.until)
    with _acting(installed, said) as acting:
        return case_shape(actions.pend(acting, reference, State(said.state), reason=said.note, until=until))


@router.post("/{reference}/resume")
def resume(reference: str, said: Action, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    who.require("exceptions:write")
    with _acting(installed, said) as acting:
        return case_shape(actions.resume(acting, reference, said.note or None))


@router.post("/{reference}/resolve")
def resolve(reference: str, said: Closing, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    """Close provisionally; the case is verified once its check evaluates clean on newer data."""
    who.require("exceptions:write")
    with _acting(installed, said) as acting:
        case: Case = actions.resolve(
            acting,
            reference,
            said.code,
            said.note,
            sub_reason=said.sub_reason,
            approver=said.approver,
            until=_with_zone(said.until) if said.until else None,
            duplicate_of=said.duplicate_of,
        )
        return case_shape(case)


@contextmanager
def _acting(installed: Installation, said: Action) -> Iterator[Acting]:
    if said.actor not in installed.owners.people:
        raise Refused(f"owners.yaml knows nobody called {said.actor!r}.", "malformed-request")
    if "\x00" in said.note:
        raise Refused("A note holds no NUL character.", "malformed-request")
    with installed.database.session() as session:
        yield Acting(session, installed.owners, said.actor, installed.clock())


def _with_zone(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise Refused("An instant needs a time zone, such as 2026-12-04T17:00:00Z.", "malformed-request")
    return instant
