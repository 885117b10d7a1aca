"""The endpoints: which address does what, and what it answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.account import Object, StripeAccount
from sandbox.stripe.errors import missing, no_address, unknown
from sandbox.stripe.expansion import expanded, trimmed
from sandbox.stripe.invoices import Invoices
from sandbox.stripe.keys import ApiKeys
from sandbox.stripe.kinds import KINDS, Kind
from sandbox.stripe.lists import PAGING, found, page
from sandbox.stripe.meters import Meters
from sandbox.stripe.params import Params, like
from sandbox.stripe.shapes import Version
from sandbox.stripe.subscriptions import subscribe

_PATHS: Mapping[str, Kind] = {kind.path: kind for kind in KINDS.values() if kind.path}
_NESTED = re.compile(r"/v1/(invoices|credit_notes)/([^/]+)/lines")
_STEP = re.compile(r"/v1/invoices/([^/]+)/(finalize|void|pay|mark_uncollectible)")
_SUMMARIES = re.compile(r"/v1/billing/meters/([^/]+)/event_summaries")
# What can be made and changed by a plain POST. Invoices have rules of their own.
_WRITABLE = frozenset(("customer", "product", "price", "subscription", "invoiceitem", "billing.meter"))
_DELETABLE = frozenset(("customer", "product", "invoiceitem", "plan"))


@dataclass(frozen=True)
class Call:
    """A request. `params` are those of the query of a GET or DELETE, and of the body of a POST."""

    method: str
    path: str
    params: Params
    version: Version


class Endpoints:
    """Answers calls. Raises Refusal for every call that Stripe refuses."""

    def __init__(self, account: StripeAccount, keys: ApiKeys) -> None:
        self._account = account
        self._keys = keys
        self._invoices = Invoices(account)
        self.meters = Meters(account)

    def answer(self, call: Call) -> Object:
        with self._account.lock:
            self._invoices.advance()
            answers = {"GET": self._get, "POST": self._post, "DELETE": self._delete}
            if call.method not in answers:
                raise no_address(call.method, call.path)
            return answers[call.method](call)

    def _get(self, call: Call) -> Object:
        if match := _NESTED.fullmatch(call.path):
            return self._members(call, _PATHS[match[1]], match[2])
        if match := _SUMMARIES.fullmatch(call.path):
            self._keys.permit("billing.meter")
            return _list(call, self.meters.summaries(match[1], call.params), "meter event summary", lambda thing: thing)
        kind, identity = self._kind(call)
        self._keys.permit(kind.name)
        if not identity:
            return self._listed(call, kind, found(self._account, kind, call.params))
        _only(call.params, {"expand"})
        return self._one(call, kind, identity)

    def _post(self, call: Call) -> Object:
        if call.path == "/v1/billing/meter_events":
            return self.meters.take(call.params)
        steps: Mapping[str, Callable[[str, Params], str]] = {
            "finalize": self._invoices.finalize,
            "void": self._invoices.void,
            "pay": self._invoices.pay,
            "mark_uncollectible": self._invoices.write_off,
        }
        if match := _STEP.fullmatch(call.path):
            return self._one(call, KINDS["invoice"], steps[match[2]](match[1], call.params))
        kind, identity = self._kind(call)
        if kind.name == "invoice":
            made = self._invoices.update(identity, call.params) if identity else self._invoices.create(call.params)
            return self._one(call, kind, made)
        return self._one(call, kind, self._written(call, kind, identity))

    def _delete(self, call: Call) -> Object:
        kind, identity = self._kind(call)
        if not identity:
            raise no_address(call.method, call.path)
        self._there(kind, identity)
        if kind.name == "subscription":
            self._account.end(identity)
            return self._one(call, kind, identity)
        if kind.name == "invoice":
            self._invoices.delete(identity)
        elif kind.name in _DELETABLE:
            self._account.remove(kind.name, identity)
        else:
            raise no_address(call.method, call.path)
        return {"id": identity, "object": kind.name, "deleted": True}

    def _written(self, call: Call, kind: Kind, identity: str) -> str:
        if kind.name not in _WRITABLE:
            raise no_address(call.method, call.path)
        if identity:
            self._there(kind, identity)
        elif kind.name == "subscription":
            return subscribe(self._account, call.params)
        _only(call.params, {*kind.defaults, "id", "tiers", "expand"})
        fields = {name: like(value, kind.defaults.get(name), name) for name, value in call.params.items()}
        if "unit_amount" in fields:
            fields["unit_amount_decimal"] = str(fields["unit_amount"])
        fields.pop("expand", None)
        return self._account.put(kind.name, {**fields, "id": identity} if identity else fields)

    def _members(self, call: Call, owner: Kind, identity: str) -> Object:
        self._keys.permit(owner.name)
        self._there(owner, identity)
        _only(call.params, PAGING)
        child, link = owner.holds["lines"]
        return self._listed(call, KINDS[child], self._account.all(child, {link: identity}))

    def _listed(self, call: Call, kind: Kind, things: list[Object]) -> Object:
        def show(thing: Object) -> Object:
            return trimmed(kind.name, self._account.shown(kind.name, thing, call.version))

        answer = _list(call, things, kind.noun or kind.name, show)
        return expanded(self._account, answer, call.params.get("expand", []), call.version)

    def _one(self, call: Call, kind: Kind, identity: str) -> Object:
        thing = self._account.get(kind.name, identity)
        if thing is None and not kind.vanishes and self._account.knew(kind.name, identity):
            return {"id": identity, "object": kind.name, "deleted": True}
        if thing is None:
            raise missing(kind.noun or kind.name, identity)
        shown = trimmed(kind.name, self._account.shown(kind.name, thing, call.version))
        return expanded(self._account, shown, call.params.get("expand", []), call.version)

    def _there(self, kind: Kind, identity: str) -> None:
        if self._account.get(kind.name, identity) is None:
            raise missing(kind.noun or kind.name, identity)

    def _kind(self, call: Call) -> tuple[Kind, str]:
        """Which kind an address is of, and which of it; "" for the list."""
        path = call.path.removeprefix("/v1/")
        if call.path.startswith("/v1/"):
            if path in _PATHS:
                return _PATHS[path], ""
            before, _, identity = path.rpartition("/")
            if before in _PATHS and identity:
                return _PATHS[before], identity
        raise no_address(call.method, call.path)


def _list(call: Call, things: list[Object], noun: str, show: Callable[[Object], Object]) -> Object:
    shown, more = page(things, call.params, noun)
    return {"object": "list", "data": [show(thing) for thing in shown], "has_more": more, "url": call.path}


def _only(params: Mapping[str, Any], known: frozenset[str] | set[str]) -> None:
    for name in params:
        if name not in known:
            raise unknown(name)
