"""Which checks a sweep asks about which accounts, when it looks only at what may have changed.

A check is put to all of the books where a share of them cannot tell: on the first sweep of a day (what a finding
comes to may depend on the day), when its declaration, settings or code changed, when rows of no account changed in
what it reads, when absence is known less far than before, while what it reads may not be relied on, and after it
could not be evaluated: what it found before does not tell what is true now. A check that spans more than an account
is put to all of them when something that it reads changed. Any other is asked about the accounts with a row that
changed in what it reads, a row whose time has come, or a case that another evaluation may close; and about nobody
where there is none.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from books.changes import Changes, changes
from books.engine import Engine
from books.errors import BooksError
from books.references import LINKING, beside, companions
from books.snapshots import Snapshot
from books.store import Store
from checks.contract import Spans
from checks.rule import Rule
from gateway.evaluations.keeping import not_evaluated
from gateway.evaluations.tables import NOBODY
from gateway.installation import Installation
from gateway.sweeping.marks import Accounts, due, marks, unsettled
from gateway.sweeping.tables import SweepMark

log = logging.getLogger(__name__)

# Narrowing the books down to more of them than this takes longer than it saves.
LARGEST_SHARE = 0.25
# Not in the books' tables, and different at every moment.
MOMENT = frozenset({"request", "sources"})


@dataclass(frozen=True)
class Plan:
    """What a sweep asks: `whole` of all of the books, `narrow` of `accounts` only, and nothing else."""

    whole: tuple[str, ...]
    narrow: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()  # nothing that they read changed: what they found still holds

    def __bool__(self) -> bool:
        return bool(self.whole or self.narrow)


def plan(installed: Installation, engine: Engine, snapshot: Snapshot, now: datetime, checks: Collection[str]) -> Plan:
    """What is to be asked of a snapshot after what was asked before. `engine` holds all of it."""
    ruleset = installed.ruleset
    known = {id_: ruleset.known_until(id_, snapshot) for id_ in checks}
    with installed.database.session() as session:
        kept = marks(session)
        session.expunge_all()
        again = _together(due(session, known, now), unsettled(session, now))
        unknown = not_evaluated(session)
    unknown = {id_ for id_ in checks if id_ in unknown or ruleset.unread(id_, snapshot, now)}
    changed = _Changed(installed, snapshot, kept.values())
    asked = {
        id_: _accounts(ruleset.rules[id_], kept.get(id_), changed, again.get(id_, set()), known[id_], now)
        for id_ in checks
        if id_ not in unknown
    }
    asked |= dict.fromkeys(unknown)
    read = {name for id_, some in asked.items() if some for name in ruleset.rules[id_].compiled.reads}
    accounts = frozenset(account for some in asked.values() if some for account in some)
    before = changed.versions(kept[id_].snapshot for id_, some in asked.items() if some)
    accounts = _with_companions(installed.store, engine, snapshot.versions, before, accounts, read)
    if accounts and len(accounts) > LARGEST_SHARE * _count(engine):
        asked = {id_: None if some else some for id_, some in asked.items()}
    return Plan(
        tuple(id_ for id_, some in asked.items() if some is None),
        tuple(id_ for id_, some in asked.items() if some),
        accounts,
        tuple(id_ for id_, some in asked.items() if some is not None and not some),
    )


class _Changed:
    """What changed since each of the snapshots that a check was last evaluated on; None where nobody can tell."""

    def __init__(self, installed: Installation, snapshot: Snapshot, kept: Iterable[SweepMark]) -> None:
        self._store = installed.store
        self._after = snapshot.versions
        self._versions = installed.ledger.versions_of({mark.snapshot for mark in kept})
        self._found: dict[str, Mapping[str, Changes] | None] = {}

    def versions(self, snapshots: Iterable[str]) -> list[Mapping[str, int]]:
        """Of snapshots that something was compared with."""
        return [self._versions[snapshot] for snapshot in set(snapshots)]

    def since(self, snapshot: str) -> Mapping[str, Changes] | None:
        if snapshot not in self._found:
            self._found[snapshot] = self._compared(self._versions.get(snapshot))
        return self._found[snapshot]

    def _compared(self, before: Mapping[str, int] | None) -> Mapping[str, Changes] | None:
        if before is None:
            return None
        try:
            return changes(self._store, before, self._after)
        except BooksError as error:
            log.warning("What changed since the last sweep cannot be told, so that all is asked: %s", error)
            return None


def _accounts(
    rule: Rule,
    mark: SweepMark | None,
    changed: _Changed,
    again: set[str],
    known_until: datetime | None,
    now: datetime,
) -> set[str] | None:
    """The accounts that a check is to be asked about; None for all of the books."""
    if mark is None or mark.rule != rule.digest or _day(mark.whole_at) != _day(now) or mark.swept_at > now:
        return None
    if mark.known_until is not None and (known_until is None or known_until < mark.known_until):
        return None
    since = changed.since(mark.snapshot)
    if since is None:
        return None
    read = [since[name] for name in rule.compiled.reads if name in since]
    if rule.check.spans is not Spans.ACCOUNT:
        return None if read or again or rule.compiled.reads & MOMENT else set()
    accounts = {account for table in read for account in table.accounts} | again
    if NOBODY in again or any(table.unowned for table in read) or (mark.unowned and accounts):
        return None
    return accounts


def _day(instant: datetime) -> object:
    return instant.astimezone(UTC).date()


def _together(one: Accounts, other: Accounts) -> Accounts:
    return {check: one.get(check, set()) | other.get(check, set()) for check in {*one, *other}}


def _with_companions(
    store: Store,
    engine: Engine,
    now: Mapping[str, int],
    before: Iterable[Mapping[str, int]],
    accounts: frozenset[str],
    read: Collection[str],
) -> frozenset[str]:
    """With all that hang together with them now, or did when they were evaluated before."""
    if not accounts:
        return accounts
    pairs = beside(engine, read)
    for versions in before:
        written = {name for name in {*now, *versions} if now.get(name) != versions.get(name)}
        known = Snapshot("", datetime.min.replace(tzinfo=UTC), versions, {})
        with Engine.over(store, known, {*read, *LINKING}) as older:
            pairs |= beside(older, read, written)
    return companions(accounts, pairs)


def _count(engine: Engine) -> int:
    return int(engine.rows("SELECT count(DISTINCT account_key) AS n FROM accounts")[0]["n"])
