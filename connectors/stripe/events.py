"""The feed of events: which objects changed, and which are gone (vendors.md C3, E15).

An event names an object, and its copy of it may have the shape of another API version: the object is read again.
Boundaries are whole seconds and inclusive, so windows meet at a second and share none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Record
from connectors.errors import TransientError
from connectors.stripe.api import StripeApi
from connectors.stripe.reading import Reader
from connectors.stripe.resources import Resource


@dataclass(frozen=True)
class Told:
    """What a page of events says of one resource: ids to ask for, newest first, and the stamp of the latest event."""

    ids: Sequence[str]
    latest: datetime | None


def told(
    api: StripeApi, resource: Resource, types: Sequence[str], start: datetime, end: datetime | None = None
) -> Iterator[Told]:
    """The objects that events of [start, end) name, each once, page by page."""
    seen: set[str] = set()
    for events in _pages(api, types, start, end):
        named = dict.fromkeys(key for event in events if (key := subject(resource, event)) and key not in seen)
        seen.update(named)
        yield Told(list(named), max((_stamp(event) for event in events), default=None))


def gone(api: StripeApi, reader: Reader, start: datetime) -> Iterator[str]:
    """Keys of what was deleted since then, each found to be gone by asking for it. None for what is never deleted."""
    if reader.resource.walks_parent:
        yield from _left_their_parent(api, reader, start)
        return
    types = reader.resource.deletes
    for page in told(api, reader.resource, types, start) if types else ():
        yield from (key for key in page.ids if not reader.named(key))


def _left_their_parent(api: StripeApi, reader: Reader, start: datetime) -> Iterator[str]:
    """Those that an event still shows within their parent, and the parent does not hold any more."""
    mentioned: dict[str, dict[str, None]] = {}
    for events in _pages(api, reader.resource.events, start, None):
        for event in events:
            parent = subject(reader.resource, event)
            if parent:
                mentioned.setdefault(parent, {}).update(dict.fromkeys(_mentions(reader.resource, event)))
    for parent, keys in mentioned.items():
        held = {record.get("id") for record in reader.named(parent)} if keys else set()
        yield from (key for key in keys if key not in held)


def subject(resource: Resource, event: Record) -> str | None:
    """The id to ask for after an event: the object's own, or the parent's whose list it may have changed."""
    thing = _object(event)
    if thing.get("object") == (resource.parent or resource.name):
        key = thing.get("id")
    else:
        key = thing.get(resource.link) if resource.parent else None
    return key if isinstance(key, str) and key else None


def _pages(api: StripeApi, types: Sequence[str], start: datetime, end: datetime | None) -> Iterator[Sequence[Record]]:
    params: dict[str, str | Sequence[str]] = {"types[]": types, "created[gte]": str(int(start.timestamp()))}
    if end is not None:
        params["created[lt]"] = str(int(end.timestamp()))
    for page in api.pages("/v1/events", params):
        yield [event for event in page.records if event.get("type") in types]


def _mentions(resource: Resource, event: Record) -> Iterator[str]:
    data = event["data"]
    for copy in (data.get("object"), data.get("previous_attributes")):
        held = copy.get(resource.within) if isinstance(copy, dict) else None
        members = held.get("data", ()) if isinstance(held, dict) else ()
        yield from (str(member["id"]) for member in members if isinstance(member, dict) and member.get("id"))


def _object(event: Record) -> dict[str, Any]:
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    return thing if isinstance(thing, dict) else {}


def _stamp(event: Record) -> datetime:
    created = event.get("created")
    if type(created) is not int:
        raise TransientError("Stripe sent an event without the moment at which it was made.")
    return datetime.fromtimestamp(created, UTC)
