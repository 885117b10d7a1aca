"""A small company's queue for the tests of the console: real cases of a real intake, verdicts, a snapshot."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import ibis.expr.types as ir
from fastapi import FastAPI

from books.reading import Books
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Outcome, Owner, Params, Pattern, Scope, Severity, Spans
from checks.findings import Evaluation, Finding, Record
from checks.judging import Bands
from gateway import console
from gateway.api import problems
from gateway.config import parse as parse_config
from gateway.db.session import Database
from gateway.exceptions.context import Context
from gateway.exceptions.queue import Intake, take_in
from gateway.installation import Installation
from gateway.keys.keys import create
from gateway.owners.reading import parse as parse_owners
from gateway.prebill.tables import Validation
from gateway.sync.tables import SnapshotRow
from sandbox.serving import LoopbackServer
from tests.tls import TLS

# A Tuesday, 10:30 in New York, where everybody works from 9 to 17.
NOW = datetime(2026, 12, 1, 15, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

OWNERS = parse_owners(
    {
        "version": 1,
        "people": {
            name: {"name": full, "email": f"{name}@example.com", "timezone": "America/New_York"}
            for name, full in {"ann": "Ann Abara", "bob": "Bob Berger", "ida": "Ida Ito", "joe": "Joe Jara"}.items()
        },
        "teams": {
            "billing": {
                "name": "Billing",
                "lead": "ann",
                "members": ["ann", "bob"],
                "channels": ["mail"],
                "calendar": "ny",
            },
            "it": {"name": "IT", "lead": "ida", "members": ["ida", "joe"], "channels": ["mail"], "calendar": "ny"},
        },
        "roles": {
            "billing_ops": "billing",
            "revops": "billing",
            "finance_ops": "billing",
            "revenue_accounting": "billing",
            "it": "it",
        },
        "channels": {"mail": {"kind": "email", "address": "ops@example.com"}},
        "calendars": {
            "ny": [
                {
                    "effective_from": date(2025, 1, 1),
                    "timezone": "America/New_York",
                    "hours": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
                }
            ]
        },
        "sla": {
            "S1": {"ack": "1h", "resolve": "8h", "ladder": "plain"},
            "S2": {"ack": "4h", "resolve": "2bd", "ladder": "plain"},
            "S3": {"ack": "1bd", "resolve": "5bd", "ladder": "plain"},
            "S4": {"resolve": "15bd", "ladder": "plain"},
        },
        "ladders": {"plain": {"steps": [{"to": "lead", "after": "1bd"}]}},
        "routes": [{"match": {}}],
    }
)


def _nothing(_: Books, __: Params) -> ir.Table:
    raise AssertionError("the console never asks a check")


def check(name: str = "seat_overage_unbilled", **changes: Any) -> Check:
    values: dict[str, Any] = {
        "doc": "Broken.\n\nWhy it matters: Money.\n\nUsual cause: Haste.\n\nHow to fix: Work.\n\nWhat it is not: Luck.",
        "pattern": Pattern.DELIVERED_NOT_BILLED,
        "severity": Severity.S2,
        "owners": (Owner.BILLING_OPS, Owner.IT),
        "mode": Mode.BLOCK,
        "scope": Scope.INVOICE,
        "kind": MoneyKind.LEAK,
        "spans": Spans.ACCOUNT,
        "needs": (),
        "arithmetic": Arithmetic.of("seats * price", "billed"),
        "message": "Seats are used and not billed.",
        "find": _nothing,
    }
    return Check(id=name, **{**values, **changes})


SEATS = check()


def finding(subject: str = "CL-1", amount: str = "900.00", **changes: Any) -> Finding:
    """18 seats too many at 50.00, found on a contract line; the account is A-<subject>."""
    values: dict[str, Any] = {
        "check": SEATS.id,
        "version": 1,
        "severity": Severity.S2,
        "mode": Mode.BLOCK,
        "scope": Scope.INVOICE,
        "kind": MoneyKind.LEAK,
        "owners": (Owner.BILLING_OPS, Owner.IT),
        "record": Record("salesforce", "contract_lines", subject),
        "account_key": f"A-{subject}",
        "subject": subject,
        "period": (date(2026, 11, 1), date(2026, 12, 1)),
        "expected": Decimal(amount) + 20_000,
        "actual": Decimal(20_000),
        "amount": Decimal(amount),
        "currency": "USD",
        "terms": {"seats": Decimal(418), "price": Decimal(50), "billed": Decimal(20_000)},
        "arithmetic": f"expected = seats * price = 418 × 50 = 20,900; amount = 20,900 − 20,000 = {amount}",
        "message": f"18 more seats than licensed were active on {subject}: {amount} USD.",
        "evidence": (
            Record("salesforce", "contract_lines", subject),
            Record("zuora", "subscription_lines", f"SL-{subject}"),
        ),
        "invoice_key": "INV-1",
        "line_key": None,
        "fails_from": NOW - 3 * DAY,
    }
    return Finding(**{**values, **changes})


def _evidence(records: Collection[Record]) -> Mapping[Record, Mapping[str, str]]:
    shared = {"product_code": "SEAT-PRO", "unit_price": "50", "currency": "USD"}
    fields = {
        "salesforce": {**shared, "number": "CL", "quantity": "418", "start_date": "2026-01-01"},
        "zuora": {**shared, "number": "C-7", "quantity": "400", "charged_through": "2026-12-01"},
    }
    return {record: fields.get(record.system, {}) for record in records}


class World:
    """An installation whose clock is moved by hand, over a database of its own."""

    def __init__(
        self, database: Database, folder: Path, public_url: str = "http://127.0.0.1:8080", **policy: str
    ) -> None:
        self.now = NOW
        settings: dict[str, Any] = {
            "public_url": public_url,
            "console": policy or {"access": "open", "act_as": "ann"},
            "sources": {
                name: {"connector": name, "roles": [role], "mapping": f"{name}.yaml"}
                for name, role in {"salesforce": "crm", "zuora": "billing", "netsuite": "erp"}.items()
            },
        }
        self.installed = Installation(parse_config(settings, folder), lambda: self.now)
        self.installed.database = database
        self.installed.owners = OWNERS

    def find(self, *findings: Finding, at: datetime | None = None, of: Check = SEATS) -> Intake:
        """A sweep that found this, at `at`."""
        now = at or self.now
        names = {one.account_key: f"Customer {one.subject}" for one in findings if one.account_key}
        rates = {"EUR": Decimal("1.1"), "JPY": Decimal("0.0065")}
        context = Context(
            owners=OWNERS,
            actor="tieout:sweep",
            data_as_of=now,
            evidence=_evidence,
            names=names,
            bands=Bands(reporting_currency="USD", rates=rates),
        )
        outcome = Outcome.FAILED if findings else Outcome.PASSED
        with self.installed.database.session() as session:
            return take_in(session, [Evaluation(of, outcome, None, findings)], context, now)

    def key(self, name: str, *scopes: str) -> str:
        with self.installed.database.session() as session:
            return create(session, name, scopes or ("exceptions:write",), self.now)

    def publish(self, **watermarks: datetime | None) -> None:
        """A snapshot whose systems were read up to these instants; None for a system that could not be read."""
        readings = [
            {
                "system": system,
                "entity": entity,
                "watermark": watermark.isoformat() if watermark else None,
                "failure": None if watermark else "the password was refused",
            }
            for system, watermark in watermarks.items()
            for entity in ("accounts", "invoices")
        ]
        row = SnapshotRow(
            id="snap_1",
            published_at=self.now,
            versions=self.installed.store.versions(),
            readings=readings,
            mappings={},
            ownership="sha256:0",
        )
        with self.installed.database.session() as session:
            session.add(row)

    def validate(self, invoices: list[dict[str, Any]], **changes: Any) -> str:
        """A verdict that the gate gave now. Returns its id."""
        answer = answered(self.now, invoices, **changes)
        row = Validation(
            id=answer["validation_id"],
            asked_by="key1",
            idempotency_key=answer["validation_id"],
            body_hash="sha256:0",
            run_system=answer["run"]["system"],
            run_id=answer["run"]["id"],
            mode=answer["mode"],
            whole=True,
            verdict=answer["verdict"],
            content_hash=answer["content_hash"],
            snapshot_id=answer["snapshot"],
            evaluated_at=self.now,
            expires_at=datetime.fromisoformat(answer["expires_at"]),
            request=b"{}",
            answer=answer,
        )
        with self.installed.database.session() as session:
            session.add(row)
        return str(answer["validation_id"])

    def application(self) -> FastAPI:
        app = FastAPI()
        app.state.installation = self.installed
        problems.install(app)
        console.mount(app)
        return app

    @contextmanager
    def served(self) -> Iterator[str]:
        """The console on a real port, with the problem documents that it stands before; the URL of its root."""
        with LoopbackServer(self.application()) as server:
            yield server.url


@contextmanager
def browsing(world: World) -> Iterator[httpx.Client]:
    """A client that asks for pages as a browser does, keeps cookies and names its origin."""
    with world.served() as url:
        asking = {"Accept": "text/html", "Origin": url}
        with httpx.Client(base_url=url, headers=asking, timeout=60, verify=TLS) as client:
            yield client


def answered(now: datetime, invoices: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """An answer as the gate keeps it, its counts and verdict taken from the invoices."""
    verdicts = [invoice["verdict"] for invoice in invoices]
    worst = next((one for one in ("block", "warn") if one in verdicts), "pass")
    values: dict[str, Any] = {
        "validation_id": "val_00000000000000000001",
        "run": {"system": "zuora", "id": "BR-00000123", "target_date": "2026-12-01"},
        "mode": "enforce",
        "verdict": worst,
        "proceed": worst != "block",
        "would_proceed": worst != "block",
        "evaluated_at": now.isoformat(),
        "expires_at": (now + HOUR).isoformat(),
        "content_hash": "sha256:" + "c" * 64,
        "ruleset": "sha256:" + "d" * 64,
        "as_of": {"salesforce": (now - HOUR).isoformat(), "netsuite": None},
        "snapshot": "snap_1",
        "counts": {"invoices": len(invoices), **{one: verdicts.count(one) for one in ("pass", "warn", "block")}},
        "amounts": [
            {
                "currency": "USD",
                "billed": "120000.00",
                "held": "20900.00",
                "leak": "900.00",
                "overbill": "0.00",
                "timing": "0.00",
                "exposure": "0.00",
            }
        ],
        "invoices": invoices,
        "run_reasons": [],
        "not_applicable": ["shipped_not_billed"],
    }
    return {**values, **changes}


def invoice(number: int, verdict: str = "pass", *reasons: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"INV-{number}", "account_id": f"A-{number}", "verdict": verdict, "reasons": list(reasons)}


def reason(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "check": "seat_overage_unbilled",
        "outcome": "failed",
        "mode": "block",
        "scope": "invoice",
        "line_id": None,
        "message": "18 more seats than licensed were active.",
        "expected": "20900.00",
        "actual": "20000.00",
        "impact": {"kind": "leak", "amount": "900.00", "currency": "USD"},
        "exception_id": "EXC-1",
    }
    return {**values, **changes}
