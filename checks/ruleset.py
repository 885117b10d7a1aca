"""The checks as they are in force: settings applied, and their SQL asked of an engine."""

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import duckdb

from books.engine import Request
from books.errors import BooksError
from books.reading import Books, literals
from books.snapshots import OWN, Snapshot
from checks.contract import Attributes, Check, Mode, Need, Outcome, Params, Tolerance
from checks.errors import ArithmeticFault, DeclarationError
from checks.findings import Evaluation
from checks.judging import Bands, judge
from checks.rule import Compiled, Rule, Shelf
from checks.system_of_record import in_force as registry

log = logging.getLogger(__name__)

Rows = list[dict[str, Any]]
# How a check can fail on rows that it did not reckon with: in the engine, in its arithmetic, in its message.
FAULTS = (duckdb.Error, BooksError, DeclarationError, ArithmeticError, LookupError, TypeError, ValueError)


class Asked(Protocol):
    """What a ruleset needs of an engine: SQL of its dialect in, dictionaries out. `books.engine.Engine` is one."""

    @property
    def dialect(self) -> str: ...

    request: Request | None

    def rows(self, sql: str) -> Rows: ...

    def define(self, name: str, sql: str) -> None: ...


@dataclass(frozen=True)
class Override:
    """What tieout.yaml says about one check. Only what is given replaces the check's own declaration."""

    mode: Mode | None = None
    tolerance: Tolerance | None = None
    settings: Mapping[str, "int | Decimal | str | tuple[str, ...]"] = field(default_factory=dict)
    lag_minutes: int | None = None


class Ruleset:
    """All checks of one installation. Raises DeclarationError for an override that fits no check.

    A check is built at once where tieout.yaml gives it settings, so that a wrong one is refused at start; the SQL is
    made when the check is first asked, or by `prepare`.

    `attributes` say which system is right about what; by default as they are declared.

    An engine's tables of the books must not change between two checks that it is asked: what checks share is worked
    out once per engine, and what of it depends on the request once per request.
    """

    def __init__(
        self,
        checks: Iterable[Check],
        books: Books,
        overrides: Mapping[str, Override] | None = None,
        attributes: Attributes | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        overrides = overrides or {}
        attributes = registry({}) if attributes is None else attributes
        declared = {check.id: check for check in checks}
        unknown = sorted(set(overrides) - set(declared))
        if unknown:
            raise DeclarationError(f"tieout.yaml sets up checks that do not exist: {', '.join(unknown)}.")
        self.books = books
        self._worked_out: WeakKeyDictionary[Asked, dict[str, Request | None]] = WeakKeyDictionary()
        self._empty: WeakKeyDictionary[Asked, dict[tuple[str, tuple[str, ...]], bool]] = WeakKeyDictionary()
        self.rules = {
            id_: _rule(check, books, overrides.get(id_, Override()), attributes, shelf)
            for id_, check in declared.items()
        }

    def prepare(self, checks: Iterable[str]) -> None:
        """Make the SQL of these checks now. Raises DeclarationError for one whose rows lack a column."""
        for id_ in checks:
            _ = self.rules[id_].compiled

    @cached_property
    def digest(self) -> str:
        """Changes when any rule, setting, mode or tolerance changes."""
        text = "".join(rule.digest for _, rule in sorted(self.rules.items()))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def evaluate(
        self,
        check: str,
        engine: Asked,
        snapshot: Snapshot,
        now: datetime,
        *,
        whole_run: bool,
        bands: Bands,
        empty: Collection[Need] | None = None,
    ) -> Evaluation:
        """Ask one check. Never raises for what the data hold: a fault makes it not evaluated, with its reason.

        `empty`: what `empty_needs` said of the whole snapshot, where `engine` holds only a share of it.
        """
        rule = self.rules[check]
        excused = self._excused(rule.check, whole_run)
        if excused is not None:
            return Evaluation(rule.check, Outcome.NOT_APPLICABLE, excused)
        trouble = self.unread(check, snapshot, now) or self._lacking(rule.check, engine, empty)
        if trouble is not None:
            return Evaluation(rule.check, Outcome.NOT_EVALUATED, trouble)
        try:
            made = rule.compiled_for(engine.dialect)
            self._work_out(made, engine)
            return judge(rule.check, engine.rows(made.sql), self.known_until(check, snapshot), now, bands)
        except ArithmeticFault as fault:
            return Evaluation(rule.check, Outcome.NOT_EVALUATED, str(fault))
        except FAULTS as fault:
            log.exception("The check %s could not be worked out.", check)
            first = str(fault).partition("\n")[0]
            return Evaluation(rule.check, Outcome.NOT_EVALUATED, f"It could not be worked out: {first}")

    def _work_out(self, made: Compiled, engine: Asked) -> None:
        done = self._worked_out.setdefault(engine, {})
        for name, sql in made.relations.items():
            request = engine.request if name in made.momentary else None
            if name not in done or done[name] != request:
                engine.define(name, sql)
                done[name] = request

    def idle(self, check: str) -> str | None:
        """Why nobody ever asks this check here; None where a sweep does."""
        return self._excused(self.rules[check].check, whole_run=True)

    def unread(self, check: str, snapshot: Snapshot, now: datetime) -> str | None:
        """Why what was read of a check's sources may not be relied on at this moment; None where it may be."""
        for need in self.rules[check].check.needs:
            for system in self.books.systems(need.entity, need.role):
                if system == OWN:
                    continue
                reading = snapshot.readings.get((system, need.entity))
                trouble = "has not been read yet" if reading is None else reading.trouble(now)
                if trouble is not None:
                    return f"{need.entity} of {system} {trouble}."
        return None

    def empty_needs(self, engine: Asked, checks: Iterable[str] | None = None) -> frozenset[Need]:
        """The needs (of these checks) that must not be empty and are, in books that `engine` holds as a whole."""
        rules = self.rules.values() if checks is None else [self.rules[id_] for id_ in checks]
        asked = {need for rule in rules for need in rule.check.needs if not need.may_be_empty}
        return frozenset(need for need in asked if self._is_mapped(need) and self._is_empty(need, engine))

    def known_until(self, check: str, snapshot: Snapshot) -> datetime | None:
        """Up to which stamp absence may be claimed; None where the check claims none, or where no source could tell."""
        need, lag = self.rules[check].check.absent_from, self.rules[check].check.lag_minutes
        if need is None:
            return None
        readings = [
            snapshot.readings.get((system, need.entity)) for system in self.books.systems(need.entity, need.role)
        ]
        marks = [reading.watermark for reading in readings if reading is not None and reading.watermark is not None]
        return min(marks) - timedelta(minutes=lag) if marks else None

    def _excused(self, check: Check, whole_run: bool) -> str | None:
        for need in check.needs:
            if not need.optional and not self._is_mapped(need):
                return f"tieout.yaml maps no source in the role {need.role} that fills {need.entity}."
        if check.one_of and not any(self._is_mapped(need) for need in check.needs if need.entity in check.one_of):
            return f"tieout.yaml maps no source that fills {' or '.join(check.one_of)}."
        if check.scope == "run" and not whole_run:
            return "The request does not claim to hold the whole run."
        return None

    def _lacking(self, check: Check, engine: Asked, empty: Collection[Need] | None) -> str | None:
        for need in check.needs:
            if need.may_be_empty or not self._is_mapped(need):
                continue
            if self._is_empty(need, engine) if empty is None else need in empty:
                return f"The books hold no {need.entity} in the role {need.role}, and they must."
        return None

    def _is_mapped(self, need: Need) -> bool:
        return bool(self.books.systems(need.entity, need.role))

    def _is_empty(self, need: Need, engine: Asked) -> bool:
        """Whether the books hold no row of it, not even a tombstone. Many checks need the same: it is asked once."""
        known = self._empty.setdefault(engine, {})
        of = need.entity, self.books.systems(need.entity, need.role)
        if of not in known:
            found = f"SELECT key FROM {need.entity} WHERE system IN ({literals(of[1])}) LIMIT 1"
            known[of] = not engine.rows(found)
        return known[of]


def _rule(check: Check, books: Books, override: Override, attributes: Attributes, shelf: Shelf | None) -> Rule:
    known = {setting.name: setting.default for setting in check.settings}
    unknown = sorted(set(override.settings) - set(known))
    if unknown:
        raise DeclarationError(f"{check.id} has no setting {', '.join(unknown)}; it has: {', '.join(known) or 'none'}.")
    in_force = replace(
        check,
        mode=override.mode or check.mode,
        mode_is_set=override.mode is not None,
        tolerance=override.tolerance or check.tolerance,
        lag_minutes=check.lag_minutes if override.lag_minutes is None else override.lag_minutes,
    )
    rule = Rule(in_force, Params({**known, **override.settings}, attributes), books, shelf)
    if override.settings:
        try:
            rule.rows()
        except DeclarationError as error:
            raise DeclarationError(f"The settings of {check.id} do not fit: {error}") from error
    return rule
