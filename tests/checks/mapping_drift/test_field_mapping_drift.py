from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, Severity
from tests.checks.kit import NOW, Ledger, findings, only

CHECK = "field_mapping_drift"
Made = Callable[[int], dict[str, Any]]


def lines(before: Made, now: Made, count: int = 60) -> Ledger:
    """So many invoice lines of 10.00 a month ago and yesterday, each with what the function says of it."""
    ledger = Ledger()
    for age, made in ((30, before), (1, now)):
        for n in range(count):
            said: dict[str, Any] = {"name": "Seats", "tax_code": "US-NY", "amount": Decimal(10), "currency": "USD"}
            ledger.add(
                "invoice_lines", "billing", f"L{age}-{n:03}", modified_at=NOW - timedelta(days=age),
                account_key=None, account_id=None, **{**said, **made(n)},
            )  # fmt: skip
    return ledger


def same(_: int) -> dict[str, Any]:
    return {}


def emptied(share: int) -> Made:
    """Every so many hundredths without a tax code, of 60 records."""
    return lambda n: {"tax_code": None} if n * 100 < share * 60 else {}


def test_a_field_that_is_empty_more_often_is_worth_its_empty_records() -> None:
    finding = only(CHECK, lines(same, emptied(50)))
    assert (finding.record.key, finding.subject) == ("L1-000", "invoice_lines.tax_code/empty")
    assert finding.amount == 300
    assert (finding.severity, finding.mode) == (Severity.S2, Mode.WARN)
    assert "tax_code of the invoice_lines of billing is empty in 50 % of the records and was in 0 %" in finding.message
    assert len(finding.evidence) == 20


@pytest.mark.parametrize(
    "ledger",
    [
        lines(same, same),
        lines(emptied(50), emptied(55)),
        lines(emptied(50), same),
        lines(same, emptied(50), count=39),
        lines(same, lambda n: {"name": "Chairs"} if n < 4 else {}),
    ],
    ids=["nothing", "chance", "filled up", "too few", "a typing mistake"],
)
def test_what_is_no_drift(ledger: Ledger) -> None:
    assert findings(CHECK, ledger) == ()


def test_a_new_value_of_a_set_is_worth_its_records() -> None:
    finding = only(CHECK, lines(same, lambda n: {"name": "Chairs", "currency": "EUR"} if n < 5 else {}).add(
        "fx_rates", "reference", "R", from_currency="EUR", to_currency="USD", rate=Decimal("1.1"),
        rate_date=date(2026, 12, 1),
    ))  # fmt: skip
    assert (finding.amount, finding.currency) == (Decimal("55.00"), "USD")
    assert "has values that it did not have, such as Chairs" in finding.message
    assert findings(CHECK, lines(lambda n: {"name": f"Seats {n}"}, lambda _: {"name": "Chairs"})) == ()


def repriced(price: str) -> Ledger:
    """Forty contract lines of 2 × 40.00 of last month, and forty of yesterday at another price."""
    ledger = Ledger()
    for n in range(80):
        age, said = (30, "40") if n < 40 else (1, price)
        ledger.add(
            "contract_lines", "crm", f"C{n}", unit_price=Decimal(said), quantity=Decimal(2), currency="USD",
            charge_type="recurring", modified_at=NOW - timedelta(days=age), account_key=None, account_id=None,
        )  # fmt: skip
    return ledger


@pytest.mark.parametrize(("price", "count"), [("799.99", 0), ("800", 1), ("2", 1)])
def test_a_number_that_has_grown_many_times_has_perhaps_another_unit(price: str, count: int) -> None:
    assert [finding.amount for finding in findings(CHECK, repriced(price))] == [Decimal(price) * 80] * count


def test_the_change_calendar_explains_it() -> None:
    ledger = lines(same, emptied(50)).add(
        "approvals", "audit", "P1", object="invoice_lines", record_key="tax_code", kind="launch", status="approved",
        decided_at=NOW - timedelta(days=20), account_key=None, account_id=None,
    )  # fmt: skip
    assert findings(CHECK, ledger) == ()
    assert len(findings(CHECK, ledger.change("approvals", "P1", until_date=date(2026, 12, 1)))) == 1


BROKEN: dict[str, Callable[[], Ledger]] = {CHECK: lambda: repriced("4000")}
