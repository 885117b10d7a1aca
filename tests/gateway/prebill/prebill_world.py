"""A small company's books, a few checks, and a gate over them: for the tests of the gate and of the API.

Two customers: Acme (accounts SF-1 and ZA-1, number A-001) and Brill (SF-2, ZA-2, A-002). Acme has bought 500 seats
at 40.00 a month, Brill 10 at 100.00; both on subscription lines that are known by id, by number and by a schedule row.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import ibis
import ibis.expr.types as ir
from fastapi import FastAPI

from books.engine import Engine
from books.reading import Books
from books.snapshots import Snapshot
from books.store import Store, table_from
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Need, Owner, Params, Pattern, Scope, Severity, Spans
from checks.rows import candidates, listed, reference
from checks.ruleset import Ruleset
from connectors.contract import DraftRun, RunSource
from gateway.compiled import CompiledFolder
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.keys.keys import SCOPES, create
from gateway.prebill.gate import Gate
from gateway.prebill.opening import open_gate
from gateway.sync.tables import SnapshotRow
from sandbox.serving import LoopbackServer
from tests.gateway.exceptions.queue_world import OWNERS
from tests.tls import TLS

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PERIOD = {"period_start": date(2026, 11, 1), "period_end": date(2026, 12, 1)}
SYSTEMS = {
    "salesforce": ("crm", ("accounts", "contracts")),
    "zuora": (
        "billing",
        (
            *("accounts", "subscriptions", "subscription_lines", "billing_schedules", "invoices", "invoice_lines"),
            "credit_memos",
        ),
    ),
    "reference": ("reference", ("fx_rates",)),
}

Rows = Mapping[str, Sequence[Mapping[str, object]]]


def _row(system: str, key: str, account: str | None, **columns: object) -> dict[str, object]:
    stamps = {"modified_at": NOW - DAY, "synced_at": NOW - DAY, "deleted": False}
    return {"system": system, "key": key, "account_key": account, **stamps, **columns}


def account(n: int, **columns: object) -> list[dict[str, object]]:
    """The customer's account in the CRM and in billing."""
    name, number = {1: ("Acme", "A-001"), 2: ("Brill", "A-002")}.get(n, (f"Customer {n}", f"A-{n:03}"))
    same = {"name": name, "currency": "USD", "status": "active", **columns}
    return [
        _row("salesforce", f"SF-{n}", f"SF-{n}", account_id=f"SF-{n}", **same),
        _row("zuora", f"ZA-{n}", f"SF-{n}", account_id=f"ZA-{n}", number=number, crm_key=f"SF-{n}", **same),
    ]


def sold(n: int, quantity: str, price: str) -> dict[str, list[dict[str, object]]]:
    """A subscription in two versions, S-n-v1 and S-n-v2, number SUB-n; its line C-n, number CH-n, schedule row R-n."""
    of = {"account_id": f"ZA-{n}"}
    versions = [
        _row("zuora", f"S-{n}-v{v}", f"SF-{n}", **of, number=f"SUB-{n}", version=v, status="active") for v in (1, 2)
    ]
    terms = {"quantity": Decimal(quantity), "unit_price": Decimal(price), "currency": "USD"}
    line = _row("zuora", f"C-{n}", f"SF-{n}", **of, number=f"CH-{n}", subscription_key=f"S-{n}-v2", **terms)
    row = _row("zuora", f"R-{n}", f"SF-{n}", **of, subscription_line_key=f"C-{n}", **terms)
    return {"subscriptions": versions, "subscription_lines": [line], "billing_schedules": [row]}


def stored_invoice(
    key: str, n: int = 1, *, system: str = "zuora", status: str = "posted", run: str = "BR-0", number: str | None = None
) -> dict[str, list[dict[str, object]]]:
    """An invoice that the books hold, with one line, `key`-L."""
    of = {"account_id": f"ZA-{n}", "currency": "USD"}
    head = _row(system, key, f"SF-{n}", **of, number=number or key, status=status, run_key=run, total=Decimal(100))
    bills = {"invoice_key": key, "subscription_line_key": f"C-{n}", "amount": Decimal(100), **PERIOD}
    return {"invoices": [head], "invoice_lines": [_row(system, f"{key}-L", f"SF-{n}", **of, **bills)]}


def merged(*parts: Rows) -> dict[str, list[Mapping[str, object]]]:
    whole: dict[str, list[Mapping[str, object]]] = {}
    for part in parts:
        for name, rows in part.items():
            whole.setdefault(name, []).extend(rows)
    return whole


BASE = merged(
    {"accounts": [*account(1), *account(2)]},
    sold(1, "500", "40.00"),
    sold(2, "10", "100.00"),
    stored_invoice("INV-OLD-1"),
    {
        "fx_rates": [
            _row(
                "reference",
                "r1",
                None,
                from_currency="JPY",
                to_currency="USD",
                rate=Decimal("0.01"),
                rate_date=NOW.date(),
            )
        ]
    },
)


def write(store: Store, rows: Rows) -> None:
    for name, listed_rows in rows.items():
        for system in sorted({str(row["system"]) for row in listed_rows}):
            store.merge(name, system, table_from(name, [row for row in listed_rows if row["system"] == system]))


LINES = Need("invoice_lines", "billing")
SOLD = Need("subscription_lines", "billing")
ACCOUNTS = Need("accounts", "crm")


def check(name: str, find: Callable[[Books, Params], ir.Table], **changes: Any) -> Check:
    values: dict[str, Any] = {
        "doc": "Broken.\n\nWhy it matters: Money.\n\nUsual cause: Haste.\n\nHow to fix: Work.\n\nWhat it is not: Luck.",
        "pattern": Pattern.DELIVERED_NOT_BILLED,
        "severity": Severity.S2,
        "owners": (Owner.BILLING_OPS, Owner.IT),
        "mode": Mode.BLOCK,
        "scope": Scope.INVOICE,
        "kind": MoneyKind.LEAK,
        "spans": Spans.ACCOUNT,
        "needs": (LINES, SOLD),
        "arithmetic": Arithmetic.of("quantity * agreed", "quantity * billed"),
        "message": "{key} bills {billed} for what is agreed at {agreed}.",
        "find": find,
    }
    return Check(id=name, **{**values, **changes})


def _wrong_price(books: Books, _: Params) -> ir.Table:
    line = books.table("invoice_lines", "billing")
    agreed = books.table("subscription_lines", "billing").select(s_system="system", s_key="key", agreed="unit_price")
    rows = line.inner_join(agreed, [line.system == agreed.s_system, line.subscription_line_key == agreed.s_key])
    rows = rows.filter(rows.unit_price != rows.agreed)
    return candidates(
        rows,
        "invoice_lines",
        subject=rows.subscription_line_key,
        evidence=listed(
            reference(rows.system, "invoice_lines", rows.key),
            reference(rows.s_system, "subscription_lines", rows.s_key),
        ),
        period=(rows.period_start, rows.period_end),
        invoice=rows.invoice_key,
        line=rows.key,
        quantity=rows.quantity,
        billed=rows.unit_price,
        agreed=rows.agreed,
    )


def _accounts(books: Books, status: str) -> ir.Table:
    rows = books.table("accounts", "crm")
    rows = rows.filter(rows.status == status)
    return owing(rows, amount("250"))


def amount(said: str) -> ir.DecimalValue:
    return ibis.literal(Decimal(said)).cast("decimal(18, 4)")


def owing(rows: ir.Table, owed: ir.Value, known_at: ir.TimestampValue | None = None) -> ir.Table:
    """Accounts as candidates of a check with the arithmetic of OWED."""
    evidence = listed(reference(rows.system, "accounts", rows.key))
    return candidates(rows, "accounts", subject=rows.key, evidence=evidence, known_at=known_at, owed=owed)


def _on_hold(books: Books, _: Params) -> ir.Table:
    return _accounts(books, "on_hold")


def _missing(books: Books, _: Params) -> ir.Table:
    """Customers of the CRM of whom nothing was ever billed, drafts included."""
    rows = books.table("accounts", "crm")
    billed = books.table("invoices", "billing").select(b_account="account_key").distinct()
    rows = rows.anti_join(billed, rows.account_key == billed.b_account)
    return owing(rows, amount("1000"))


def _stale(books: Books, _: Params) -> ir.Table:
    read = books.sources
    rows = read.mutate(due=read.stale_at).cross_join(books.request.select("now"))
    rows = rows.filter(rows.due <= rows.now).group_by("system").agg(key=rows.entity.min())
    rows = rows.mutate(account_key=ibis.null("string"), currency=ibis.null("string"))
    nothing = listed(ibis.null("string"))
    return candidates(rows, "sources", subject=rows.system, evidence=nothing, owed=amount("0"))


OWED: dict[str, Any] = {"arithmetic": Arithmetic.of("owed", "0"), "message": "{key} is not as it should be."}
WRONG_PRICE = check("wrong_price", _wrong_price, negative_kind=MoneyKind.OVERBILL)
ON_HOLD = check("on_hold", _on_hold, scope=Scope.ACCOUNT, kind=MoneyKind.EXPOSURE, needs=(ACCOUNTS,), **OWED)
NEVER_BILLED = check(
    "never_billed",
    _missing,
    scope=Scope.RUN,
    kind=MoneyKind.TIMING,
    needs=(ACCOUNTS, Need("invoices", "billing")),
    **OWED,
)
STALE = check("source_stale", _stale, scope=Scope.RUN, kind=MoneyKind.EXPOSURE, needs=(), **OWED)


def line(id_: str = "L-1", charge: str | None = "C-1", **changes: object) -> dict[str, Any]:
    said = {
        "id": id_,
        "subscription_id": "S-1-v2",
        "charge_id": charge,
        "quantity": "500",
        "unit_price": "40.00",
        "amount": "20000.00",
        "tax": "0.00",
        "period_start": "2026-11-01",
        "period_end": "2026-12-01",
    }
    return {**said, **changes}


def invoice(id_: str = "INV-1", account: str = "ZA-1", *lines: dict[str, Any], **changes: object) -> dict[str, Any]:
    said = {"id": id_, "account_id": account, "currency": "USD", "invoice_date": "2026-11-30", "total": "20000.00"}
    return {**said, "lines": list(lines) or [line(f"{id_}-L")], **changes}


def brills(id_: str = "INV-2") -> dict[str, Any]:
    """An invoice to Brill in which nothing is wrong."""
    seats = line(f"{id_}-L", "C-2", subscription_id="SUB-2", quantity="10", unit_price="100.00", amount="1000.00")
    return invoice(id_, "ZA-2", seats, total="1000.00")


def question(*invoices: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A request about these invoices; `run` and whatever else can be changed."""
    run = {"system": "zuora", "id": "BR-1", "target_date": "2026-11-30"}
    return {"run": run, "mode": "enforce", "invoices": list(invoices), **changes}


class World:
    """An installation over real Delta tables and a real database; `now` is moved by hand."""

    def __init__(self, folder: Path, database: Database, rules: Iterable[Check], **said: object) -> None:
        self.now = NOW
        sources = {
            name: {"connector": "files", "roles": [role], "mapping": name, "freshness_minutes": 60}
            for name, (role, _) in SYSTEMS.items()
        }
        config = parse({"sources": sources, "books": "books", **said}, folder)
        self.installed = Installation(config, clock=lambda: self.now)
        self.installed.database = database
        self.installed.owners = OWNERS
        self.installed.runs = {}
        self.installed.books = Books(config.roles(), {name: frozenset(mapped) for name, (_, mapped) in SYSTEMS.items()})
        self.installed.ruleset = Ruleset(
            rules, self.installed.books, config.overrides(), shelf=CompiledFolder.of_user()
        )
        self.store = self.installed.store

    @property
    def database(self) -> Database:
        return self.installed.database

    def gate(self) -> Gate:
        return open_gate(self.installed)

    def publish(self, rows: Rows | None = None, *, marks: Mapping[str, datetime | str | None] | None = None) -> str:
        """Write rows and publish. A watermark per system is as of now, unless given; a text is why reading failed."""
        write(self.store, rows or {})
        readings = []
        for system, (_, mapped) in SYSTEMS.items():
            mark = (marks or {}).get(system, self.now - MINUTE)
            failure = mark if isinstance(mark, str) else None
            at = self.now - MINUTE if isinstance(mark, str) else mark
            said = {"system": system, "watermark": at.isoformat() if at else None, "failure": failure}
            readings += [{**said, "entity": entity} for entity in mapped]
        id_ = f"snap_{secrets.token_hex(8)}"
        with self.database.session() as session:
            session.add(
                SnapshotRow(
                    id=id_, published_at=self.now, versions=self.store.versions(), readings=readings, mappings={}
                )
            )
        return id_

    def ask(self, body: Mapping[str, Any], key: str | None = None, gate: Gate | None = None) -> dict[str, Any]:
        """Straight to the gate, past HTTP."""
        return (gate or self.gate()).ask(json.dumps(body).encode(), "tests", key or secrets.token_hex(8))

    def key(self, *scopes: str) -> str:
        with self.database.session() as session:
            return create(session, "tests", scopes or SCOPES, self.now)

    def engine(self) -> Engine:
        snapshot = self.installed.ledger.latest()
        assert isinstance(snapshot, Snapshot)
        return Engine.over(self.store, snapshot)

    def can_pull(self, source: RunSource) -> None:
        self.installed.runs = {"zuora": source}


class Pulled:
    """A billing platform that holds one run, or raises what it is given."""

    def __init__(self, answer: DraftRun | Exception) -> None:
        self.answer = answer

    def close(self) -> None:
        """It holds no connection."""

    def pull(self, run_id: str) -> DraftRun:
        del run_id
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


PULL = {"run": {"system": "zuora", "id": "BR-1"}}


def draft_run(price: str = "40.00", total: str = "20000.00", without: str = "") -> DraftRun:
    """The run BR-1 with one draft, I-1, to Acme."""
    stamps: dict[str, object] = {"system": "zuora", "modified_at": NOW, "synced_at": NOW, "deleted": False}
    head = {
        **stamps,
        "key": "I-1",
        "account_id": "ZA-1",
        "number": "INV-1",
        "status": "draft",
        "run_key": "BR-1",
        "currency": "USD",
        "invoice_date": date(2026, 11, 30),
        "total": Decimal(total),
    }
    line = {
        **stamps,
        "key": "L-1",
        "account_id": None,
        "invoice_key": "I-1",
        "line_version_key": "R-1",
        "subscription_line_key": "C-1",
        "quantity": Decimal(500),
        "unit_price": Decimal(price),
        "amount": Decimal("20000.00"),
        "charge_type": "recurring",
        **PERIOD,
    }
    run = {**stamps, "key": "BR-1", "number": "BR-1", "target_date": date(2026, 11, 29)}
    return DraftRun(run, [{name: value for name, value in head.items() if name != without}], [line])


class Caller:
    """A billing platform with an API key, over a socket."""

    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60, verify=TLS)

    def ask(self, body: object, key: str | None = None) -> httpx.Response:
        """`body` as it is when it is bytes, else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Idempotency-Key": key or secrets.token_hex(8), "Content-Type": "application/json"}
        return self.http.post("/v1/prebill/validations", content=content, headers=headers)


@contextmanager
def served(app: FastAPI, key: str) -> Iterator[Caller]:
    with LoopbackServer(app) as server:
        caller = Caller(server.url, key)
        with caller.http:
            yield caller
