"""The limits that the org tells of, of which those matter that a reader uses up (vendors.md A2, A5)."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contract import Limit
from connectors.errors import PermanentError
from connectors.salesforce.bulk import NoBulk
from connectors.salesforce.org import Org

JOBS = "DailyBulkV2QueryJobs"
NAMES = ("DailyApiRequests", JOBS, "DailyBulkV2QueryFileStorageMB")


def limits_of(reply: Mapping[str, Any]) -> Sequence[Limit]:
    """The limits of a reply to /limits."""
    found = ((name, reply[name]) for name in NAMES if name in reply)
    return [Limit(name, int(said["Max"]) - int(said["Remaining"]), int(said["Max"])) for name, said in found]


def room_for_jobs(org: Org, share: float) -> None:
    """Raises NoBulk where the org has used its share of the day's bulk query jobs."""
    try:
        known = org.call(lambda client: limits_of(client.limits()))
    except PermanentError:  # not every integration user may see the limits; the org itself refuses a job too many
        return
    for limit in known:
        if limit.name == JOBS and limit.used + 1 > limit.most * share:
            raise NoBulk(f"{limit.used:,} of the {limit.most:,} bulk query jobs of this day are used.")
