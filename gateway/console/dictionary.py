"""`/dictionary`: which system is right about what, who owns it, and what each system means by it."""

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.console.visit import VisitDep
from gateway.dictionary import dictionary

router = APIRouter(include_in_schema=False)


@router.get("/dictionary")
def shown(visit: VisitDep) -> Response:
    """Every attribute that several systems hold, and what no source fills."""
    entries = dictionary(visit.installed)
    return visit.page(
        "dictionary.html",
        declared=[entry for entry in entries if entry.declared],
        implied=[entry for entry in entries if not entry.declared],
    )
