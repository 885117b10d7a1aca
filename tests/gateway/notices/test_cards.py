"""Words and numbers on a card."""

from decimal import Decimal

import pytest

from gateway.notices.cards import money, title


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("9350.0000", "USD", "9,350.00 USD"),
        ("1200", "JPY", "1,200 JPY"),
        ("1.5", "BHD", "1.500 BHD"),
        ("518.0000", None, "518"),
        ("0", None, "0"),
        ("1000000000000", "JPY", "1,000,000,000,000 JPY"),
    ],
)
def test_money(amount: str, currency: str | None, shown: str) -> None:
    assert money(Decimal(amount), currency) == shown


def test_title() -> None:
    assert title("seat_overage_unbilled") == "Seat overage unbilled"
