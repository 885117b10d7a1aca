from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.broken import in_erp, unsettled
from tests.checks.kit import NOW, Ledger, ask, clean, findings, only

CHECK = "invoice_not_in_erp"


def test_an_invoice_that_did_not_arrive() -> None:
    finding = only(CHECK, unsettled(in_erp()))
    assert str(finding.record) == "billing/invoices/INV10"
    assert (finding.amount, finding.kind) == (Decimal("20000.00"), MoneyKind.EXPOSURE)


@pytest.mark.parametrize(("there", "count"), [("20000", 0), ("19999.99", 0), ("19999.98", 1), ("20000.02", 1)])
def test_another_total(there: str, count: int) -> None:
    found = findings(CHECK, in_erp().change("invoices", "E-INV10", total=Decimal(there)))
    assert [f.amount for f in found] == [Decimal("0.02")] * count


def test_an_invoice_that_was_voided_there() -> None:
    assert only(CHECK, in_erp().change("invoices", "E-INV10", status="void")).amount == Decimal("20000.00")


def test_a_day_for_the_transfer() -> None:
    """Posted within the last day: nobody can say yet that it is missing."""
    ledger = in_erp().remove("invoices", "E-INV12")
    evaluation = ask(CHECK, ledger)
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert [w.record.key for w in evaluation.waiting] == ["INV12"]
    posted = datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert only(CHECK, ledger, now=posted + timedelta(days=1)).record.key == "INV12"
    assert ask(CHECK, ledger, now=posted + timedelta(days=1, seconds=-1)).findings == ()


def looks_alike() -> dict[str, Ledger]:
    return {
        "transferred": in_erp(),
        "a draft": in_erp(clean().change("invoices", "INV12", status="draft")).remove("invoices", "E-INV12"),
        "void in both": unsettled(in_erp()).change("invoices", "INV10", status="void"),
        "in two parts": in_erp()
        .change("invoices", "E-INV10", total=Decimal(12_000))
        .add("invoices", "erp", "E-B", billing_key="INV10", status="posted", total=Decimal(8_000), currency="USD"),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_in_another_currency() -> None:
    ledger = in_erp().change("invoices", "E-INV10", currency="EUR", total=Decimal("18518.52"))
    evaluation = ask(CHECK, ledger)
    assert [w.record.key for w in evaluation.waiting] == ["INV10"]
    rate = {"from_currency": "EUR", "to_currency": "USD", "rate_date": NOW.date().replace(month=9, day=20)}
    ledger.add("fx_rates", "reference", "1", account_key=None, rate=Decimal("1.08"), **rate)
    assert findings(CHECK, ledger) == ()
