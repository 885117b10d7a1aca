"""A dozen customers in real Delta tables and a real database, where every role is played by a system of its name."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import ibis
import ibis.expr.types as ir

from books.engine import Engine
from books.reading import ROLES, Books
from books.store import table_from
from checks.catalogue import CATALOGUE
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Need, Owner, Params, Pattern, Scope, Severity, Spans
from checks.findings import Evaluation
from checks.rows import candidates, listed, reference
from checks.ruleset import Override, Ruleset
from gateway.compiled import CompiledFolder
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sweep import Sweep, evaluate, sweep
from gateway.sync.tables import SnapshotRow
from tests.checks.kit import EVERYTHING, Ledger, seats
from tests.gateway.exceptions.queue_world import OWNERS

MORNING = datetime(2026, 12, 1, 9, 30, tzinfo=Ledger().changed_at.tzinfo)
MINUTE = timedelta(minutes=1)
FRESH = 60  # minutes
LAG = 30  # minutes that the ERP is allowed
CUSTOMERS = tuple(f"A{n}" for n in range(1, 13))


def _linked_otherwise(books: Books, _: Params) -> ir.Table:
    """Accounts whose counterpart by a link has another currency, twenty minutes after they were linked."""
    link, account = books.table("links", "integration"), books.table("accounts", "crm")
    other = books.table("accounts", "billing").select(o_system="system", o_key="key", o_currency="currency")
    rows = account.inner_join(
        link.select("left_system", "left_key", "right_system", "right_key", linked_at="modified_at"),
        [account.system == link.left_system, account.key == link.left_key],
    )
    rows = rows.inner_join(other, [rows.right_system == other.o_system, rows.right_key == other.o_key])
    rows = rows.filter(rows.currency != rows.o_currency)
    return candidates(
        rows,
        "accounts",
        subject=rows.key + "/" + rows.o_key,
        evidence=listed(reference(rows.system, "accounts", rows.key), reference(rows.o_system, "accounts", rows.o_key)),
        fails_from=rows.linked_at + ibis.interval(minutes=20),
        size=1,
    )


LINKED_OTHERWISE = Check(
    id="linked_otherwise",
    doc="Linked.\n\nWhy it matters: Money.\n\nUsual cause: Haste.\n\nHow to fix: Work.\n\nWhat it is not: Luck.",
    pattern=Pattern.MASTER_DATA,
    severity=Severity.S3,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(Need("accounts", "crm"), Need("accounts", "billing"), Need("links", "integration", may_be_empty=True)),
    arithmetic=Arithmetic.of("size", "0"),
    message="{key} is linked to an account with another currency.",
    find=_linked_otherwise,
)
NAMES = (
    "duplicate_invoice_line",
    "subscription_line_without_schedule",
    "invoice_not_in_erp",
    "usage_unmatched_account",
    "source_stale",
)


def customer(key: str) -> Ledger:
    """500 seats since October, billed for November, and the invoice in the ERP."""
    ledger = Ledger().account(key)
    same: dict[str, Any] = {"account_key": key}
    ledger.subscription(f"S-{key}", None, **same)
    ledger.subscription_line(f"SL-{key}", f"S-{key}", None, **same)
    ledger.invoice(f"I-{key}", date(2026, 11, 1), seats(11, line_version_key=f"SL-{key}"), **same)
    total = Decimal(20_000)
    said = {"billing_key": f"I-{key}", "status": "posted", "total": total, "currency": "USD"}
    return ledger.add("invoices", "erp", f"E-{key}", **said, **same)


class Told(dict[str, dict[str, tuple[str | None, Decimal]]]):
    """What evaluations have said is found: per check and fingerprint, with its account and amount."""

    def hear(self, evaluations: Iterable[Evaluation]) -> Self:
        """What is said of some accounts replaces what was said of these; what is not conclusive says nothing."""
        for one in evaluations:
            if one.conclusive:
                before = self.get(one.check.id, {})
                kept = {
                    key: said
                    for key, said in before.items()
                    if one.accounts is not None and said[0] not in one.accounts
                }
                self[one.check.id] = kept | {f.fingerprint: (f.account_key, f.amount) for f in one.findings}
        return self


class World:
    """An installation of a few checks; records, `now` and watermarks are moved by hand.

    `told` is what the sweeps up to now have said.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.now = MORNING
        sources = {
            role: {"connector": "files", "roles": [role], "mapping": role, "freshness_minutes": FRESH} for role in ROLES
        }
        self.installed = Installation(parse({"sources": sources, "books": "books"}, folder), clock=lambda: self.now)
        self.installed.database = database
        self.installed.owners = OWNERS
        self.installed.mappings = {}
        self.installed.books = Books({role: (role,) for role in ROLES}, dict.fromkeys(ROLES, EVERYTHING))
        checks = [*(CATALOGUE[name] for name in NAMES), LINKED_OTHERWISE]
        overrides = {"invoice_not_in_erp": Override(lag_minutes=LAG)}
        self.installed.ruleset = Ruleset(checks, self.installed.books, overrides, shelf=CompiledFolder.of_user())
        self.marks: dict[str, datetime] = {}
        self.told = Told()
        first = Ledger().add("usage_events", "usage", "U0", account_key="A1", is_test=True, happened_at=MORNING)
        first.add("products", "billing", "P1", account_key=None, code="SEAT")
        for key in CUSTOMERS:
            first = first.join(customer(key))
        self.write(first)

    def begun(self) -> "World":
        """After the first sync and the first sweep."""
        self.publish()
        self.sweep()
        return self

    def write(self, ledger: Ledger) -> None:
        """Rows of the ledger, as read just now."""
        for name, rows in ledger.rows.items():
            for system in sorted({row["system"] for row in rows}):
                mine = [{**row, "synced_at": self.now} for row in rows if row["system"] == system]
                self.installed.store.merge(name, system, table_from(name, mine))
                owners = table_from(name, mine).select(["key", "account_key"])
                self.installed.store.assign_accounts(name, system, owners)

    def publish(self) -> None:
        """Every source was read up to a minute ago, or up to where `marks` says."""
        readings = [
            {
                "system": role,
                "entity": entity,
                "watermark": self.marks.get(role, self.now - MINUTE).isoformat(),
                "failure": None,
            }
            for role in ROLES
            for entity in sorted(EVERYTHING)
        ]
        row = SnapshotRow(
            id=f"snap_{secrets.token_hex(8)}",
            published_at=self.now,
            versions=self.installed.store.versions(),
            readings=readings,
            mappings={},
        )
        with self.installed.database.session() as session:
            session.add(row)

    def sweep(self, *, changed_only: bool = True) -> Sweep:
        """Sweep, and remember what was said."""
        done = sweep(self.installed, self.now, changed_only=changed_only)
        self.told.hear(done.evaluations)
        return done

    def everything(self) -> "Told":
        """What a sweep over all of the books finds, of the checks that can be evaluated now."""
        snapshot = self.installed.ledger.latest()
        assert snapshot is not None
        with Engine.over(self.installed.store, snapshot) as engine:
            found = evaluate(self.installed, engine, snapshot, self.now)
        return Told().hear(found)

    def same_as_everything(self) -> None:
        """What the sweeps have said is what one over all of the books says."""
        whole = self.everything()
        assert {check: self.told.get(check, {}) for check in whole} == whole
