from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.credits.states import credited
from tests.checks.kit import Ledger, ask, findings, only
from tests.checks.ledger import booked, entry

CHECK = "credit_memo_without_revenue_treatment"


def untreated(**columns: Any) -> Ledger:
    """660.00 of a year of which ten months are recognised, 60.00 of them tax; the ledger clears it."""
    said = {"invoice_key": "INVY", "amount": Decimal(660), "tax": Decimal(60), **columns}
    ledger = credited(booked(), **said)
    entry(ledger, "M1", "N-CM1", "receivable", "credit_memo", -660, date(2026, 11, 12))
    return entry(ledger, "M2", "N-CM1", "clearing", "credit_memo", 660, date(2026, 11, 12))


def test_the_recognised_share_of_what_was_credited_without_tax() -> None:
    finding = only(CHECK, untreated())
    assert str(finding.record) == "billing/credit_memos/CM1"
    assert (finding.amount, finding.kind) == (Decimal("500.00"), MoneyKind.EXPOSURE)
    assert "net * recognised / invoiced = 600 × 10,000 ÷ 12,000 = 500" in finding.arithmetic


def test_what_was_earned_at_once_is_recognised() -> None:
    ledger = untreated().change("invoice_lines", "EL1", recognition="point_in_time").remove("revenue_schedules", "R1")
    assert only(CHECK, ledger).amount == Decimal("600.00")


def test_a_memo_of_no_invoice_takes_back_what_was_recognised() -> None:
    assert only(CHECK, untreated(invoice_key=None, contract_key="K1")).amount == Decimal("600.00")


def looks_alike() -> dict[str, Ledger]:
    day = date(2026, 11, 12)
    return {
        "booked against deferred revenue": entry(untreated(), "M3", "N-CM1", "deferred_revenue", "credit_memo", 1, day),
        "booked under the ERP's key": entry(
            credited(untreated(), "E-CM", "erp", billing_key="N-CM1"), "M3", "E-CM", "revenue", "credit_memo", 1, day
        ),
        "with a schedule of its own": untreated().add("revenue_schedules", "erp", "R2", credit_memo_key="CM1"),
        "tax alone": untreated(amount=Decimal(60)),
        "wholly deferred": untreated().change("revenue_schedules", "R1", recognized=Decimal(0)),
        "a draft": untreated(status="draft"),
        "an invoice that the ERP does not have": untreated().remove("invoices", "E1"),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_schedule_that_does_not_say_leaves_it_open() -> None:
    ledger = untreated().change("revenue_schedules", "R1", recognized=None)
    assert ask(CHECK, ledger).outcome is Outcome.NOT_EVALUATED
