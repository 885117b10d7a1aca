from datetime import date
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.kit import Ledger, findings, only
from tests.checks.ledger import booked
from tests.checks.revenue.states import scheduled

CHECK = "revenue_schedule_mismatch"


def test_a_schedule_of_another_amount() -> None:
    finding = only(CHECK, scheduled(amount=Decimal(11_000)))
    assert str(finding.record) == "erp/invoice_lines/EL1"
    assert (finding.amount, finding.kind) == (Decimal("1000.00"), MoneyKind.EXPOSURE)
    assert finding.period == (date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("start", "end", "amount"),
    [
        (date(2026, 2, 1), date(2027, 2, 1), "1019.18"),  # 31 days of 365 are outside
        (date(2026, 1, 1), date(2026, 7, 1), "6049.32"),  # 184 days are left out
        (date(2026, 1, 1), date(2027, 1, 2), "32.79"),  # the last day taken for the first one after it
    ],
)
def test_a_schedule_of_other_days(start: date, end: date, amount: str) -> None:
    assert only(CHECK, scheduled(start_date=start, end_date=end)).amount == Decimal(amount)


def looks_alike() -> dict[str, Ledger]:
    half = {"invoice_line_key": "EL1", "currency": "USD", "start_date": date(2026, 1, 1), "end_date": date(2027, 1, 1)}
    parts = scheduled(amount=Decimal("5999.99"), allocated=None)
    return {
        "as it should be": booked(),
        "allocated by stand-alone prices": scheduled(amount=Decimal(10_500), allocated=Decimal(10_500)),
        "two that round": parts.add("revenue_schedules", "erp", "R2", amount=Decimal(6_000), **half),
        "a credit memo's": booked().add(
            "revenue_schedules", "erp", "R2", amount=Decimal(-600), credit_memo_key="CM1", **half
        ),
        "earned at once": scheduled(amount=Decimal(1)).change("invoice_lines", "EL1", recognition="point_in_time"),
        "no days known": scheduled(start_date=None),
        "void": scheduled(amount=Decimal(1)).change("invoices", "E1", status="void"),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
