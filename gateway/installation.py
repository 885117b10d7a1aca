"""One installation, put together from tieout.yaml: the books, the state, the checks, the sources, the gate."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from books.accounts import Matching
from books.entities.controls import PUBLISHED
from books.reading import Books
from books.store import Store
from checks.catalogue import CATALOGUE
from checks.contract import Check, Mode
from checks.ruleset import Override, Ruleset
from connectors.contract import Connector, RunSource
from connectors.errors import MappingError
from connectors.mapping import Mapping as SourceMapping
from connectors.mapping_file import load, shipped
from connectors.registry import open_connector, open_run_source
from gateway.compiled import CompiledFolder
from gateway.config import RESERVED, Config, Source
from gateway.crosswalk.publishing import ENTITY as LINKS
from gateway.db.embedded import embedded_url
from gateway.db.migrate import upgrade
from gateway.db.session import Database
from gateway.errors import ConfigError
from gateway.exceptions.calendar import Calendar
from gateway.owners.model import Owners
from gateway.owners.reading import load as load_owners
from gateway.source_settings import opened_with
from gateway.sync.freshness import Freshness, freshness_of
from gateway.sync.ledger import Ledger
from gateway.sync.readings import METADATA
from gateway.user_checks.folder import read as read_checks

DATABASE_VARIABLE = "TIEOUT_DATABASE_URL"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Installation:
    """Everything that a command, a request or a job needs. Built once per process; parts are made on first use.

    Raises ConfigError for a file that does not fit together.
    """

    def __init__(self, config: Config, clock: Callable[[], datetime] = utc_now) -> None:
        self.config = config
        self.clock = clock

    @cached_property
    def database(self) -> Database:
        """The operational state: TIEOUT_DATABASE_URL, else a private PostgreSQL under the state folder."""
        url = os.environ.get(DATABASE_VARIABLE) or embedded_url(self.config.path(self.config.state))
        database = Database(url)
        upgrade(database.engine)
        return database

    @cached_property
    def store(self) -> Store:
        return Store(self.config.books_root)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.database, lambda: self.freshness, lambda: self.mappings)

    @cached_property
    def freshness(self) -> Mapping[str, Freshness]:
        """How old each source may be, in its own time. Raises ConfigError for a calendar that owners.yaml lacks."""
        skew = timedelta(minutes=self.config.clock_skew_minutes)
        return {
            name: freshness_of(source, self._calendars(name, source), skew)
            for name, source in self.config.sources.items()
        }

    def _calendars(self, name: str, source: Source) -> Mapping[str, Calendar]:
        """The calendars of owners.yaml; the file is looked at only where a source names one."""
        if source.freshness_calendar is None:
            return {}
        known = self.owners.calendars
        if source.freshness_calendar not in known:
            raise ConfigError(
                f"sources.{name}.freshness_calendar: {self.config.owners} has no calendar "
                f"{source.freshness_calendar!r}; it has {', '.join(known)}."
            )
        return self.owners.business_calendars

    @cached_property
    def mappings(self) -> Mapping[str, SourceMapping]:
        """The mapping of every source: a shipped one by name, or a file beside tieout.yaml. Raises ConfigError."""
        return {name: self._mapping(name, source) for name, source in self.config.sources.items()}

    def _mapping(self, name: str, source: Source) -> SourceMapping:
        ours = not source.mapping.endswith((".yaml", ".yml"))
        try:
            mapping = shipped(source.mapping) if ours else load(self.config.path(source.mapping))
        except MappingError as error:
            raise ConfigError(f"sources.{name}.mapping: {error}") from error
        if mapping.connector != source.connector:
            raise ConfigError(
                f"sources.{name}.mapping: {source.mapping} is for {mapping.connector}, and {name} is a "
                f"{source.connector} source."
            )
        return mapping

    @cached_property
    def books(self) -> Books:
        """The sources as tieout.yaml maps them, what was noticed of each, and what the gateway writes itself."""
        mapped = {name: mapping.entities | {METADATA} for name, mapping in self.mappings.items()}
        roles = self.config.roles()
        own = {RESERVED: frozenset({LINKS, *PUBLISHED})}
        return Books({**roles, "controls": (*roles["controls"], RESERVED)}, {**mapped, **own})

    @cached_property
    def matching(self) -> Matching:
        """How rows of each (system, entity) name their customer."""
        return Matching(
            {(RESERVED, LINKS): "crm"}
            | {
                (name, target.entity.name): target.account_by
                for name, mapping in self.mappings.items()
                for mapped in mapping.objects.values()
                for target in mapped.targets
                if target.account_by is not None
            }
        )

    @cached_property
    def own_checks(self) -> Mapping[str, Check]:
        """The checks of the folder that tieout.yaml names. Raises ConfigError for one that is not sound."""
        folder = self.config.user_checks
        return read_checks(self.config.path(folder), self.books, CATALOGUE) if folder else {}

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """The shipped checks and the installation's own."""
        return {**CATALOGUE, **self.own_checks}

    @cached_property
    def ruleset(self) -> Ruleset:
        """All checks as they are in force. One of the installation's own is in shadow until tieout.yaml says a mode."""
        overrides = self.config.overrides()
        for id_ in self.own_checks:
            said = overrides.get(id_, Override())
            overrides[id_] = replace(said, mode=said.mode or Mode.SHADOW)
        return Ruleset(self.checks.values(), self.books, overrides, self.config.attributes(), CompiledFolder.of_user())

    @cached_property
    def owners(self) -> Owners:
        return load_owners(self.config.path(self.config.owners))

    def source(self, name: str) -> Source:
        if name not in self.config.sources:
            known = ", ".join(self.config.sources) or "none"
            raise ConfigError(f"tieout.yaml has no source {name!r}; it has: {known}.")
        return self.config.sources[name]

    def connector(self, name: str) -> Connector:
        """Raises PermanentError where a setting or a secret of the source is missing."""
        source = self.source(name)
        return open_connector(source.connector, self._opened_with(name), self.mappings[name], self.clock)

    @cached_property
    def runs(self) -> Mapping[str, RunSource]:
        """The billing sources whose invoice runs can be pulled."""
        found = {}
        for name in self.config.roles()["billing"]:
            kind = self.source(name).connector
            opened = open_run_source(kind, self._opened_with(name), self.mappings[name], self.clock)
            if opened is not None:
                found[name] = opened
        return found

    def _opened_with(self, name: str) -> dict[str, Any]:
        source = self.source(name)
        return opened_with(name, source.connector, source.settings, self.config.folder)

    def close(self) -> None:
        """Give back the connections that were opened on the way."""
        for run_source in self.__dict__.get("runs", {}).values():
            run_source.close()
        if "database" in self.__dict__:
            self.database.dispose()
