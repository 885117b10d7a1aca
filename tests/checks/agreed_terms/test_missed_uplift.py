from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.agreed_terms.states import RISE, uplifted
from tests.checks.kit import Ledger, findings, only

CHECK = "missed_uplift"


def test_the_old_price_is_a_leak_of_the_rise() -> None:
    finding = only(CHECK, uplifted())
    assert str(finding.record) == "billing/invoice_lines/INV12-1"
    assert (finding.amount, finding.kind, finding.mode) == (Decimal("1000.00"), MoneyKind.LEAK, "block")
    assert (finding.expected, finding.terms["unit_price"]) == (Decimal("21000.00"), Decimal(42))


def test_only_one_check_names_it() -> None:
    assert findings("contract_terms_vs_billing", uplifted()) == ()
    assert findings("order_lines_missing_in_billing", uplifted()) == ()
    assert findings(CHECK, uplifted("20500")) == ()
    assert only("contract_terms_vs_billing", uplifted("20500")).amount == Decimal("500.00")


def test_rises_build_on_each_other_and_are_rounded_as_prices_are() -> None:
    """40.00, then 42.00 from November and 44.10 from December."""
    monthly = uplifted("21000", uplift_from=date(2026, 11, 1), uplift_months=1)
    monthly.change("invoice_lines", "INV10-1", amount=Decimal(20_000))
    finding = only(CHECK, monthly)
    assert (finding.expected, finding.amount) == (Decimal("22050.00"), Decimal("1050.00"))
    assert "rose on 2026-12-01" in finding.message
    assert only(CHECK, monthly.change("invoice_lines", "INV12-1", amount=Decimal(20_000))).amount == Decimal("2050.00")


def test_a_rise_within_a_period_counts_its_days() -> None:
    """16 of 31 days of December at 42.00; a month in advance is settled with the next invoice."""
    ledger = uplifted(uplift_from=date(2026, 12, 16))
    for month in (10, 11):
        ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(20_000))
    finding = only(CHECK, ledger, now=datetime(2027, 1, 2, tzinfo=UTC), target=date(2026, 12, 31))
    assert finding.amount == Decimal("516.13")


def looks_alike() -> dict[str, Ledger]:
    unknown = uplifted(uplift_index="CPI-U")
    known = uplifted(uplift_index="CPI-U", uplift_known_on=date(2027, 1, 1))
    for ledger in (unknown, known):
        for month in (10, 11):
            ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(20_000))
    waived = uplifted(uplift_waived=True)
    for month in (10, 11):
        waived.change("invoice_lines", f"INV{month}-1", amount=Decimal(20_000))
    # Swapped for a row with a price of its own from the day of the rise: 40.00 again.
    swapped = uplifted()
    swapped.contract_line("CL1-A", revises_key="CL1", quantity=Decimal(-500), unit_price=None, start_date=RISE)
    swapped.contract_line("CL1-B", revises_key="CL1", quantity=Decimal(500), start_date=RISE)
    for month in (10, 11):
        swapped.change("invoice_lines", f"INV{month}-1", amount=Decimal(20_000))
    capped = uplifted("20600", uplift_rate=Decimal("0.08"), uplift_index="CPI-U", uplift_known_on=RISE,
                      uplift_cap=Decimal("0.03"))  # fmt: skip
    for month in (10, 11):
        capped.change("invoice_lines", f"INV{month}-1", amount=Decimal(20_600))
    return {
        "billed at the new price": uplifted("21000"),
        "an index whose rate is not fixed": unknown,
        "an index whose rate is fixed next month": known,
        "waived": waived,
        "replaced by an amendment": swapped,
        "capped": capped,
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
    assert findings("contract_terms_vs_billing", looks_alike()[name]) == ()
