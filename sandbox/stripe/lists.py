"""Lists: which parameters they take, which objects they hold, and pages of them (vendors.md C3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.stripe.account import Object, StripeAccount, identities
from sandbox.stripe.errors import Refusal, invalid, lacking, missing, unknown
from sandbox.stripe.kinds import CREATED, KINDS, Kind
from sandbox.stripe.params import whole

PAGING = frozenset({"limit", "starting_after", "ending_before", "expand"})
_BOUNDS = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
# What a list of invoices or subscriptions may be asked for by status.
_STATUSES = {
    "invoice": ("draft", "open", "paid", "uncollectible", "void"),
    "subscription": (
        *("active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "trialing", "paused"),
        *("all", "ended"),
    ),
}
_ENDED = ("canceled", "incomplete_expired")


def found(account: StripeAccount, kind: Kind, params: Mapping[str, Any]) -> list[Object]:
    """The objects that a list is asked for, newest first. Raises Refusal for parameters that Stripe does not know."""
    known = {*PAGING, *kind.filters, *(("created",) if kind.name in CREATED else ())}
    for name in params:
        if name not in known:
            raise unknown(name)
    for name in kind.needs:
        if not params.get(name):
            raise lacking(name)
    things = account.all(kind.name)
    for name in kind.filters:
        if name in params:
            things = [thing for thing in things if _is(account, kind, thing, name, params[name])]
    if kind.name == "subscription" and "status" not in params:
        things = [thing for thing in things if thing["status"] not in _ENDED]
    return _created(account, things, params.get("created"))


def page(things: Sequence[Object], params: Mapping[str, Any], noun: str) -> tuple[list[Object], bool]:
    """The objects of one page, and whether more follow in its direction. Raises Refusal."""
    limit = whole(params, "limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise invalid("limit", f"This value must be {bound}.", "parameter_invalid_integer")
    if "starting_after" in params and "ending_before" in params:
        raise Refusal(400, "You cannot parameterize both starting_after and ending_before.")
    keys = identities(things)
    if "ending_before" in params:
        end = _place(keys, params["ending_before"], noun, "ending_before")
        return list(things[max(0, end - limit) : end]), end > limit
    start = _place(keys, params["starting_after"], noun, "starting_after") + 1 if "starting_after" in params else 0
    return list(things[start : start + limit]), len(things) > start + limit


def _place(keys: Sequence[str], key: Any, noun: str, param: str) -> int:
    if key not in keys:
        raise missing(noun, str(key), param)
    return keys.index(key)


def _is(account: StripeAccount, kind: Kind, thing: Object, name: str, wanted: Any) -> bool:
    if kind.name == "event":
        return _is_type(thing["type"], name, wanted)
    if name == "status" and kind.name in _STATUSES:
        return _is_status(kind.name, thing, wanted)
    if name in ("customer", "subscription", "invoice") and account.get(name, str(wanted)) is None:
        raise missing(KINDS[name].noun or name, str(wanted), name)
    if kind.name == "invoice" and name == "subscription":
        details = (thing.get("parent") or {}).get("subscription_details") or {}
        return bool(details.get("subscription") == wanted)
    value = thing.get(name)
    said = ("true" if value else "false") if isinstance(value, bool) else value
    return bool(said == wanted)


def _is_type(type: str, name: str, wanted: Any) -> bool:
    """`types` is a list of at most 20 whole names; `type` may end in a star."""
    if name == "types":
        if not isinstance(wanted, list) or len(wanted) > 20:
            raise invalid("types", "You may give at most 20 types, as a list.")
        return type in wanted
    text = str(wanted)
    return type.startswith(text[:-1]) if text.endswith("*") else type == text


def _is_status(name: str, thing: Object, wanted: Any) -> bool:
    if wanted not in _STATUSES[name]:
        raise invalid("status", f"Invalid status: must be one of {', '.join(_STATUSES[name])}")
    if wanted in ("all", "ended"):
        return bool(wanted == "all" or thing["status"] in _ENDED)
    return bool(thing["status"] == wanted)


def _created(account: StripeAccount, things: list[Object], asked: Any) -> list[Object]:
    """Those that were made within bounds; a bare moment is one second."""
    if asked is None:
        return things
    bounds = asked if isinstance(asked, dict) else {"gte": asked, "lte": asked}
    for name in bounds:
        if name not in _BOUNDS:
            raise unknown(f"created[{name}]")
        limit = whole(bounds, name, f"created[{name}]") or 0
        things = [thing for thing in things if _BOUNDS[name](account.made(thing), limit)]
    return things
