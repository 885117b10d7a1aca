"""Books with exactly one state of a flow that failed, or did nothing, and told nobody."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.checks.kit import NOW, Ledger, clean


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def queued(ledger: Ledger | None = None, key: str = "E1", **columns: Any) -> Ledger:
    """An amendment of the clean customer that could not be moved two days ago; the next invoice is a draft."""
    said: dict[str, Any] = {
        "flow": "amendments_to_billing",
        "trace_key": "AM1",
        "object": "Amendment",
        "record_key": "AM1",
        "code": "INVALID_VALUE",
        "message": "Rate plan is not active",
        "status": "open",
        "raised_at": ago(48),
        "last_seen_at": ago(30),
        "modified_at": ago(30),
    }
    ledger = ledger or clean().change("invoices", "INV12", status="draft")
    return ledger.add("integration_errors", "integration", key, **{**said, **columns})


def unowned(ledger: Ledger | None = None, **columns: Any) -> Ledger:
    """The same with an amount of its own."""
    return queued(ledger, **{"amount": Decimal("1200.50"), "currency": "USD", **columns})


def ran(ledger: Ledger, key: str = "R1", **columns: Any) -> Ledger:
    """A run of the same flow that ended well an hour ago."""
    said: dict[str, Any] = {
        "flow": "amendments_to_billing",
        "status": "success",
        "started_at": ago(1.1),
        "finished_at": ago(1),
        "modified_at": ago(1),
    }
    return ledger.add(
        "integration_runs", "integration", key, **{"account_key": None, "account_id": None, **said, **columns}
    )


def mornings(written: dict[int, int], **columns: Any) -> Ledger:
    """A run at six in the morning of each day before today that is named, with so many records of 20.00 each."""
    ledger = clean()
    for days_ago, count in written.items():
        at = (NOW - timedelta(days=days_ago)).replace(hour=6, minute=0)
        said = {"written_count": count, "amount": Decimal(20 * count), "currency": "USD", **columns}
        ran(ledger, f"R{days_ago}", flow="usage_to_billing", started_at=at, finished_at=at, modified_at=at, **said)
    return ledger


def empty_run() -> Ledger:
    """Three good days, then a day on which the source counted 120 records and one was moved."""
    ledger = mornings({4: 100, 3: 110, 2: 120}, source_count=100)
    return ran(ledger, flow="usage_to_billing", written_count=1, source_count=120, started_at=ago(24), trace_key="W48")


def case(ledger: Ledger | None = None, key: str = "EXC-7", **columns: Any) -> Ledger:
    """A case of which the owner has left."""
    said: dict[str, Any] = {
        "number": key,
        "check": "seat_overage_unbilled",
        "fingerprint": f"sha256:{key}",
        "state": "acknowledged",
        "severity": "S2",
        "owner": "tom",
        "owner_active": False,
        "amount": Decimal(4800),
        "currency": "USD",
        "opened_at": ago(80),
        "touched_at": ago(70),
        "untouched_until": ago(-24),
    }
    return (ledger or clean()).add("cases", "controls", key, **{**said, **columns})


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "error_queue_unowned": unowned,
    "error_queue_blocks_invoice": lambda: queued(owner="dana@example.com"),
    "integration_empty_run": empty_run,
    "orphaned_exception": case,
}
