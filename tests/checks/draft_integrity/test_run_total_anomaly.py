"""The total of a run against the band that its schedule and its history explain."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, MoneyKind
from tests.checks.draft_integrity.states import banded, slipped
from tests.checks.kit import clean, findings, only, seats

CHECK = "run_total_anomaly"


def test_a_slip_of_three_zeros_is_the_deviation_from_schedule_and_forecast() -> None:
    found = only(CHECK, slipped())
    assert (found.expected, found.actual, found.amount) == (Decimal(20_100), Decimal(1_270_000), Decimal(1_249_900))
    assert (found.kind, found.mode, found.invoice_key) == (MoneyKind.EXPOSURE, Mode.BLOCK, "INV12")
    assert found.confidence == Decimal("0.99")


@pytest.mark.parametrize(
    ("typed", "mode"),
    [("5100", None), ("5100.01", Mode.WARN), ("15100", Mode.WARN), ("15100.01", Mode.BLOCK), ("-4900.01", Mode.WARN)],
)
def test_the_band_is_a_quarter_of_the_schedule_and_one_width_beyond_it_blocks(typed: str, mode: Mode | None) -> None:
    assert [f.mode for f in findings(CHECK, slipped(typed))] == ([mode] if mode else [])


def test_what_falls_due_on_the_day_is_expected_in_full() -> None:
    """A year in advance, a thousand times what the day usually has."""
    year = {"billing_months": 12, "price_months": 12, "unit_price": Decimal(9_000_000), "quantity": Decimal(1)}
    term = {"start_date": date(2026, 12, 1), "end_date": date(2027, 12, 1)}
    ledger = clean().contract("K2", **term).contract_line("CL2", "K2", **year, **term)
    ledger.subscription("S2", "K2", **term).subscription_line("SL2", subscription="S2", line="CL2", **year, **term)
    line = seats(12, amount=Decimal(9_000_000), line_version_key="SL2", period_end=term["end_date"])
    ledger.invoice("INV-Y", date(2026, 12, 1), line, status="draft")
    assert findings(CHECK, banded(ledger)) == ()


@pytest.mark.parametrize("other", [{"currency": "EUR"}, {"subject": "other"}, {"period_start": date(2026, 12, 2)}])
def test_a_day_without_a_band_of_its_own_is_not_judged(other: dict[str, Any]) -> None:
    ledger = slipped().remove("expected_bands", "B1")
    assert findings(CHECK, banded(ledger, **other)) == ()
