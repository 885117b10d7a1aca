"""Books that hold one state that each tie-out must find."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from checks.arithmetic.periods import month_day
from tests.checks.kit import Ledger, clean, seats
from tests.checks.ledger import booked


def short_november(billed: str = "19000") -> Ledger:
    """November was billed too low: 20,000 were booked."""
    return clean().change("invoice_lines", "INV11-1", amount=Decimal(billed))


def unpaid_march(paid: str = "0") -> Ledger:
    """Of the invoice of February, which fell due in March, only so much was paid."""
    return clean().unpaid("INV2").paid("INV2", Decimal(paid), date(2026, 3, 5))


def drifting(by: str = "20", months: int = 12, back: tuple[int, ...] = ()) -> Ledger:
    """A little is missing on each of so many months before December, and is too much on those so far `back`."""
    start: dict[str, Any] = {"start_date": date(2025, 11, 1)}
    ledger = Ledger().account().contract(**start).contract_line(**start).subscription(**start)
    ledger.subscription_line(**start)
    for n in range(13):
        first, following = month_day(date(2026, 11, 1), -n, 1), month_day(date(2026, 11, 1), 1 - n, 1)
        apart = Decimal(by) if n in back else -Decimal(by) if n < months else Decimal(0)
        line = seats(11, amount=Decimal(20_000) + apart, period_start=first, period_end=following)
        ledger.invoice(f"INV{n}", first, line)
    return ledger.add("products", "crm", "PR1", code="SEAT", name="Seats", account_key=None, account_id=None)


def segment(collected: str, customers: int = 3) -> Ledger:
    """Customers with 20,000 each due in January and February; `collected` of the first one's January came."""
    ledger = Ledger()
    for n in range(customers):
        own = {"account_key": f"S{n}"}
        ledger.account(f"S{n}", segment="Schools")
        ledger.contract(f"SK{n}", **own).contract_line(f"SCL{n}", f"SK{n}", **own)
        ledger.subscription(f"SS{n}", f"SK{n}", **own).subscription_line(f"SSL{n}", f"SS{n}", f"SCL{n}", **own)
        for month in range(1, 13):
            key = f"S{n}-{month}"
            line = seats(month, line_version_key=f"SSL{n}", account_key=f"S{n}")
            ledger.invoice(key, date(2026, month, 1), line, **own)
            came = Decimal(collected) if (n, month) == (0, 1) else Decimal(20_000)
            ledger.paid(key, came, date(2026, month, 9), **own)
    return ledger


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "booked_vs_billed_tieout": short_november,
    "billed_vs_collected_tieout": unpaid_march,
    "realization_rate_low": lambda: segment("-30000"),
    "small_drift_accumulator": drifting,
    "recognized_vs_collected_tieout": lambda: booked().remove("ledger_entries", "C1", "C2"),
}
