"""Connectors by kind, opened from plain settings, and which settings and secrets each kind needs.

Where a secret comes from is not decided here: the caller puts it under its name beside the other settings.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from connectors.contract import Connector, RunSource
from connectors.errors import MappingError, PermanentError
from connectors.files import Files, FilesConfig
from connectors.mapping import Mapping as SourceMapping
from connectors.netsuite import NetSuite, NetSuiteConfig
from connectors.salesforce import Salesforce, SalesforceConfig
from connectors.zuora import Zuora, ZuoraConfig
from connectors.zuora_runs import ZuoraRuns

Clock = Callable[[], datetime]

CONFIGS: Mapping[str, type[Any]] = {
    "salesforce": SalesforceConfig,
    "zuora": ZuoraConfig,
    "netsuite": NetSuiteConfig,
    "files": FilesConfig,
}
SECRETS: Mapping[str, tuple[str, ...]] = {
    "salesforce": ("consumer_key", "consumer_secret"),
    "zuora": ("client_id", "client_secret"),
    "netsuite": ("client_id", "certificate_id", "private_key_pem"),
    "files": (),
}
_CONNECTORS: Mapping[str, Callable[[Any, SourceMapping, Clock], Connector]] = {
    "salesforce": Salesforce,
    "zuora": Zuora,
    "netsuite": NetSuite,
    "files": Files,
}
_RUN_SOURCES: Mapping[str, Callable[[Any, SourceMapping, Clock], RunSource]] = {"zuora": ZuoraRuns}


def open_connector(kind: str, config: Mapping[str, Any], mapping: SourceMapping, clock: Clock) -> Connector:
    """A connector of that kind. Nothing is asked of the source yet.

    Raises PermanentError for an unknown kind, and for settings that are missing or unknown; MappingError for a
    mapping that is for another kind.
    """
    settings = configured(kind, config)
    if mapping.connector != kind:
        raise MappingError(f"The mapping is for {mapping.connector}, and the source is a {kind}.")
    return _CONNECTORS[kind](settings, mapping, clock)


def open_run_source(kind: str, config: Mapping[str, Any], mapping: SourceMapping, clock: Clock) -> RunSource | None:
    """What pulls the invoice runs of a billing platform; None where the kind has none."""
    return _RUN_SOURCES[kind](configured(kind, config), mapping, clock) if kind in _RUN_SOURCES else None


def configured(kind: str, config: Mapping[str, Any]) -> Any:
    """The kind's configuration. Raises PermanentError, naming what is missing and what is unknown."""
    if kind not in CONFIGS:
        raise PermanentError(f"There is no connector {kind!r}; there are {', '.join(CONFIGS)}.")
    known = needs(kind)
    missing = [name for name, needed in known.items() if needed and config.get(name) in (None, "")]
    if missing:
        raise PermanentError(
            f"The {kind} source lacks {', '.join(missing)}. "
            f"It needs {', '.join(n for n, needed in known.items() if needed)}."
        )
    unknown = [name for name in config if name not in known]
    if unknown:
        raise PermanentError(f"The {kind} source has the unknown setting {unknown[0]!r}; it knows {', '.join(known)}.")
    return CONFIGS[kind](**config)


def needs(kind: str) -> Mapping[str, bool]:
    """The settings of a kind, each with whether it must be given."""
    return {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(CONFIGS[kind])}
