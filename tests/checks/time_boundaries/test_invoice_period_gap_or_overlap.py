from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.kit import Ledger, clean, findings, only, seats
from tests.checks.time_boundaries.states import november_from_the_eighth

CHECK = "invoice_period_gap_or_overlap"
A_YEAR = Decimal(240_000)


def test_days_between_two_billed_periods() -> None:
    finding = only(CHECK, november_from_the_eighth())
    assert (str(finding.record), finding.kind) == ("billing/invoice_lines/INV11-1", MoneyKind.LEAK)
    assert finding.period == (date(2026, 11, 1), date(2026, 11, 8))
    assert finding.amount == (A_YEAR * 7 / 365).quantize(Decimal("0.01"))


def december_from(day: int = 25, **columns: Any) -> Ledger:
    """December's draft begins in November, on days that November's invoice holds."""
    amount = Decimal(20_000) + Decimal(20_000) * (31 - day) / 30
    ledger = clean().change(
        "invoice_lines", "INV12-1", **{"period_start": date(2026, 11, day), "amount": amount, **columns}
    )
    return ledger.change("invoices", "INV12", status="draft")


def test_days_that_are_billed_twice_less_what_was_credited() -> None:
    ledger = december_from()
    finding = only(CHECK, ledger)
    assert (str(finding.record), finding.invoice_key) == ("billing/invoice_lines/INV12-1", "INV12")
    assert (finding.kind, finding.period) == (MoneyKind.OVERBILL, (date(2026, 11, 25), date(2026, 12, 1)))
    assert finding.amount == (A_YEAR * 6 / 365).quantize(Decimal("0.01"))
    memo = {"invoice_key": "INV12", "currency": "USD", "memo_date": date(2026, 12, 1)}
    assert findings(CHECK, ledger.add("credit_memos", "billing", "M1", amount=finding.amount, **memo)) == ()


def test_whole_periods_in_a_gap_are_another_checks() -> None:
    ledger = november_from_the_eighth().remove("invoices", "INV10").remove("invoice_lines", "INV10-1")
    ledger.change("invoice_lines", "INV9-1", period_end=date(2026, 9, 21))
    assert [f.period for f in findings(CHECK, ledger)] == [
        (date(2026, 9, 21), date(2026, 10, 1)),
        (date(2026, 11, 1), date(2026, 11, 8)),
    ]


def changed_in_november(*lines: dict[str, Any]) -> Ledger:
    """520 seats since the 16th, and what December's invoice bills for them."""
    middle = date(2026, 11, 16)
    ledger = clean().change("billing_schedules", "SL1", end_date=middle)
    ledger.schedule("SL1b", quantity=Decimal(520), unit_price=Decimal(40), price_months=1, start_date=middle)
    said = [seats(11, period_start=middle, line_version_key="SL1b", **line) for line in lines]
    return ledger.invoice("INVX", date(2026, 12, 1), *said)


def looks_alike() -> dict[str, Ledger]:
    back = {"quantity": Decimal(-500), "amount": Decimal(-10_000), "charge_type": "credit"}
    anew = {"quantity": Decimal(520), "amount": Decimal(10_400)}
    paused = november_from_the_eighth().change("billing_schedules", "SL1", end_date=date(2026, 11, 1))
    paused.schedule("SL1b", quantity=Decimal(500), unit_price=Decimal(40), start_date=date(2026, 11, 8))
    return {
        "nothing between": clean(),
        "a whole period between": clean().remove("invoices", "INV11").remove("invoice_lines", "INV11-1"),
        "the old taken back and the new charged": changed_in_november(back, anew),
        "the difference charged": changed_in_november({"quantity": Decimal(20), "amount": Decimal(400)}),
        "paused in between": paused,
        "free in between": november_from_the_eighth().change("subscription_lines", "SL1", free_until=date(2026, 11, 8)),
        "the same again: a duplicate": clean().invoice("INVX", date(2026, 12, 1), seats(12)),
        "void": december_from().change("invoices", "INV12", status="void"),
        "taken back and never billed again": clean().invoice("INVC", date(2026, 12, 1), {**seats(11), **back,
                                                                                         "amount": Decimal(-20_000)}),
        "a test account": november_from_the_eighth().change_account(is_test=True),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
