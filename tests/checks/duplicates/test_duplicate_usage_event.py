from datetime import UTC, datetime
from decimal import Decimal

import pytest

from checks.contract import Mode, MoneyKind
from tests.checks.broken import event, metered, repeated_event
from tests.checks.kit import Ledger, findings, only

CHECK = "duplicate_usage_event"


def test_one_id_twice_is_certain() -> None:
    finding = only(CHECK, repeated_event())
    assert str(finding.record) == "usage/usage_events/E2"
    assert (finding.amount, finding.kind, finding.mode) == (Decimal("20.00"), MoneyKind.OVERBILL, Mode.BLOCK)
    assert [str(e) for e in finding.evidence] == ["usage/usage_events/E1", "usage/usage_events/E2"]
    assert (finding.confidence, finding.confidence_reasons) == (Decimal(1), ("rows joined by declared keys",))


def test_three_times_is_one_finding_of_two_too_many() -> None:
    later = datetime(2026, 11, 5, 14, tzinfo=UTC)
    ledger = event(repeated_event(), "E3", event_id="same", quantity=Decimal(5000), received_at=later)
    finding = only(CHECK, ledger)
    assert (finding.record.key, finding.terms["repeated"]) == ("E3", Decimal(10_000))


def alike(**columns: object) -> Ledger:
    """Equal content under two ids."""
    return event(event(metered(), "E1"), "E2", **{"batch": "b2", **columns})


def test_equal_content_from_two_batches_is_suspected() -> None:
    finding = only(CHECK, alike())
    assert finding.mode is Mode.MONITOR
    assert "look the same" in finding.message
    reason = "meter, subject, time and quantity are the same, and the event ids are not"
    assert (finding.confidence, finding.confidence_reasons) == (Decimal("0.8"), (reason,))


def test_an_id_that_repeats_is_reported_once() -> None:
    later = datetime(2026, 11, 5, 14, tzinfo=UTC)
    ledger = event(alike(), "E3", event_id="id-E1", received_at=later)
    assert [(f.record.key, f.mode) for f in findings(CHECK, ledger)] == [("E3", Mode.WARN)] * 0 + [("E3", Mode.BLOCK)]


@pytest.mark.parametrize(("quantity", "mode"), [(250, Mode.WARN), (251, Mode.BLOCK)])
def test_a_cent_does_not_stop_a_run(quantity: int, mode: Mode) -> None:
    ledger = repeated_event()
    for key in ("E1", "E2"):
        ledger.change("usage_events", key, quantity=Decimal(quantity))
    assert only(CHECK, ledger).mode is mode


def looks_alike() -> dict[str, Ledger]:
    return {
        "one second later": alike(happened_at=datetime(2026, 11, 5, 12, 0, 1, tzinfo=UTC)),
        "of another subject": alike(subject="tenant-2"),
        "another quantity": alike(quantity=Decimal(1001)),
        "in one batch": alike(batch="b1"),
        "tests": alike(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
