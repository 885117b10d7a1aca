"""Form-encoded parameters, in a query or in a body: `items[0][price]=p`, `types[]=a&types[]=b`, `created[gte]=1`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from sandbox.stripe.errors import Refusal, invalid

Params: TypeAlias = dict[str, Any]
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
# Texts beyond this are refused for every parameter.
LONGEST = 5_000


def decoded(text: str) -> Params:
    """Nested parameters. Raises Refusal for names that are not written as above."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise Refusal(400, "The parameters could not be read.") from None
    gathered = _gathered(pairs)
    return {name: _settled(value) for name, value in gathered.items()}


def _gathered(pairs: Iterable[tuple[str, str]]) -> Params:
    root: Params = {}
    for name, value in pairs:
        written = _NAME.fullmatch(name)
        if written is None or len(value) > LONGEST:
            raise invalid(name, "Invalid parameter.")
        _put(root, [written[1], *re.findall(r"\[([^\[\]]*)\]", written[2])], value)
    return root


def _put(into: Params, steps: list[str], value: str) -> None:
    """`a[]` counts on; everything else is a table of names."""
    step = steps[0] or str(len(into))
    if len(steps) == 1:
        into[step] = value
        return
    inner = into.setdefault(step, {})
    if not isinstance(inner, dict):
        raise invalid(step, "Invalid parameter.")
    _put(inner, steps[1:], value)


def _settled(value: Any) -> Any:
    """Tables whose names are 0, 1, 2 … are lists."""
    if not isinstance(value, dict):
        return value
    settled = {name: _settled(inner) for name, inner in value.items()}
    if settled and all(name.isdigit() for name in settled):
        return [settled[name] for name in sorted(settled, key=int)]
    return settled


def like(value: Any, default: Any, name: str) -> Any:
    """A parameter as the kind of value that the field has by default; a table is laid over the default's."""
    if isinstance(default, bool):
        return flag({name: value}, name)
    if isinstance(default, int):
        return whole({name: value}, name)
    if isinstance(default, dict) and isinstance(value, dict):
        return {**default, **{inner: like(given, default.get(inner), inner) for inner, given in value.items()}}
    return value


def whole(params: Mapping[str, Any], name: str, shown: str = "") -> int | None:
    """A whole number; None where it is not given. Raises Refusal."""
    value = params.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise invalid(shown or name, f"Invalid integer: {value}", "parameter_invalid_integer") from None


def flag(params: Mapping[str, Any], name: str) -> bool | None:
    """true or false; None where it is not given. Raises Refusal."""
    value = params.get(name)
    if value is None:
        return None
    if value not in ("true", "false"):
        raise invalid(name, f"Invalid boolean: {value}")
    return bool(value == "true")
