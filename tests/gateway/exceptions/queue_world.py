"""A small company's owners, two checks and their findings, for the tests of the queue."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir

from alerts.channel import Receipt
from alerts.errors import AlertError
from alerts.message import Notice
from books.reading import Books
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Outcome, Owner, Params, Pattern, Scope, Severity, Spans
from checks.findings import Evaluation, Finding, Record, Waiting
from gateway.exceptions.context import Context
from gateway.owners.model import Owners
from gateway.owners.reading import parse

# A Tuesday, 09:30 in New York; the teams of this world work 09:00 to 17:00 there.
NOW = datetime(2026, 12, 1, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def said(**changes: Any) -> dict[str, Any]:
    """owners.yaml as it is read: two teams, one person away, one calendar; `changes` replace whole parts."""
    person = {"timezone": "America/New_York"}
    team = {"channels": ["ops"], "calendar": "east"}
    roles = ("billing_ops", "revops", "finance_ops", "revenue_accounting")
    whole = {
        "version": 1,
        "people": {
            "ann": {**person, "name": "Ann", "email": "ann@example.com"},
            "bob": {**person, "name": "Bob", "email": "bob@example.com"},
            "ida": {**person, "name": "Ida", "email": "ida@example.com"},
            "joe": {**person, "name": "Joe", "email": "joe@example.com"},
            "eve": {**person, "name": "Eve", "email": "eve@example.com"},
        },
        "teams": {
            "billing": {**team, "name": "Billing", "lead": "ann", "members": ["ann", "bob"]},
            "it": {**team, "name": "IT", "lead": "ida", "members": ["ida", "joe"], "channels": ["it"]},
        },
        "roles": {**dict.fromkeys(roles, "billing"), "it": "it"},
        "channels": {
            "ops": {"kind": "email", "address": "ops@example.com"},
            "it": {"kind": "email", "address": "it@example.com"},
        },
        "calendars": {
            "east": [
                {
                    "effective_from": date(2025, 1, 1),
                    "timezone": "America/New_York",
                    "hours": {day: ["09:00-17:00"] for day in _WEEKDAYS},
                }
            ]
        },
        "sla": {
            "S1": {"ack": "1h", "resolve": "8h", "ack_timeout": "2h", "ladder": "quick", "before_cut_off": True},
            "S2": {"ack": "4h", "resolve": "2bd", "ack_timeout": "1bd", "ladder": "calm"},
            "S3": {"ack": "1bd", "resolve": "5bd", "ack_timeout": "2bd", "ladder": "calm"},
            "S4": {"resolve": "15bd", "ladder": "calm"},
        },
        "ladders": {
            "quick": {
                "wall_clock": True,
                "loops": 2,
                "steps": [{"to": "lead", "after": "1h"}, {"to": "person:eve", "after": "1h"}],
            },
            "calm": {"steps": [{"to": "lead", "after": "1bd"}, {"to": "person:eve", "after": "1bd"}]},
        },
        "routes": [{"match": {}}],
    }
    return {**whole, **changes}


def owners(**changes: Any) -> Owners:
    return parse(said(**changes))


def _nothing(_: Books, __: Params) -> ir.Table:
    raise AssertionError("the queue never asks a check")


def check(name: str = "seat_overage_unbilled", **changes: Any) -> Check:
    values: dict[str, Any] = {
        "doc": "Broken.\n\nWhy it matters: Money.\n\nUsual cause: Haste.\n\nHow to fix: Work.\n\nWhat it is not: Luck.",
        "pattern": Pattern.DELIVERED_NOT_BILLED,
        "severity": Severity.S2,
        "owners": (Owner.BILLING_OPS, Owner.IT),
        "mode": Mode.WARN,
        "scope": Scope.ACCOUNT,
        "kind": MoneyKind.LEAK,
        "spans": Spans.ACCOUNT,
        "needs": (),
        "arithmetic": Arithmetic.of("seats * price", "billed"),
        "message": "Seats are used and not billed.",
        "find": _nothing,
    }
    return Check(id=name, **{**values, **changes})


SEATS = check()
STALE = check("source_stale", severity=Severity.S3, owners=(Owner.IT, Owner.IT), pattern=Pattern.SILENT_FAILURES)


def finding(subject: str = "CL-1", *, of: Check = SEATS, amount: str = "900.00", **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "check": of.id,
        "version": of.version,
        "severity": of.severity,
        "mode": of.mode,
        "scope": of.scope,
        "kind": of.kind,
        "owners": of.owners,
        "record": Record("salesforce", "contract_lines", subject),
        "account_key": f"A-{subject}",
        "subject": subject,
        "period": (date(2026, 11, 1), date(2026, 12, 1)),
        "expected": Decimal(amount),
        "actual": Decimal(0),
        "amount": Decimal(amount),
        "currency": "USD",
        "terms": {"seats": Decimal(18), "price": Decimal(50), "billed": Decimal(0)},
        "arithmetic": f"seats × price − billed = 18 × 50 − 0 = {amount}",
        "message": f"18 more seats than licensed were active: {amount} USD.",
        "evidence": (Record("salesforce", "contract_lines", subject), Record("metering", "entitlements", subject)),
        "invoice_key": None,
        "line_key": None,
        "fails_from": NOW - 3 * DAY,
    }
    return Finding(**{**values, **changes})


def failed(*findings: Finding, of: Check = SEATS, waiting: Iterable[Waiting] = ()) -> Evaluation:
    return Evaluation(of, Outcome.FAILED, None, findings, tuple(waiting))


def passed(of: Check = SEATS, waiting: Iterable[Waiting] = ()) -> Evaluation:
    return Evaluation(of, Outcome.PASSED, None, (), tuple(waiting))


def context(data_as_of: datetime, who: Owners | None = None, **changes: Any) -> Context:
    return Context(owners=who or OWNERS, actor="tieout:sweep", data_as_of=data_as_of, **changes)


class Recorder:
    """A channel that keeps what it is given, and first raises the errors that it was told to raise."""

    def __init__(self, *errors: AlertError) -> None:
        self.sent: list[Notice] = []
        self._errors = list(errors)

    def send(self, notice: Notice) -> Receipt:
        if self._errors:
            raise self._errors.pop(0)
        self.sent.append(notice)
        return Receipt(f"r-{len(self.sent)}")


OWNERS = owners()
NAMES: Mapping[str, str] = {"A-CL-1": "Acme"}
