"""A published case (tests/data/leakage_case/SOURCE.md): three customers, contracts and invoices, nothing else."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from checks.contract import MoneyKind
from checks.findings import Finding
from tests.checks.kit import EVERYTHING, Ledger, findings, only

CASE = Path(__file__).resolve().parents[1] / "data" / "leakage_case"
NOW = datetime(2025, 10, 31, 12, tzinfo=UTC)
# A customer who gives contracts and invoices, and no subscriptions.
UNMAPPED = tuple(
    ("billing", entity) for entity in ("subscriptions", "subscription_lines", "billing_schedules", "price_tiers")
)
CADENCE = {"Monthly": (1, "advance"), "Quarterly": (3, "arrears"), "Annual": (12, "advance")}


def read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((CASE / f"{name}.json").read_text(), parse_float=Decimal)
    return rows


@cache
def case() -> Ledger:
    """The case in the books. A plan's value is that of twelve months, so its one unit is priced for twelve."""
    ledger = Ledger(changed_at=NOW - timedelta(days=1))
    for plan in read("billing_plans"):
        _plan(ledger, plan)
    for invoice in read("invoices"):
        _invoice(ledger, invoice)
    for memo in read("credit_memos"):
        ledger.add(
            "credit_memos", "billing", memo["memo_id"], invoice_key=memo["invoice_id"], contract_key=memo["plan_id"],
            amount=Decimal(memo["amount"]), currency=memo["currency"], memo_date=_day(memo["issue_date"]),
            status="posted",
        )  # fmt: skip
    for n, rate in enumerate(read("exchange_rates")):
        ledger.add(
            "fx_rates", "reference", str(n), account_key=None, rate_date=_day(rate["date"]), rate=rate["rate"],
            from_currency=rate["from_currency"], to_currency=rate["to_currency"],
        )  # fmt: skip
    return ledger


def _plan(ledger: Ledger, plan: dict[str, Any]) -> None:
    months, timing = CADENCE[plan["cadence"]]
    start = _day(plan["start_date"])
    dates = {"start_date": start, "end_date": start.replace(year=start.year + 1), "account_key": plan["customer_name"]}
    ledger.contract(plan["plan_id"], amends_key=plan.get("amends"), currency=plan["currency"], **dates)
    ledger.contract_line(
        plan["plan_id"], plan["plan_id"], product_code="PLAN", quantity=Decimal(1), price_months=12,
        unit_price=Decimal(plan["total_value"]), billing_months=months, billing_timing=timing,
        currency=plan["currency"], **dates,
    )  # fmt: skip


def _invoice(ledger: Ledger, invoice: dict[str, Any]) -> None:
    plan, account = invoice["plan_id"] or None, invoice["customer_name"]
    line = {"line_version_key": None, "contract_line_key": plan, "product_code": None, "account_key": account}
    ledger.invoice(
        invoice["invoice_id"],
        _day(invoice["issue_date"]),
        {**line, "amount": Decimal(invoice["amount_invoiced"])},
        contract_key=plan,
        currency=invoice["currency"],
        account_key=account,
        due_date=_day(invoice["due_date"]),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def found(check: str) -> tuple[Finding, ...]:
    return findings(check, case(), now=NOW, unmapped=UNMAPPED)


def told(finding: Finding) -> tuple[str, tuple[date | None, date | None], Decimal, MoneyKind]:
    return finding.record.key, finding.period, finding.amount, finding.kind


def test_the_invoices_that_are_missing() -> None:
    assert [told(f) for f in found("missing_expected_invoice")] == [
        # Between the invoices of August and October there is none for September.
        ("C-1001", (date(2025, 9, 1), date(2025, 10, 1)), Decimal("8000.00"), MoneyKind.LEAK),
        # The quarter that began in June was cut by the amendment of July, and its 30 of 92 days were never billed:
        # 90,000 ÷ 4 × 30 ÷ 92.
        ("C-1007", (date(2025, 6, 1), date(2025, 7, 1)), Decimal("7336.96"), MoneyKind.LEAK),
    ]


def test_the_amounts_that_are_not_the_contracts() -> None:
    assert [told(f) for f in found("contract_terms_vs_billing")] == [
        ("I-9110-1", (date(2025, 3, 1), date(2025, 6, 1)), Decimal("2500.00"), MoneyKind.LEAK),
        ("I-9201-1", (date(2025, 1, 15), date(2026, 1, 15)), Decimal("20000.00"), MoneyKind.LEAK),
    ]


def test_the_wrong_currency_was_credited_already() -> None:
    """25,000 EUR × 1.08 = 27,000 USD, less the 2,000 that memo M-300 gave back, is the contract's 25,000."""
    bare = Ledger({**case().rows, "credit_memos": []})
    over = [f for f in findings("contract_terms_vs_billing", bare, now=NOW, unmapped=UNMAPPED) if f.amount == 2000]
    (finding,) = over
    assert (finding.record.key, finding.kind) == ("I-9123-1", MoneyKind.OVERBILL)
    assert finding.terms["rate"] == Decimal("1.08")
    assert (finding.expected, finding.actual) == (Decimal("25000.00"), Decimal("27000.00"))


def test_the_invoice_that_names_no_contract() -> None:
    """It is dated after the day on which we look, and is reported all the same."""
    finding = only("invoice_without_contract_detail", case(), now=NOW, unmapped=UNMAPPED)
    assert told(finding)[0::2] == ("I-9202-1", Decimal("15000.00"))
    assert finding.kind is MoneyKind.EXPOSURE
    assert "contract reference" in finding.message


def test_nothing_else_is_wrong() -> None:
    for check in ("duplicate_invoice_line", "cancelled_still_billing", "invoice_math_error"):
        assert found(check) == ()


def test_every_row_of_the_case_is_in_the_books() -> None:
    assert {entity: len(rows) for entity, rows in case().rows.items()} == {
        "contracts": 4, "contract_lines": 4, "invoices": 13, "invoice_lines": 13, "credit_memos": 1, "fx_rates": 1,
    }  # fmt: skip
    assert set(case().rows) <= EVERYTHING
