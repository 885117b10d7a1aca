"""The state of a simulated Stripe account: objects by kind, and an event for every change that somebody makes.

Objects are kept in the shape of the present API version; `shapes.py` renders them for the version that is asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from itertools import count
from threading import RLock
from typing import Any, TypeAlias

from sandbox.stripe.kinds import KINDS, Kind
from sandbox.stripe.shapes import Version, rendered

Object: TypeAlias = dict[str, Any]

# Events are kept for 30 days (vendors.md C3).
KEPT = timedelta(days=30)
CURRENT = "2026-04-22.dahlia"


class StripeAccount:
    """One account. Methods may be called from any thread; they hold `lock` for themselves.

    `version` is the account's own, in which events are written whatever version a request asks for. `nested` is how
    many members of a list are shown within its object.
    """

    def __init__(self, clock: Callable[[], datetime], version: str = CURRENT, nested: int = 10) -> None:
        self.clock = clock
        self.lock = RLock()
        self.version = Version.of(version)
        self.nested = nested
        self._objects: dict[str, dict[str, Object]] = {name: {} for name in KINDS}
        self._order: dict[str, tuple[int, int]] = {}
        self._gone: set[tuple[str, str]] = set()
        self._ids: Counter[str] = Counter()
        self._turns = count()

    def put(self, name: str, fields: Mapping[str, Any], *, late: timedelta = timedelta(0), quiet: bool = False) -> str:
        """Make an object, or change the one whose `id` is among the fields; returns the id.

        `late`: it is seen from now on, and stamped so much earlier, as its event is. `quiet`: no event tells of it.
        """
        with self.lock:
            kind, moment = KINDS[name], self.now() - int(late.total_seconds())
            identity = str(fields.get("id") or self._identity(kind))
            before = self._objects[name].get(identity)
            if before is None:
                self._make(kind, identity, fields, moment)
            else:
                self._objects[name][identity] = {**before, **deepcopy(dict(fields))}
            if not quiet:
                self._tell(kind, identity, before, fields, moment)
            return identity

    def remove(self, name: str, identity: str) -> None:
        """Delete an object as users do: an event tells of it. A subscription ends with `end`; it is never deleted."""
        with self.lock:
            gone = self._objects[name][identity]
            parent = self._parent(KINDS[name], gone)
            shown = self.shown(name, gone, self.version)
            before = self._listing(parent) if parent else {}
            self.purge(name, identity)
            if parent:
                self.emit(f"{parent[0].event}.updated", parent[0].name, parent[1], before)
            elif KINDS[name].event:
                self._event(f"{KINDS[name].event}.deleted", shown, {}, self.now())

    def purge(self, name: str, identity: str) -> None:
        """An object vanishes with all that it holds, and nothing tells of it."""
        with self.lock:
            for child, link in KINDS[name].holds.values():
                for held in [o["id"] for o in self._objects[child].values() if o.get(link) == identity]:
                    self.purge(child, held)
            del self._objects[name][identity]
            self._gone.add((name, identity))

    def end(self, subscription: str) -> None:
        """Cancel a subscription: it stays, with another status, and the event is called `deleted` all the same."""
        with self.lock:
            ended = {"status": "canceled", "canceled_at": self.now(), "ended_at": self.now()}
            self._objects["subscription"][subscription] |= ended
            self.emit("customer.subscription.deleted", "subscription", subscription)

    def get(self, name: str, identity: str) -> Object | None:
        with self.lock:
            found = self._objects[name].get(identity)
            return deepcopy(found) if found is not None else None

    def knew(self, name: str, identity: str) -> bool:
        """Whether there was such an object, which was deleted."""
        return (name, identity) in self._gone

    def all(self, name: str, within: Mapping[str, Any] | None = None) -> list[Object]:
        """The objects of a kind whose fields have these values, newest first; events no longer than they are kept."""
        with self.lock:
            oldest = self.now() - int(KEPT.total_seconds()) if name == "event" else 0
            wanted = (within or {}).items()
            found = [
                o
                for o in self._objects[name].values()
                if self.made(o) >= oldest and all(o.get(field) == value for field, value in wanted)
            ]
            return sorted(found, key=lambda o: self._order[o["id"]], reverse=True)

    def made(self, thing: Mapping[str, Any]) -> int:
        """When an object was made, in Unix seconds."""
        return self._order[thing["id"]][0]

    def shown(self, name: str, thing: Object, version: Version) -> Object:
        """An object as an answer shows it, with the beginnings of its lists."""
        with self.lock:
            shown = deepcopy(thing)
            for field, (child, link) in KINDS[name].holds.items():
                members = self.all(child, {link: thing["id"]})
                shown[field] = {
                    "object": "list",
                    "data": [self.shown(child, member, version) for member in members[: self.nested]],
                    "has_more": len(members) > self.nested,
                    "url": _address(child, thing["id"]),
                }
            return rendered(name, shown, version)

    def emit(self, type: str, name: str, identity: str, previous: Mapping[str, Any] | None = None) -> str:
        """An event about an object as it is now; returns the event's id."""
        with self.lock:
            shown = self.shown(name, self._objects[name][identity], self.version)
            return self._event(type, shown, previous or {}, self.now())

    def now(self) -> int:
        return int(self.clock().timestamp())

    def _make(self, kind: Kind, identity: str, fields: Mapping[str, Any], moment: int) -> None:
        stamp = {"created": moment} if kind.stamped else {}
        made = {"id": identity, "object": kind.name, **stamp, **deepcopy(dict(kind.defaults)), **deepcopy(dict(fields))}
        self._objects[kind.name][identity] = {**made, "livemode": False}
        self._order[identity] = (moment, next(self._turns))

    def _tell(self, kind: Kind, identity: str, before: Object | None, fields: Mapping[str, Any], moment: int) -> None:
        """Of what lives in a list of another, the other is said to have changed."""
        thing = self._objects[kind.name][identity]
        previous = {field: before.get(field) for field in fields if field != "id"} if before else {}
        if kind.event:
            word = "updated" if before else "created"
            self._event(f"{kind.event}.{word}", self.shown(kind.name, thing, self.version), previous, moment)
        elif parent := self._parent(kind, thing):
            owner, key = parent
            shown = self.shown(owner.name, self._objects[owner.name][key], self.version)
            self._event(f"{owner.event}.updated", shown, {}, moment)

    def _parent(self, kind: Kind, thing: Object) -> tuple[Kind, str] | None:
        for owner in KINDS.values():
            for child, link in owner.holds.values():
                if child == kind.name and thing.get(link) in self._objects[owner.name]:
                    return owner, str(thing[link])
        return None

    def _listing(self, parent: tuple[Kind, str]) -> Object:
        """The lists of an object, as an event says what they were."""
        owner, key = parent
        shown = self.shown(owner.name, self._objects[owner.name][key], self.version)
        return {field: shown[field] for field in owner.holds}

    def _event(self, type: str, shown: Object, previous: Mapping[str, Any], moment: int) -> str:
        data: Object = {"object": shown, **({"previous_attributes": dict(previous)} if previous else {})}
        identity = self._identity(KINDS["event"])
        about = {"api_version": self.version.text, "data": data, "type": type, "pending_webhooks": 0}
        self._make(KINDS["event"], identity, {**about, "request": {"id": None, "idempotency_key": None}}, moment)
        return identity

    def _identity(self, kind: Kind) -> str:
        self._ids[kind.name] += 1
        return f"{kind.prefix}1T{self._ids[kind.name]:012d}"


def _address(child: str, identity: str) -> str:
    if child == "subscription_item":
        return f"/v1/subscription_items?subscription={identity}"
    owner = next(kind for kind in KINDS.values() if child in {name for name, _ in kind.holds.values()})
    return f"/v1/{owner.path}/{identity}/lines"


def identities(things: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(thing["id"]) for thing in things]
