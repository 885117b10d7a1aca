"""Whether the process lives, whether it can answer, and its metrics."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from gateway.api.access import InstallationDep
from gateway.api.problems import described
from gateway.errors import Unavailable

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    status: str


class Ready(Alive):
    snapshot: str


@router.get("/healthz")
def alive() -> Alive:
    """The process answers; says nothing about what it needs."""
    return Alive(status="alive")


@router.get("/readyz", responses=described(503))
def ready(installed: InstallationDep) -> Ready:
    """The database answers and a snapshot is published; 503 otherwise."""
    with installed.database.session() as session:
        session.execute(text("SELECT 1"))
    snapshot = installed.ledger.latest_id()
    if snapshot is None:
        raise Unavailable("Nothing has been synchronised yet. Run `tieout sync`.")
    return Ready(status="ready", snapshot=snapshot)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics() -> PlainTextResponse:
    """Prometheus text."""
    return PlainTextResponse(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})
