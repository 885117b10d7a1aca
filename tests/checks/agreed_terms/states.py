"""Books with one broken state of agreed terms each."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean, seats

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


def discounted(billed: str = "18000", **columns: Any) -> Ledger:
    """10 % off the seats from July to September, as a promotion. December's invoice bills `billed`."""
    said: dict[str, Any] = {
        "name": "Summer",
        "contract_line_key": "CL1",
        "rate": Decimal("0.1"),
        "start_date": date(2026, 7, 1),
        "end_date": RISE,
        "currency": "USD",
        **columns,
    }
    ledger = clean().add("discounts", "crm", "D1", **said)
    for month in (7, 8, 9):
        ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(18_000))
    return ledger.change("invoice_lines", "INV12-1", amount=Decimal(billed))


def stacked(first: int = 4_000, second: int = 2_000, **columns: Any) -> Ledger:
    """December: 20 % and 10 % off at once, both granted; the policy allows 25 % together."""
    ledger = clean()
    for n, (name, amount) in enumerate((("Partner", first), ("Winter", second)), 2):
        ledger.add(
            "discounts", "crm", f"D{n}", name=name, contract_line_key="CL1", rate=Decimal(amount) / 20_000,
            start_date=date(2026, 12, 1), **columns,
        )  # fmt: skip
        said = seats(12, charge_type="discount", quantity=None, unit_price=None, amount=Decimal(-amount))
        ledger.add(
            "invoice_lines", "billing", f"INV12-{n}", invoice_key="INV12", line_version_key="SL1", name=name, **said
        )
    return ledger


def quoted(unit_price: str = "32", **columns: Any) -> Ledger:
    """A year of 100 seats of a list price of 40.00, ordered at 32.00."""
    said = {
        "number": "Q-1",
        "status": "Accepted",
        "start_date": date(2026, 12, 1),
        "end_date": date(2027, 12, 1),
        "currency": "USD",
        **columns,
    }
    ledger = clean().add("quotes", "crm", "Q1", **said)
    return ledger.add(
        "quote_lines", "crm", "QL1", quote_key="Q1", quantity=Decimal(100), unit_price=Decimal(unit_price),
        list_price=Decimal(40),
    )  # fmt: skip


def approved(ledger: Ledger, record: str, kind: str, **columns: Any) -> Ledger:
    """The same with an approval."""
    said = {"record_key": record, "kind": kind, "status": "approved", "approver": "cro", **columns}
    return ledger.add("approvals", "crm", "AP1", **said)


def lapsed(**columns: Any) -> Ledger:
    """The contract of the seats ended with September; 480 seats were active in October and November."""
    ledger = clean().change("contracts", "K1", **{"end_date": RISE, **columns})
    for entity, key in (("contract_lines", "CL1"), ("subscriptions", "S1"), ("subscription_lines", "SL1")):
        ledger.change(entity, key, end_date=RISE)
    for month in (10, 11, 12):
        ledger.remove("invoices", f"INV{month}").remove("invoice_lines", f"INV{month}-1")
    for month in (10, 11):
        ledger.add(
            "entitlements", "seats", f"E{month}", contract_line_key="CL1", product_code="SEAT", is_trial=False,
            active_quantity=Decimal(480), period_start=date(2026, month, 1), period_end=date(2026, month + 1, 1),
        )  # fmt: skip
    return ledger


def metered() -> Ledger:
    """The clean customer also buys API calls at 0.004."""
    ledger = clean().contract_line(
        "CL9", product_code="API-CALL", charge_type="usage", quantity=None, unit_price=Decimal("0.004"),
        billing_timing="arrears",
    )  # fmt: skip
    return ledger.subscription_line(
        "SL9", line="CL9", product_code="API-CALL", name="API calls", charge_type="usage", quantity=None,
        unit_price=Decimal("0.004"), unit="Call", model="PerUnit", billing_timing="arrears", end_date=None,
    )  # fmt: skip


def drifted(charged: str = "0.0035") -> Ledger:
    """200,000 calls in November, agreed at 0.004, billed at another rate."""
    ledger = metered()
    line = {
        "line_version_key": "SL9", "product_code": "API-CALL", "quantity": Decimal(200_000),
        "unit_price": Decimal(charged), "amount": Decimal(charged) * 200_000,
        "period_start": date(2026, 11, 1), "period_end": date(2026, 12, 1),
    }  # fmt: skip
    return ledger.invoice("INVU", date(2026, 12, 1), line)


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "missed_uplift": uplifted,
    "ramp_step_missed": ramped,
    "expired_discount_applied": discounted,
    "stacked_discounts": stacked,
    "discount_over_limit_unapproved": quoted,
    "missed_renewal": lapsed,
    "pricing_drift": drifted,
}
