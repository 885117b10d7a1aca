"""Books with one broken state of agreed terms each."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean

RISE = date(2026, 10, 1)


def uplifted(billed: str = "20000", **columns: Any) -> Ledger:
    """The seats cost 5 % more from October on: 42.00. December's draft bills `billed`."""
    said = {"uplift_rate": Decimal("0.05"), "uplift_from": RISE, "uplift_months": 12, **columns}
    ledger = clean().change("contract_lines", "CL1", **said)
    for month in (10, 11):
        ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(21_000), unit_price=Decimal(42))
    price = Decimal(billed) / 500
    return ledger.change("invoice_lines", "INV12-1", amount=Decimal(billed), unit_price=price)


def ramped(quantity: int = 500, price: str = "40") -> Ledger:
    """500 seats at 40.00, from October on 600 at 44.00. December's invoice bills `quantity` at `price`."""
    ledger = clean().change("contract_lines", "CL1", segment_key="R1", segment=1, end_date=RISE)
    ledger.contract_line(
        "CL2", segment_key="R1", segment=2, start_date=RISE, quantity=Decimal(600), unit_price=Decimal(44)
    )
    for month in (10, 11):
        ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(26_400), quantity=Decimal(600))
    amount = quantity * Decimal(price)
    return ledger.change("invoice_lines", "INV12-1", amount=amount, quantity=Decimal(quantity))


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "missed_uplift": uplifted,
    "ramp_step_missed": ramped,
}
