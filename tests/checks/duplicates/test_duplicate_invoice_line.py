from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.broken import billed_twice
from tests.checks.kit import Ledger, clean, findings, only, seats

CHECK = "duplicate_invoice_line"


def test_the_later_line_is_the_duplicate() -> None:
    finding = only(CHECK, billed_twice())
    assert str(finding.record) == "billing/invoice_lines/INVX-1"
    assert (finding.amount, finding.kind) == (Decimal("20000.00"), MoneyKind.OVERBILL)
    assert "billing/invoice_lines/INV12-1" in [str(e) for e in finding.evidence]


def test_the_draft_is_the_duplicate_even_when_it_sorts_first() -> None:
    ledger = clean().invoice("AAA", date(2026, 11, 30), seats(12), status="draft")
    assert only(CHECK, ledger).record.key == "AAA-1"


def test_each_further_line_is_a_finding_of_its_own() -> None:
    ledger = billed_twice().invoice("INVY", date(2026, 12, 2), seats(12), status="draft")
    assert [(f.record.key, f.subject) for f in findings(CHECK, ledger)] == [("INVX-1", "SL1"), ("INVY-1", "SL1/2")]


def again(**columns: Any) -> Ledger:
    return clean().invoice("INVX", date(2026, 12, 1), seats(12, **columns))


def looks_alike() -> dict[str, Ledger]:
    back = seats(12, quantity=Decimal(-500), amount=Decimal(-20_000))
    other = clean().subscription_line("SL2", line="CL2")
    return {
        "taken back and billed again": clean().invoice("INVX", date(2026, 12, 2), back, seats(12)),
        "billed again and then taken back": billed_twice().invoice("INVY", date(2026, 12, 3), back),
        "another line of the same product": other.invoice("INVX", date(2026, 12, 1), seats(12, line_version_key="SL2")),
        "another amount: what was added": again(quantity=Decimal(10), amount=Decimal(400)),
        "another charge": again(charge_type="one_time"),
        "of another period": again(period_start=date(2026, 12, 16)),
        "void": billed_twice().change("invoices", "INVX", status="void"),
        "by hand, naming nothing": clean()
        .invoice("INVX", date(2026, 12, 1), seats(12, line_version_key=None))
        .invoice("INVY", date(2026, 12, 1), seats(12, line_version_key=None)),
        "credited": billed_twice().add(
            "credit_memos", "billing", "M1", invoice_key="INVX", amount=Decimal(20_000), currency="USD",
            memo_date=date(2026, 12, 1),
        ),
        "credited and billed again": billed_twice().add(
            "credit_memos", "billing", "M1", invoice_key="INV12", rebill_key="INVX", amount=Decimal(20_000),
            currency="USD", memo_date=date(2026, 12, 1),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


@pytest.mark.parametrize(("credit", "count"), [("19999.99", 0), ("19999.98", 1)])
def test_exactly_one_cent_is_tolerated(credit: str, count: int) -> None:
    memo = {"invoice_key": "INVX", "amount": Decimal(credit), "currency": "USD", "memo_date": date(2026, 12, 1)}
    assert len(findings(CHECK, billed_twice().add("credit_memos", "billing", "M1", **memo))) == count


def test_a_line_that_names_an_older_schedule_is_of_the_same_line() -> None:
    ledger = clean().schedule("SL1-2", quantity=Decimal(500), start_date=date(2026, 12, 1))
    ledger.invoice("INVX", date(2026, 12, 1), seats(12, line_version_key="SL1-2"), status="draft")
    assert only(CHECK, ledger).record.key == "INVX-1"
