"""Whether the process lives, whether it can answer, and its metrics."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from gateway.api.access import InstallationDep
from gateway.errors import Unavailable

router = APIRouter(tags=["operations"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers; says nothing about what it needs."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(installed: InstallationDep) -> dict[str, str | None]:
    """The database answers and a snapshot is published; 503 otherwise."""
    with installed.database.session() as session:
        session.execute(text("SELECT 1"))
    snapshot = installed.ledger.latest_id()
    if snapshot is None:
        raise Unavailable("Nothing has been synchronised yet. Run `tieout sync`.")
    return {"status": "ready", "snapshot": snapshot}


@router.get("/metrics")
def metrics() -> Response:
    """Prometheus text."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
