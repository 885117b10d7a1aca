from datetime import date
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.broken_links.states import replaced
from tests.checks.kit import Ledger, findings, only, seats

CHECK = "invoice_schedule_version_mismatch"


def test_the_difference_of_the_versions_is_missing() -> None:
    """50 seats × 40.00."""
    finding = only(CHECK, replaced())
    assert (str(finding.record), finding.amount) == ("billing/invoice_lines/INV12-1", Decimal(2_000))
    assert "by version 1 of its schedule, version 2 is in force" in finding.message
    assert only(CHECK, replaced(quantity=Decimal(450))).kind is MoneyKind.OVERBILL


def test_a_line_may_name_the_version_alone() -> None:
    ledger = replaced()
    ledger.change("invoice_lines", "INV12-1", line_version_key=None, subscription_line_key="SL1", schedule_version=1)
    assert only(CHECK, ledger).amount == Decimal(2_000)


def credited() -> Ledger:
    """Credited in full and billed anew."""
    back = seats(12, charge_type="credit", amount=Decimal(-20_000))
    anew = seats(12, line_version_key="SL1-2", quantity=Decimal(550), amount=Decimal(22_000))
    return replaced().invoice("INVC", date(2026, 12, 1), back, anew)


def looks_alike() -> dict[str, Ledger]:
    within = replaced().change("billing_schedules", "SL1", end_date=date(2026, 12, 10))
    within.change("billing_schedules", "SL1-2", start_date=date(2026, 12, 10))
    late = replaced().change("invoice_lines", "INV12-1", line_version_key="SL1-2")
    late.invoice("INVL", date(2026, 12, 1), seats(11))
    return {
        "the version in force": replaced().change("invoice_lines", "INV12-1", line_version_key="SL1-2"),
        "credited and billed anew": credited(),
        "a change within the period": within,
        "an old period issued again": late,
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_the_terms_do_not_report_it_again() -> None:
    ledger = replaced().contract_line("CL1-A", revises_key="CL1", quantity=Decimal(50), start_date=date(2026, 12, 1))
    assert only(CHECK, ledger).amount == Decimal(2_000)
    assert findings("contract_terms_vs_billing", ledger) == ()
