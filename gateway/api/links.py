"""`/v1/links`: proposed links between records and customers, for machines."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi import Query as Parameter
from pydantic import BaseModel

from gateway.api.access import Allowed, InstallationDep
from gateway.api.exceptions import Action, Word
from gateway.api.problems import described
from gateway.crosswalk import links
from gateway.crosswalk.shape import link_shape
from gateway.crosswalk.tables import Basis

router = APIRouter(prefix="/v1/links", tags=["links"], responses=described(401, 403, 422, 503))
READING = Depends(Allowed("exceptions:read"))
WRITING = Depends(Allowed("exceptions:write"))
Reference = Annotated[str, Path(max_length=40, description="A link, such as LNK-12.")]


class LinkedRecord(BaseModel):
    system: str
    entity: str
    key: str
    name: str


class Customer(BaseModel):
    system: str
    key: str
    name: str


class LinkShown(BaseModel):
    """`basis`: matched is a proposal, which joins nothing; confirmed joins from the next sync on."""

    reference: str
    basis: Basis
    record: LinkedRecord
    customer: Customer
    score: str
    reason: str
    proposed_at: str
    decided_at: str | None
    decided_by: str | None
    note: str | None


@router.get("", dependencies=[READING], response_model=list[LinkShown])
def listed(
    installed: InstallationDep,
    basis: Annotated[list[Basis], Parameter(default_factory=list, description="Proposals unless said.")],
    account: Annotated[Word | None, Parameter(description="A customer's key, or `system:key` of a record.")] = None,
) -> list[dict[str, Any]]:
    """The likeliest 500."""
    with installed.database.session() as session:
        found = links.listed(session, tuple(basis) or (Basis.MATCHED,), account)
        return [link_shape(link) for link in found]


@router.post(
    "/{reference}/confirm", dependencies=[WRITING], response_model=LinkShown, responses=described(400, 404, 409, 413)
)
def confirm(installed: InstallationDep, reference: Reference, said: Action) -> dict[str, Any]:
    """They are one customer."""
    with installed.database.session() as session:
        link = links.confirm(session, installed.owners, said.actor, reference, installed.clock(), said.note)
        return link_shape(link)


@router.post(
    "/{reference}/reject", dependencies=[WRITING], response_model=LinkShown, responses=described(400, 404, 409, 413)
)
def reject(installed: InstallationDep, reference: Reference, said: Action) -> dict[str, Any]:
    """They are two, and the pair is not proposed again."""
    with installed.database.session() as session:
        link = links.reject(session, installed.owners, said.actor, reference, installed.clock(), said.note)
        return link_shape(link)
