"""Connectors by kind, opened from plain settings. A new kind is a package beside this module, and a line here.

Where a secret comes from is not decided here: the caller puts it under its name beside the other settings.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from connectors import billingplatform, files, lake, netsuite, salesforce, stripe, zuora
from connectors.contract import Connector, RunSource
from connectors.errors import MappingError, PermanentError
from connectors.kind import Clock, Kind
from connectors.mapping import Mapping as SourceMapping

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        salesforce.KIND,
        zuora.KIND,
        stripe.KIND,
        billingplatform.KIND,
        netsuite.KIND,
        files.KIND,
        lake.KIND,
    )
}


def kind_of(name: str) -> Kind:
    """Raises PermanentError for a kind that is not there."""
    if name not in KINDS:
        raise PermanentError(f"There is no connector {name!r}; there are {', '.join(KINDS)}.")
    return KINDS[name]


def open_connector(name: str, config: Mapping[str, Any], mapping: SourceMapping, clock: Clock) -> Connector:
    """A connector of that kind. Nothing is asked of the source yet.

    Raises PermanentError for an unknown kind, and for settings that are missing or unknown; MappingError for a
    mapping that is for another kind.
    """
    settings = configured(name, config)
    if mapping.connector != name:
        raise MappingError(f"The mapping is for {mapping.connector}, and the source is a {name}.")
    return kind_of(name).open(settings, mapping, clock)


def open_run_source(name: str, config: Mapping[str, Any], mapping: SourceMapping, clock: Clock) -> RunSource | None:
    """What pulls the invoice runs of a billing platform; None where the kind has none."""
    kind = KINDS.get(name)
    return kind.open_runs(configured(name, config), mapping, clock) if kind and kind.open_runs else None


def configured(name: str, config: Mapping[str, Any]) -> Any:
    """The kind's configuration. Raises PermanentError, naming what is missing and what is unknown."""
    kind = kind_of(name)
    known = needs(name)
    missing = [key for key, needed in known.items() if needed and config.get(key) in (None, "")]
    if missing:
        raise PermanentError(
            f"The {name} source lacks {', '.join(missing)}. "
            f"It needs {', '.join(n for n, needed in known.items() if needed)}."
        )
    unknown = [key for key in config if key not in known]
    if unknown:
        raise PermanentError(f"The {name} source has the unknown setting {unknown[0]!r}; it knows {', '.join(known)}.")
    return kind.config(**config)


def needs(name: str) -> Mapping[str, bool]:
    """The settings of a kind, each with whether it must be given."""
    return {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(kind_of(name).config)}
