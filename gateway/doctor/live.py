"""What a source answers when it is asked now: reach, login, clock, permissions, fields, limits.

The questions go from the outside in. One that gets no answer ends the visit, so that a source that is down costs its
back-off once.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.contract import Connector, Position
from connectors.errors import ConnectorError, LoginRefused, NotVisible, TransientError
from connectors.mapping import ObjectMapping
from connectors.registry import KINDS, needs
from gateway.doctor.finding import Finding, Level, fail, ok, warn
from gateway.installation import Installation
from gateway.source_settings import variable
from gateway.sync.described import columns_of, missing

REACH_S = 10.0


class Silent(Exception):
    """The source gives no answer: nothing more is asked of it, and this finding is the last."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


class SourceVisit:
    """One visit to one source."""

    def __init__(self, installed: Installation, name: str) -> None:
        self._installed = installed
        self._name = name
        self._said = installed.source(name)

    def findings(self) -> Iterator[Finding]:
        """From the variables in the environment to the limits; the connector is closed at the end."""
        lacking = list(self._lacking())
        if lacking:
            advice = f"Set {', '.join(lacking)}; secrets only in the environment, never in tieout.yaml."
            yield self._fail("settings", f"{_count(len(lacking))} missing.", advice)
            return
        try:
            connector = self._installed.connector(self._name)
        except ConnectorError as error:
            yield self._fail("settings", str(error), self._where_settings_are())
            return
        yield self._ok("settings", "Everything that it needs is set.")
        try:
            yield from self._asked(connector)
        except Silent as end:
            yield end.finding
        finally:
            connector.close()

    def _asked(self, connector: Connector) -> Iterator[Finding]:
        for address in self._addresses():
            reached = self._reach(address)
            yield reached
            if reached.level is Level.FAIL:
                return
        yield from self._login(connector)
        yield from self._objects(connector)
        yield from self._limits(connector)

    def _lacking(self) -> Iterator[str]:
        """The variables that would give what is missing."""
        for key, needed in needs(self._said.connector).items():
            place = variable(self._name, key)
            if needed and key != "system" and not os.environ.get(place) and not self._said.settings.get(key):
                yield place if key in KINDS[self._said.connector].secrets else f"settings.{key} (or {place})"

    def _where_settings_are(self) -> str:
        place = f"sources.{self._name} in tieout.yaml"
        secrets = self._secrets()
        return f"Secrets come from the environment ({secrets}), the rest from {place}." if secrets else f"See {place}."

    def _secrets(self) -> str:
        return ", ".join(variable(self._name, key) for key in KINDS[self._said.connector].secrets)

    def _addresses(self) -> list[str]:
        """The addresses that the settings name."""
        values: list[Any] = [
            os.environ.get(variable(self._name, key), self._said.settings.get(key))
            for key in needs(self._said.connector)
            if key.endswith("url")
        ]
        return [value for value in values if isinstance(value, str) and value.startswith(("http://", "https://"))]

    def _reach(self, address: str) -> Finding:
        """Any answer at all will do, a refusal too."""
        host = urlsplit(address).hostname or ""
        try:
            with httpx.Client(timeout=REACH_S, follow_redirects=False) as client:
                client.head(f"{urlsplit(address).scheme}://{urlsplit(address).netloc.rpartition('@')[2]}/")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            advice = (
                f"Check base_url, DNS, the proxy and the firewall from this machine to {host}, and its status page."
            )
            return self._fail("reach", f"{host} gave no answer ({type(error).__name__}).", advice)
        return self._ok("reach", f"{host} answers.")

    def _login(self, connector: Connector) -> Iterator[Finding]:
        try:
            theirs, ours = connector.source_time(), self._installed.clock()
        except LoginRefused as error:
            come = f"They come from {self._secrets()}."
            advice = f"Renew the credentials, or unlock the integration user and its role. {come}"
            raise Silent(self._fail("login", str(error), advice)) from error
        except ConnectorError as error:
            raise Silent(self._fail("login", str(error), _wait_or_mend(error))) from error
        if KINDS[self._said.connector].secrets:
            yield self._ok("login", "It is accepted.")
            yield self._skew(theirs, ours)
        else:
            yield self._ok("reach", "Its storage answers.")

    def _skew(self, theirs: datetime, ours: datetime) -> Finding:
        skew = theirs - ours
        allowed = timedelta(minutes=self._installed.config.clock_skew_minutes)
        text = f"Its clock is {_spoken(abs(skew))} {'ahead of' if skew > timedelta() else 'behind'} ours."
        if abs(skew) > allowed:
            return self._warn("clock", text, "Set this machine's clock by NTP; watermarks follow the source's clock.")
        return self._ok("clock", text)

    def _objects(self, connector: Connector) -> Iterator[Finding]:
        """A line for each object with something wrong, and one for all the others."""
        mapping = self._installed.mappings[self._name]
        readable, described = 0, 0
        absent: list[str] = []
        for name in mapping.walked:
            wrong = list(self._object(connector, mapping.objects[name], absent))
            yield from wrong
            readable += not any(finding.topic == "permissions" for finding in wrong)
            described += not wrong
        expected = len(mapping.walked) - len(absent)
        if readable > len(absent):
            yield self._ok("permissions", f"{readable - len(absent)} of {expected} objects can be read.")
        if described > len(absent):
            text = f"The mapped fields of {described - len(absent)} of {expected} objects are there."
            yield self._ok("fields", text)
        if absent:
            yield self._ok("optional", f"It does not have {', '.join(absent)}, which the mapping leaves open.")

    def _object(self, connector: Connector, mapped: ObjectMapping, absentees: list[str]) -> Iterator[Finding]:
        """What is wrong with it. An optional one that is not visible is added to `absentees`."""
        try:
            absent = missing(mapped, connector.fields(mapped.name))
            _read_one(connector, mapped)
        except (TransientError, LoginRefused) as error:
            finding = self._fail("permissions", f"{mapped.name}: {error}", _wait_or_mend(error))
            raise Silent(finding) from error
        except NotVisible as error:
            if mapped.optional:
                absentees.append(mapped.name)
            else:
                yield self._unreadable(mapped, error)
            return
        except ConnectorError as error:
            yield self._unreadable(mapped, error)
            return
        if absent:
            fills = ", ".join(dict.fromkeys(place for path in absent for place in columns_of(mapped, path)))
            text = f"{mapped.name} has no {', '.join(absent)} that the integration user sees; it fills {fills}."
            advice = "Give the field's permission back, or change the mapping; `tieout mappings diff` shows new names."
            yield self._fail("fields", text, advice)

    def _unreadable(self, mapped: ObjectMapping, error: ConnectorError) -> Finding:
        advice = f"Give the integration user the right to read {mapped.name}, or take it out of the mapping."
        return self._fail("permissions", f"{mapped.name}: {error}", advice)

    def _limits(self, connector: Connector) -> Iterator[Finding]:
        try:
            limits = connector.limits()
        except ConnectorError as error:
            yield self._fail("limits", str(error), _wait_or_mend(error))
            return
        warn_from = self._installed.config.limit_warning_percent
        for limit in limits:
            text = f"{limit.name}: {limit.used:,} of {limit.most:,} used."
            advice = "Find out what else reads this system, poll less often (every_minutes), or buy more."
            if limit.used >= limit.most:
                yield self._fail("limits", text, advice)
            elif 100 * limit.used >= warn_from * limit.most:
                yield self._warn("limits", text, advice)
            else:
                yield self._ok("limits", text)

    def _ok(self, topic: str, text: str) -> Finding:
        return ok(self._name, topic, text)

    def _warn(self, topic: str, text: str, advice: str) -> Finding:
        return warn(self._name, topic, text, advice)

    def _fail(self, topic: str, text: str, advice: str) -> Finding:
        return fail(self._name, topic, text, advice)


def _read_one(connector: Connector, mapped: ObjectMapping) -> None:
    """Read as little as proves that the object can be read: a count, or a page of what changed just now."""
    if connector.count(mapped.name) is None:
        since = Position(connector.source_time()) if mapped.modified else None
        next(iter(connector.changes(mapped.name, since)), None)


def _wait_or_mend(error: ConnectorError) -> str:
    if isinstance(error, TransientError):
        return "Wait, and look at the vendor's status page; the next poll goes on where the last one stopped."
    return "What it says has to be changed by a person: in the source, in tieout.yaml or in the mapping."


def _count(lacking: int) -> str:
    return f"{lacking} of the settings that it needs {'is' if lacking == 1 else 'are'}"


def _spoken(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60:,} min"
