"""`expand[]`: fields that hold an id are shown as the object, and fields that are left out are shown."""

from typing import Any

from sandbox.stripe.account import Object, StripeAccount
from sandbox.stripe.errors import Refusal
from sandbox.stripe.kinds import KINDS
from sandbox.stripe.shapes import Version

DEEPEST = 4
# Fields that an answer leaves out unless they are asked for.
LEFT_OUT = {"price": ("tiers",)}


def trimmed(name: str, thing: Object) -> Object:
    """The object without what is left out."""
    return {field: value for field, value in thing.items() if field not in LEFT_OUT.get(name, ())}


def expanded(account: StripeAccount, shown: Object, paths: Any, version: Version) -> Object:
    """The answer with its expansions. Raises Refusal for a field that cannot be expanded."""
    for path in paths if isinstance(paths, list) else [paths]:
        steps = str(path).split(".")
        if len(steps) > DEEPEST:
            raise Refusal(400, f"You cannot expand more than {DEEPEST} levels of a property: {path}")
        _expand(account, shown, steps, version, str(path))
    return shown


def _expand(account: StripeAccount, at: Any, steps: list[str], version: Version, path: str) -> None:
    for thing in at if isinstance(at, list) else [at]:
        step, rest = steps[0], steps[1:]
        name = thing.get("object", "") if isinstance(thing, dict) else ""
        if not rest:
            thing[step] = _object(account, name, thing, step, version, path)
        elif thing.get(step) is not None:
            _expand(account, thing[step], rest, version, path)


def _object(account: StripeAccount, name: str, thing: Object, step: str, version: Version, path: str) -> Any:
    kept = account.get(name, str(thing.get("id"))) if name in KINDS else None
    if step in LEFT_OUT.get(name, ()):
        return kept.get(step) if kept else None
    value = thing.get(step)
    of = next((kind for kind in KINDS.values() if isinstance(value, str) and value.startswith(kind.prefix)), None)
    other = account.get(of.name, str(value)) if of else None
    if of is None or other is None:
        if value is None and step in thing:
            return None
        raise Refusal(400, f"This property cannot be expanded ({path}).", param="expand")
    return trimmed(of.name, account.shown(of.name, other, version))
