"""`/v1/exceptions`: the queue for machines. Who acts is a person of owners.yaml, named in each action."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from fastapi import Query as Parameter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gateway.api.access import Allowed, InstallationDep
from gateway.api.cases import CaseFileShown, CaseShown, QueuePage
from gateway.api.problems import described
from gateway.errors import Refused
from gateway.exceptions import actions
from gateway.exceptions.actions import Acting
from gateway.exceptions.search import Query, Sort, case_file, search
from gateway.exceptions.shape import case_shape, file_shape, page_shape
from gateway.exceptions.states import FalsePositive, Resolution, State
from gateway.installation import Installation
from gateway.notices.tiers import Tier

router = APIRouter(prefix="/v1/exceptions", tags=["exceptions"], responses=described(401, 403, 422, 503))
READING = Depends(Allowed("exceptions:read"))
WRITING = Depends(Allowed("exceptions:write"))
FARTHEST = timedelta(days=3650)  # nobody promises anything for later

# PostgreSQL stores no NUL.
NO_NUL = r"^[^\x00]*$"
Word = Annotated[str, Field(max_length=255, pattern=NO_NUL)]
Words = Annotated[list[Word], Parameter(default_factory=list)]
Reference = Annotated[str, Path(max_length=40, description="A case, such as EXC-12.")]


class Action(BaseModel):
    """Who does it, and what they say."""

    model_config = ConfigDict(extra="forbid")

    actor: Word = Field(min_length=1, description="A person of owners.yaml.")
    note: str = Field(default="", max_length=10_000, pattern=NO_NUL)


class Assignment(Action):
    to: Word
    role: Literal["business", "technical"] = "business"


class Wait(Action):
    state: Literal["pending_customer", "pending_vendor", "pending_approval"]
    until: AwareDatetime


class Closing(Action):
    code: Resolution
    sub_reason: FalsePositive | None = None
    approver: Word | None = None
    until: AwareDatetime | None = None
    duplicate_of: Word | None = None


@router.get("", dependencies=[READING], response_model=QueuePage)
def listed(
    installed: InstallationDep,
    owner: Words,
    team: Words,
    severity: Words,
    state: Words,
    check: Words,
    tier: Annotated[list[Tier], Parameter(default_factory=list, description="By confidence.")],
    sort: Sort = Sort.EXPOSURE,
    page: Annotated[int, Parameter(ge=1, le=1_000_000)] = 1,
    per_page: Annotated[int, Parameter(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """A page of the queue; repeat a filter to widen it."""
    query = Query(
        owner=tuple(owner),
        team=tuple(team),
        severity=tuple(severity),
        state=tuple(state),
        check=tuple(check),
        tier=tuple(tier),
        tiers=installed.config.tiers(),
        sort=sort,
        page=page,
        per_page=per_page,
    )
    with installed.database.session() as session:
        return page_shape(search(session, query, installed.clock()))


@router.get("/{reference}", dependencies=[READING], response_model=CaseFileShown, responses=described(404))
def one(reference: Reference, installed: InstallationDep) -> dict[str, Any]:
    """One case with its evidence, clocks and timeline."""
    with installed.database.session() as session:
        return file_shape(case_file(session, installed.owners, reference, installed.clock()))


acts = APIRouter(
    prefix="/{reference}", dependencies=[WRITING], responses=described(400, 404, 409, 413), tags=["exceptions"]
)


@acts.post("/acknowledge", response_model=CaseShown)
def acknowledge(reference: Reference, said: Action, installed: InstallationDep) -> dict[str, Any]:
    """A member of an owning team has it; the ack clock stops."""
    with _acting(installed, said) as acting:
        return case_shape(actions.acknowledge(acting, reference, said.note or None))


@acts.post("/start", response_model=CaseShown)
def start(reference: Reference, said: Action, installed: InstallationDep) -> dict[str, Any]:
    """Work has begun."""
    with _acting(installed, said) as acting:
        return case_shape(actions.start(acting, reference, said.note or None))


@acts.post("/comment", response_model=CaseShown)
def comment(reference: Reference, said: Action, installed: InstallationDep) -> dict[str, Any]:
    """Say something that stays on the case."""
    with _acting(installed, said) as acting:
        return case_shape(actions.comment(acting, reference, said.note))


@acts.post("/assign", response_model=CaseShown)
def assign(reference: Reference, said: Assignment, installed: InstallationDep) -> dict[str, Any]:
    """Make a person the business or the technical owner."""
    with _acting(installed, said) as acting:
        return case_shape(actions.assign(acting, reference, said.to, role=said.role))


@acts.post("/pend", response_model=CaseShown)
def pend(reference: Reference, said: Wait, installed: InstallationDep) -> dict[str, Any]:
    """Wait for somebody else until an instant; the resolve clock pauses."""
    with _acting(installed, said) as acting:
        until = _soon(said.until, acting.now)
        return case_shape(actions.pend(acting, reference, State(said.state), reason=said.note, until=until))


@acts.post("/resume", response_model=CaseShown)
def resume(reference: Reference, said: Action, installed: InstallationDep) -> dict[str, Any]:
    """What was waited for has come."""
    with _acting(installed, said) as acting:
        return case_shape(actions.resume(acting, reference, said.note or None))


@acts.post("/resolve", response_model=CaseShown)
def resolve(reference: Reference, said: Closing, installed: InstallationDep) -> dict[str, Any]:
    """Close provisionally; the case is verified once its check evaluates clean on newer data."""
    with _acting(installed, said) as acting:
        case = actions.resolve(
            acting,
            reference,
            said.code,
            said.note,
            sub_reason=said.sub_reason,
            approver=said.approver,
            until=_soon(said.until, acting.now) if said.until else None,
            duplicate_of=said.duplicate_of,
        )
        return case_shape(case)


router.include_router(acts)


@contextmanager
def _acting(installed: Installation, said: Action) -> Iterator[Acting]:
    if said.actor not in installed.owners.people:
        raise Refused(f"owners.yaml knows nobody called {said.actor!r}.", "person-unknown")
    with installed.database.session() as session:
        yield Acting(session, installed.owners, said.actor, installed.clock())


def _soon(instant: datetime, now: datetime) -> datetime:
    if instant > now + FARTHEST:
        raise Refused(f"Name an instant within the next {FARTHEST.days // 365} years.", "too-far-off")
    return instant
