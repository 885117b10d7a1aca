"""Small books in memory, and a check put to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Self

import duckdb

from books.engine import Engine, Request, connect, source_rows
from books.entities import ENTITIES
from books.reading import ROLES, Books
from books.snapshots import Reading, Snapshot
from books.store import table_from
from checks.catalogue import CATALOGUE
from checks.contract import Check
from checks.findings import Evaluation, Finding
from checks.judging import Bands
from checks.ruleset import Ruleset
from gateway.compiled import CompiledFolder

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
FRESH = timedelta(hours=1)
ACCOUNT = "A1"
EVERYTHING = frozenset(ENTITIES)


def books(unmapped: Iterable[tuple[str, str]] = ()) -> Books:
    """Where a system of its own plays each role; `unmapped` are (role, entity) that none fills."""
    lacking = set(unmapped)
    mapped = {role: frozenset(e for e in EVERYTHING if (role, e) not in lacking) for role in ROLES}
    return Books({role: (role,) for role in ROLES}, mapped)


@cache
def ruleset(check: str, unmapped: frozenset[tuple[str, str]] = frozenset()) -> Ruleset:
    """One shipped check over such books."""
    return Ruleset([CATALOGUE[check]], books(unmapped), shelf=CompiledFolder.of_user())


@dataclass
class Ledger:
    """Rows of the books, entity by entity. The system of a role bears the role's name.

    The composite methods write one clean customer's records; a test then breaks what it is about.
    """

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    changed_at: datetime = NOW - timedelta(days=10)

    def add(self, entity: str, role: str, key: str, **columns: Any) -> Self:
        """One row; it belongs to ACCOUNT and was last changed at `changed_at` unless `columns` say otherwise."""
        common = {
            "system": role,
            "key": key,
            "account_id": columns.get("account_key", ACCOUNT),
            "account_key": ACCOUNT,
            "modified_at": self.changed_at,
            "synced_at": NOW,
            "deleted": False,
        }
        self.rows.setdefault(entity, []).append({**common, **columns})
        return self

    def change(self, entity: str, key: str, **columns: Any) -> Self:
        """Other values in one row."""
        (row,) = [row for row in self.rows[entity] if row["key"] == key]
        row.update(columns)
        return self

    def remove(self, entity: str, *keys: str) -> Self:
        self.rows[entity] = [row for row in self.rows[entity] if row["key"] not in keys]
        return self

    def join(self, other: "Ledger") -> "Ledger":
        """Both together."""
        return Ledger({e: [*self.rows.get(e, []), *other.rows.get(e, [])] for e in {*self.rows, *other.rows}})

    def turned(self) -> "Ledger":
        """The same rows in another order."""
        return Ledger({entity: list(reversed(rows)) for entity, rows in self.rows.items()})

    def account(self, key: str = ACCOUNT, **columns: Any) -> Self:
        """A customer in the CRM and in billing, with who gets the invoices."""
        columns = {"name": key, "status": "active", "currency": "USD", "account_key": key, **columns}
        self.add("accounts", "crm", key, **columns)
        self.contact("billing", f"C-{key}", account_key=key)
        return self.add("accounts", "billing", key, **{"crm_key": key, "bill_to_key": f"C-{key}", **columns})

    def contact(self, role: str, key: str, **columns: Any) -> Self:
        base = {"name": "Ana Reyes", "email": "ana@acme.example", "street": "1 Main Street", "city": "Boston"}
        return self.add("contacts", role, key, **{**base, "country": "US", **columns})

    def change_account(self, **columns: Any) -> Self:
        """Other values in every account."""
        for row in self.rows["accounts"]:
            row.update(columns)
        return self

    def contract(self, key: str = "K1", **columns: Any) -> Self:
        base: dict[str, Any] = {
            "number": key,
            "status": "activated",
            "start_date": date(2026, 1, 1),
            "end_date": date(2027, 1, 1),
            "currency": "USD",
            "payment_terms": "Net 30",
        }
        return self.add("contracts", "crm", key, **{**base, **columns})

    def contract_line(self, key: str = "CL1", contract: str = "K1", **columns: Any) -> Self:
        """500 seats at 40.00 a month, billed monthly in advance."""
        base: dict[str, Any] = {
            "contract_key": contract,
            "product_code": "SEAT",
            "quantity": Decimal(500),
            "unit_price": Decimal(40),
            "price_months": 1,
            "currency": "USD",
            "charge_type": "recurring",
            "billing_months": 1,
            "billing_timing": "advance",
            "start_date": date(2026, 1, 1),
            "end_date": date(2027, 1, 1),
            "billable": True,
        }
        return self.add("contract_lines", "crm", key, **{**base, **columns})

    def subscription(self, key: str = "S1", contract: str | None = "K1", **columns: Any) -> Self:
        base: dict[str, Any] = {
            "number": f"N-{key}",
            "version": 1,
            "status": "active",
            "contract_key": contract,
            "start_date": date(2026, 1, 1),
            "end_date": date(2027, 1, 1),
            "term_type": "termed",
            "currency": "USD",
        }
        return self.add("subscriptions", "billing", key, **{**base, **columns})

    def subscription_line(
        self, key: str = "SL1", subscription: str = "S1", line: str | None = "CL1", **columns: Any
    ) -> Self:
        """The contract line's counterpart, with one schedule of the same key."""
        base: dict[str, Any] = {
            "number": f"N-{key}",
            "subscription_key": subscription,
            "contract_line_key": line,
            "product_code": "SEAT",
            "name": "Seats",
            "charge_type": "recurring",
            "quantity": Decimal(500),
            "unit_price": Decimal(40),
            "price_months": 1,
            "currency": "USD",
            "billing_months": 1,
            "billing_timing": "advance",
            "start_date": date(2026, 1, 1),
            "end_date": date(2027, 1, 1),
        }
        said = {**base, **columns}
        self.add("subscription_lines", "billing", key, **said)
        same = ("quantity", "unit_price", "price_months", "currency", "start_date", "end_date", "account_key")
        return self.schedule(key, key, subscription_key=subscription, **{n: said[n] for n in same if n in said})

    def schedule(self, key: str, line: str = "SL1", **columns: Any) -> Self:
        base: dict[str, Any] = {"subscription_line_key": line, "subscription_key": "S1", "version": 1, "segment": 1}
        return self.add("billing_schedules", "billing", key, **{**base, **columns})

    def invoice(self, key: str, day: date, *lines: Mapping[str, Any], **columns: Any) -> Self:
        """A posted invoice; its total is that of its lines. A line's keys are `key-1`, `key-2`, …"""
        for n, line in enumerate(lines, 1):
            base: dict[str, Any] = {"invoice_key": key, "line_version_key": "SL1", "product_code": "SEAT"}
            if "account_key" in columns:
                base["account_key"] = columns["account_key"]
            self.add("invoice_lines", "billing", f"{key}-{n}", **{**base, **line})
        total = sum((Decimal(line["amount"]) + Decimal(line.get("tax") or 0) for line in lines), Decimal(0))
        said: dict[str, Any] = {
            "number": key,
            "status": "posted",
            "invoice_date": day,
            "due_date": day + timedelta(days=30),
            "posted_at": datetime(day.year, day.month, day.day, 6, tzinfo=UTC),
            "total": total,
            "tax": sum((Decimal(line.get("tax") or 0) for line in lines), Decimal(0)),
            "currency": "USD",
        }
        return self.add("invoices", "billing", key, **{**said, **columns})

    def months_billed(self, first: int, last: int, amount: Decimal = Decimal(20_000)) -> Self:
        """Invoices INV1, INV2, … of the months of 2026, each for the whole month in advance."""
        for month in range(first, last + 1):
            self.invoice(f"INV{month}", date(2026, month, 1), seats(month, amount=amount))
            self.paid(f"INV{month}", amount, date(2026, month, 20))
        return self

    def paid(self, invoice: str, amount: Decimal, day: date, **columns: Any) -> Self:
        """A payment `P-<invoice>` that was applied to the invoice as a whole."""
        key = f"P-{invoice}"
        said: dict[str, Any] = {"number": key, "status": "processed", "amount": amount, "currency": "USD"}
        self.add("payments", "billing", key, invoice_key=invoice, paid_date=day, **{**said, **columns})
        applied = {"payment_key": key, "invoice_key": invoice, "amount": amount}
        own = {name: columns[name] for name in ("account_key",) if name in columns}
        return self.add("payment_applications", "billing", f"A-{invoice}", **applied, **own)

    def unpaid(self, invoice: str) -> Self:
        """Take its payment away."""
        return self.remove("payments", f"P-{invoice}").remove("payment_applications", f"A-{invoice}")


def clean() -> Ledger:
    """One customer: 500 seats at 40.00, sold, set up, billed and paid for every month of 2026 that has begun."""
    ledger = Ledger().account().contract().contract_line().subscription().subscription_line()
    return ledger.months_billed(1, 12)


def seats(month: int, **columns: Any) -> dict[str, Any]:
    """An invoice line for the seats of a month of 2026."""
    base: dict[str, Any] = {
        "quantity": Decimal(500),
        "unit_price": Decimal(40),
        "amount": Decimal(20_000),
        "period_start": date(2026, month, 1),
        "period_end": date(2026 + month // 12, month % 12 + 1, 1),
    }
    return {**base, **columns}


def ask(
    check: str | Check,
    ledger: Ledger,
    *,
    now: datetime = NOW,
    target: date | None = None,
    whole_run: bool = True,
    behind: Mapping[str, timedelta] | None = None,
    stale: str | None = None,
    fresh: timedelta | None = None,
    failure: str | None = None,
    unmapped: Iterable[tuple[str, str]] = (),
    may_be_empty: bool = True,
    bands: Bands | None = None,
) -> Evaluation:
    """Put one check to the books, a shipped one by its id.

    `behind`: how far a role's watermarks lie behind `now`, none unless said; that is allowed unless `fresh` says
    how old they may be. `stale`: a role whose watermarks are too old. `failure`: why the ERP could not be read.
    """
    rules = ruleset(check, frozenset(unmapped)) if isinstance(check, str) else Ruleset([check], books(unmapped))
    snapshot = _snapshot(rules.books, now, behind or {}, fresh)
    snapshot = _spoiled(snapshot, now, stale, failure)
    id_ = check if isinstance(check, str) else check.id
    is_compiled = isinstance(check, str) and rules.idle(id_) is None
    read = rules.rules[id_].compiled.reads if is_compiled else ledger.rows.keys()
    with Engine(_blank().cursor()) as engine:
        for name in read & ledger.rows.keys():
            engine.hold(name, table_from(name, ledger.rows[name]))
        engine.hold("sources", source_rows(snapshot))
        engine.ask(Request(now, target or now.date(), whole_run))
        return rules.evaluate(
            id_,
            engine,
            snapshot,
            now,
            whole_run=whole_run,
            bands=bands or Bands(),
            empty=frozenset() if may_be_empty else None,
        )


def ask_each(checks: Iterable[str], ledger: Ledger) -> dict[str, Evaluation]:
    """Put shipped checks to the same books, as a sweep does: what they share is worked out once."""
    rules = Ruleset([CATALOGUE[check] for check in checks], books(), shelf=CompiledFolder.of_user())
    snapshot = _snapshot(rules.books, NOW, {}, None)
    with Engine(_blank().cursor()) as engine:
        for name, rows in ledger.rows.items():
            engine.hold(name, table_from(name, rows))
        engine.hold("sources", source_rows(snapshot))
        engine.ask(Request(NOW, NOW.date()))
        return {
            check: rules.evaluate(check, engine, snapshot, NOW, whole_run=True, bands=Bands(), empty=frozenset())
            for check in rules.rules
        }


def findings(check: str | Check, ledger: Ledger, **how: Any) -> tuple[Finding, ...]:
    """What a check finds; it must have been evaluated, and nothing may be left unjudged."""
    evaluation = ask(check, ledger, **how)
    assert evaluation.outcome in ("passed", "failed"), evaluation.reason
    assert not evaluation.waiting, evaluation.waiting
    return evaluation.findings


def only(check: str | Check, ledger: Ledger, **how: Any) -> Finding:
    """The one finding."""
    (finding,) = findings(check, ledger, **how)
    return finding


@cache
def _blank() -> duckdb.DuckDBPyConnection:
    """Empty tables of all entities; what a cursor holds is its own and lies before them. Few rows need no threads."""
    blank = connect()
    blank.execute("SET threads = 1")
    for name, known in ENTITIES.items():
        blank.register("incoming", known.arrow.empty_table())
        blank.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
    return blank


def _snapshot(books: Books, now: datetime, behind: Mapping[str, timedelta], fresh: timedelta | None) -> Snapshot:
    readings = {
        (role, entity): Reading(now - age, fresh or max(FRESH, age))
        for role in ROLES
        for age in [behind.get(role, timedelta())]
        for entity in books.mapped[role]
    }
    return Snapshot("test", now, {}, readings)


def _spoiled(snapshot: Snapshot, now: datetime, stale: str | None, failure: str | None) -> Snapshot:
    late = {at: Reading(now - 2 * FRESH, FRESH) for at in snapshot.readings if at[0] == stale}
    failed = {at: Reading(now, FRESH, failure) for at in snapshot.readings if failure and at[0] == "erp"}
    return replace(snapshot, readings={**snapshot.readings, **late, **failed})
