"""What a source's connector is opened with: settings of tieout.yaml, and of the environment, each of its type.

`TIEOUT_<SOURCE>_<KEY>` gives the setting `key` of the source `source` (dashes as underscores); secrets can be given
in no other way. A message names the place of a mistake and never the value.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from connectors.errors import PermanentError
from connectors.registry import KINDS, needs

# The source's name in messages: it is the key in tieout.yaml.
_NAMED_BY_US = "system"
# Settings that name a folder, or an object store by its URL.
_PLACES = frozenset({"folder", "root"})


def variable(name: str, key: str) -> str:
    """The environment variable that gives a setting of a source."""
    return f"TIEOUT_{name.upper().replace('-', '_')}_{key.upper()}"


def mistakes(kind: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a source in the file, a sentence each."""
    if kind not in KINDS:
        yield f"connector: there is no connector {kind!r}; there are {', '.join(KINDS)}"
        return
    known = [key for key in needs(kind) if key != _NAMED_BY_US]
    for key, value in settings.items():
        if key in KINDS[kind].secrets:
            yield f"settings.{key}: a secret must not stand in the file; set it in the environment"
        elif key not in known:
            yield f"settings.{key}: {kind} has no such setting; it has {', '.join(known)}"
        else:
            try:
                _typed(kind, key, value)
            except ValueError as error:
                yield f"settings.{key}: {error}"


def opened_with(
    name: str, kind: str, settings: Mapping[str, Any], folder: Path, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Everything that the connector needs. `folder` is where relative paths begin.

    Raises PermanentError for what is missing, and for a variable that does not fit.
    """
    known = os.environ if environment is None else environment
    found: dict[str, Any] = {_NAMED_BY_US: name}
    for key, needed in needs(kind).items():
        place = variable(name, key)
        if key == _NAMED_BY_US:
            continue
        if place in known or key in settings:
            try:
                found[key] = _typed(kind, key, known.get(place, settings.get(key)))
            except ValueError as error:
                raise PermanentError(f"{place}: {error}.") from None
        elif needed:
            how = (
                f"set {place}" if key in KINDS[kind].secrets else f"write sources.{name}.settings.{key}, or set {place}"
            )
            raise PermanentError(f"The source {name} lacks {key}: {how}.")
    for key in _PLACES & found.keys():
        if "://" not in str(found[key]):
            found[key] = folder / found[key]
    return found


def _typed(kind: str, key: str, value: Any) -> Any:
    """The value as the connector's configuration wants it. Raises ValueError without the value in it."""
    try:
        typed = TypeAdapter(get_type_hints(KINDS[kind].config)[key]).validate_python(value)
    except ValidationError as error:
        raise ValueError(error.errors(include_input=False)[0]["msg"]) from None
    if isinstance(typed, datetime) and typed.tzinfo is None:
        raise ValueError("an instant needs its time zone, such as 2026-01-01T00:00:00Z")
    return typed
