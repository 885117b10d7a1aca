from datetime import date
from decimal import Decimal

import pytest

from tests.checks.agreed_terms.states import RISE, ramped
from tests.checks.kit import findings, only

CHECK = "ramp_step_missed"


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "stale"),
    [(500, "40", "6400", "quantity and price"), (600, "40", "2400", "price"), (500, "44", "4400", "quantity")],
)
def test_what_was_not_taken_is_named_and_priced(quantity: int, price: str, amount: str, stale: str) -> None:
    finding = only(CHECK, ramped(quantity, price))
    assert (finding.amount, finding.expected) == (Decimal(amount), Decimal(26_400))
    assert f"at the {stale} of an earlier one" in finding.message
    assert findings("contract_terms_vs_billing", ramped(quantity, price)) == ()


def test_another_difference_is_not_a_step() -> None:
    assert findings(CHECK, ramped(550, "44")) == ()
    assert only("contract_terms_vs_billing", ramped(550, "44")).amount == Decimal(2_200)


def test_a_step_taken_or_moved_is_none() -> None:
    assert findings(CHECK, ramped(600, "44")) == ()
    later = date(2027, 1, 1)
    moved = ramped().contract_line("CL2-A", revises_key="CL2", quantity=Decimal(-600), unit_price=Decimal(44),
                                   start_date=RISE, end_date=later)  # fmt: skip
    moved.contract_line("CL2-B", revises_key="CL2", quantity=Decimal(500), start_date=RISE, end_date=later)
    for month in (10, 11):
        moved.change("invoice_lines", f"INV{month}-1", amount=Decimal(20_000))
    assert findings(CHECK, moved) == ()
    assert findings("contract_terms_vs_billing", moved) == ()


def test_a_step_with_a_line_of_its_own_stands_for_itself() -> None:
    """Two lines in billing: the first step still bills, which is another matter."""
    ledger = ramped().subscription_line(
        "SL2", line="CL2", quantity=Decimal(600), unit_price=Decimal(44), start_date=RISE
    )
    assert findings(CHECK, ledger) == ()
