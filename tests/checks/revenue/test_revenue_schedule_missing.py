from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Outcome, Severity
from tests.checks.broken import unscheduled_revenue
from tests.checks.kit import NOW, Ledger, ask, findings, only

CHECK = "revenue_schedule_missing"


def test_a_line_that_is_never_recognised() -> None:
    finding = only(CHECK, unscheduled_revenue())
    assert str(finding.record) == "erp/invoice_lines/EL1"
    assert (finding.amount, finding.kind, finding.severity) == (
        Decimal("20000.00"),
        MoneyKind.EXPOSURE,
        Severity.S2,
    )


@pytest.mark.parametrize(
    ("end", "closed", "severity"),
    [
        (date(2026, 12, 1), False, Severity.S1),
        (date(2026, 11, 25), False, Severity.S1),
        (date(2026, 11, 24), False, Severity.S2),
        (date(2026, 12, 1), True, Severity.S2),
        (date(2026, 12, 2), False, Severity.S2),
    ],
)
def test_in_the_week_of_the_close_it_is_most_severe(end: date, closed: bool, severity: Severity) -> None:
    period = {"start_date": end - timedelta(days=30), "end_date": end, "closed": closed}
    ledger = unscheduled_revenue().add("accounting_periods", "erp", "P", account_key=None, **period)
    assert only(CHECK, ledger).severity is severity


def looks_alike() -> dict[str, Ledger]:
    return {
        "scheduled": unscheduled_revenue().add("revenue_schedules", "erp", "R1", invoice_line_key="EL1"),
        "earned at once": unscheduled_revenue(recognition="point_in_time"),
        "never earned": unscheduled_revenue(recognition="none"),
        "void": unscheduled_revenue().change("invoices", "E1", status="void"),
        "a credit": unscheduled_revenue(amount=Decimal(-5)),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


@pytest.mark.parametrize(("age", "outcome"), [(1440, Outcome.FAILED), (1439, Outcome.NOT_EVALUATED)])
def test_a_day_for_the_schedules_to_be_made(age: int, outcome: Outcome) -> None:
    ledger = unscheduled_revenue(modified_at=NOW - timedelta(minutes=age))
    assert ask(CHECK, ledger).outcome is outcome


def test_a_schedule_that_was_deleted_is_none() -> None:
    ledger = unscheduled_revenue().add("revenue_schedules", "erp", "R1", invoice_line_key="EL1", deleted=True)
    assert only(CHECK, ledger).record.key == "EL1"
