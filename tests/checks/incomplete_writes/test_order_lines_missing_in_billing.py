from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.broken import amended, unsold_line, won
from tests.checks.kit import Ledger, ask, clean, findings, only

CHECK = "order_lines_missing_in_billing"


def test_a_line_without_counterpart_leaks_for_every_period_since_its_start() -> None:
    finding = only(CHECK, unsold_line())
    assert str(finding.record) == "crm/contract_lines/CL2"
    # 450 a month in advance, twelve months begun.
    assert (finding.amount, finding.kind) == (Decimal("5400.00"), MoneyKind.LEAK)


def test_in_arrears_only_the_periods_that_have_ended_count() -> None:
    ledger = unsold_line().change("contract_lines", "CL2", billing_timing="arrears")
    assert only(CHECK, ledger).amount == Decimal("4950.00")


def test_another_quantity_is_a_finding_either_way() -> None:
    ledger = clean().change("billing_schedules", "SL1", quantity=Decimal(490))
    assert (only(CHECK, ledger).kind, only(CHECK, ledger).amount) == (MoneyKind.LEAK, Decimal("4800.00"))
    ledger = clean().change("billing_schedules", "SL1", quantity=Decimal(510))
    assert (only(CHECK, ledger).kind, only(CHECK, ledger).amount) == (MoneyKind.OVERBILL, Decimal("4800.00"))


def test_a_price_per_year_is_compared_with_one_per_month() -> None:
    ledger = clean().change("billing_schedules", "SL1", unit_price=Decimal(480), price_months=12)
    assert findings(CHECK, ledger) == ()


@pytest.mark.parametrize(("more", "count"), [("0.0000008", 0), ("0.000002", 0), ("0.0000025", 1)])
def test_exactly_one_cent_is_tolerated(more: str, count: int) -> None:
    """A year of 500 seats comes to 0.0048, 0.012 and 0.015 more: less than a cent, a cent, and two when rounded."""
    ledger = clean().change("billing_schedules", "SL1", unit_price=40 + Decimal(more))
    assert len(findings(CHECK, ledger)) == count


def bundle(component_billed: bool = False) -> Ledger:
    """A suite whose component is billed with it: 60 + 18 a seat."""
    ledger = Ledger().account().contract()
    ledger.add("products", "crm", "P2", account_key=None, code="PART", rollup_code="SUITE")
    ledger.contract_line("CL1", product_code="SUITE", quantity=Decimal(10), unit_price=Decimal(60))
    ledger.contract_line("CL2", product_code="PART", quantity=Decimal(10), unit_price=Decimal(18))
    ledger.subscription()
    if component_billed:
        ledger.subscription_line("SL2", line="CL2", product_code="PART", quantity=Decimal(10), unit_price=Decimal(18))
    price = Decimal(60) if component_billed else Decimal(78)
    return ledger.subscription_line(product_code="SUITE", quantity=Decimal(10), unit_price=price)


def looks_alike() -> dict[str, Ledger]:
    return {
        "a bundle billed under its parent": bundle(),
        "a component billed by itself": bundle(component_billed=True),
        "a free part": clean().contract_line("CL2", product_code="MOBILE", unit_price=Decimal(0)),
        "not billable": unsold_line().change("contract_lines", "CL2", billable=False),
        "two lines merged into one": clean()
        .contract_line("CL2", quantity=Decimal(20))
        .change("billing_schedules", "SL1", quantity=Decimal(520)),
        "an amendment that billing does not know": amended(),
        "a line that such an amendment added": amended().contract_line("CL3", quote_line_key="QL1", product_code="X"),
        "terminated": unsold_line().change("contract_lines", "CL2", terminated_date=date(2026, 6, 1)),
        "a draft contract": clean().contract("K2", status="draft").contract_line("CL2", "K2"),
        "a won contract that billing does not know at all": won(),
        "metered, and set up": clean()
        .contract_line("CL2", product_code="API", charge_type="usage", quantity=None, unit_price=Decimal("0.004"))
        .subscription_line("SL2", line="CL2", product_code="API", charge_type="usage", quantity=None),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_line_that_begins_later_is_a_wake_up() -> None:
    ledger = unsold_line().change("contract_lines", "CL2", start_date=date(2026, 12, 15))
    assert ask(CHECK, ledger).wake_ups == (datetime(2026, 12, 15, tzinfo=UTC),)


def test_another_currency_without_a_rate_is_left_unjudged() -> None:
    ledger = clean().change("subscription_lines", "SL1", currency="EUR")
    (waiting,) = ask(CHECK, ledger).waiting
    assert "billed_yearly" in waiting.reason
    rate = {"from_currency": "EUR", "to_currency": "USD", "rate_date": date(2026, 11, 20), "rate": Decimal("1.08")}
    ledger.add("fx_rates", "reference", "1", account_key=None, **rate)
    assert only(CHECK, ledger).kind is MoneyKind.OVERBILL
