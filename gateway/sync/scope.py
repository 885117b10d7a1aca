"""What one cycle is asked to read: which sources and entities, and from when on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.mapping import Mapping
from gateway.errors import ConfigError, Refused
from gateway.installation import Installation
from gateway.sync.readings import entities_of


@dataclass(frozen=True)
class Scope:
    """`full` reads everything again; `since` reads again what changed since then, and moves no position.

    `entities`: only the objects that fill one of these; all where it is empty. `accept_deletions` believes any census.
    """

    full: bool = False
    since: datetime | None = None
    entities: frozenset[str] = frozenset()
    accept_deletions: bool = False

    def objects(self, mapping: Mapping, among: Sequence[str]) -> list[str]:
        """Those of the objects that are to be read."""
        return [name for name in among if not self.entities or self.entities & set(entities_of(mapping, name))]


EVERYTHING = Scope()


def validate(installed: Installation, names: Sequence[str], scope: Scope) -> None:
    """Raises ConfigError for a source or an entity that is not there, Refused for what contradicts itself."""
    for name in names:
        installed.source(name)
    chosen = names or list(installed.config.sources)
    known = {entity for name in chosen for entity in installed.mappings[name].entities}
    unknown = sorted(scope.entities - known)
    if unknown:
        filled = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"{_listed(chosen)} fills no entity {unknown[0]!r}; it fills: {filled}.")
    if scope.since is not None:
        _validate_since(scope, scope.since, installed.clock())


def _validate_since(scope: Scope, since: datetime, now: datetime) -> None:
    if since.tzinfo is None:
        raise Refused("--since needs a time zone, such as 2026-11-01T00:00:00Z.")
    if since > now:
        raise Refused(f"--since lies in the future: it is {now:%Y-%m-%dT%H:%M}Z now.")
    if scope.full:
        raise Refused("--full reads everything, so --since says nothing beside it. Leave one of them out.")
    if scope.accept_deletions:
        raise Refused("--since compares no keys, so there are no deletions to accept. Use --full --accept-deletions.")


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names) or "tieout.yaml"
