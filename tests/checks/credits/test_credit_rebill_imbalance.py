from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.credits.states import credited, rebilled
from tests.checks.kit import Ledger, clean, findings, only

CHECK = "credit_rebill_imbalance"
PROMISED: dict[str, Any] = {"amount": Decimal(20_000), "reason_code": "credit_and_rebill"}


def test_less_was_billed_again_than_credited() -> None:
    finding = only(CHECK, rebilled())
    assert str(finding.record) == "billing/credit_memos/CM1"
    assert (finding.amount, finding.kind, finding.currency) == (Decimal("5000.00"), MoneyKind.LEAK, "USD")


def test_two_memos_of_one_second_invoice_count_together() -> None:
    ledger = credited(rebilled(20_000), "CM2", amount=Decimal(500), rebill_key="INVR")
    assert only(CHECK, ledger).amount == Decimal("500.00")


@pytest.mark.parametrize(("day", "found"), [(date(2026, 11, 26), True), (date(2026, 11, 27), False)])
def test_a_second_invoice_that_was_promised_has_five_days(day: date, found: bool) -> None:
    amounts = [finding.amount for finding in findings(CHECK, credited(memo_date=day, **PROMISED))]
    assert amounts == ([Decimal("20000.00")] if found else [])


def test_a_second_invoice_that_is_void_asks_for_nothing() -> None:
    assert only(CHECK, rebilled(20_000).change("invoices", "INVR", status="void")).amount == Decimal("20000.00")


def looks_alike() -> dict[str, Ledger]:
    return {
        "all of it again": rebilled(20_000),
        "more of it": rebilled(20_001),
        "a part on purpose": rebilled(reason_code="partial_rebill"),
        "by number": rebilled(20_000, rebill_key="INVR").change("invoices", "INVR", number="INV-R"),
        "a plain credit": credited(clean()),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
