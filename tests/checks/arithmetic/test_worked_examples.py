"""Published and derived figures, to the cent, through the product's own functions and checks.

The figures are read from the file beside this checkout; what each of them says in words is put as a call here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from books.money import rounded
from checks.arithmetic.allocation import allocate, deferred, schedule
from checks.arithmetic.balances import InvoiceSum, owed, use_credit
from checks.arithmetic.order_metrics import Delta
from checks.arithmetic.percentages import Percentage
from checks.arithmetic.periods import Cycle
from checks.arithmetic.proration import (
    DayCount,
    changed,
    months_begun,
    multiplier_by_day,
    multiplier_by_month,
    periods_counted,
    prorated,
    share,
)
from checks.arithmetic.rating import Model, Price, Tier, rate
from checks.contract import MoneyKind
from tests.checks.kit import clean, findings
from tests.checks.test_leakage_case import NOW as CASE_NOW
from tests.checks.test_leakage_case import UNMAPPED, case, found

EXAMPLES = Path(__file__).resolve().parents[3] / ".." / "shared" / "examples" / "worked_examples.json"
Answer = str | tuple[str, ...]


def tiers(*said: tuple[object, ...]) -> tuple[Tier, ...]:
    """(up to, price, flat, block), of which the last two may be left out."""
    numbers = [tuple(None if one is None else Decimal(str(one)) for one in tier) for tier in said]
    return tuple(
        Tier(up_to, price or Decimal(0), *(flat or Decimal(0) for flat in rest[:1]), *rest[1:])
        for up_to, price, *rest in numbers
    )


def cost(model: Model, quantity: int, *said: tuple[object, ...], **whole: int) -> Decimal:
    of_whole: dict[str, Any] = {name: Decimal(value) for name, value in whole.items()}
    return rate(replace(Price(model, tiers(*said)), **of_whole), Decimal(quantity)).amount


def usd(amount: Decimal) -> str:
    return f"{rounded(amount, 'USD')}"


STRIPE = ((5, 7), (10, "6.50"), (None, 6))
LAGO_VOLUME = ((10, 5, 100), (None, 2, 50))
API_CALLS = ((10_000, ".0010", 10), (50_000, ".0008", 10), (100_000, ".0006", 10), (None, ".0004", 10))
KILL_BILL = ((10, "1.5"), (110, "1.0"), (None, "0.5"))
BLOCKS = ((1000, 1, 0, 100), (None, 1, 0, 1000))


def two_meters() -> Decimal:
    minutes = cost(Model.GRADUATED, 1500, (1000, "1.00", 0, 10), (None, "0.50", 0, 10))
    return minutes + cost(Model.GRADUATED, 2048, (1024, "0.50"), (None, "0.10"))


def upgrade() -> Answer:
    """Half of a month of 31 days is a moment at noon."""
    period = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    left = share(datetime(2026, 3, 16, 12, tzinfo=UTC), period[1], period, 1, DayCount.SECONDS)
    credit, debit = changed(Decimal(10), Decimal(20), left)
    return usd(credit + debit), usd(credit), usd(debit)


def downgrade() -> Answer:
    """The unused part of the old price comes back, less what the new price costs for it; the rest comes off in May."""
    period = (date(2012, 4, 1), date(2012, 5, 1))
    back, charge = changed(Decimal(60), Decimal(30), share(date(2012, 4, 21), period[1], period, 1, DayCount.ACTUAL))
    put, left = use_credit(-(back + charge), InvoiceSum(Decimal(30)))
    assert left == 0
    return usd(-(back + charge)), usd(put.balance)


def aligned(start: date, bill_day: int, price: str, day_count: DayCount, end: date | None = None) -> str:
    cycle = Cycle.of(start, bill_day, 1)
    counted = periods_counted(cycle, start, end or cycle.boundary(cycle.index(start) + 1), day_count)
    return usd(prorated(Decimal(price), counted))


def leap_year() -> Answer:
    counted = periods_counted(Cycle(date(2011, 1, 10), 17, 12), date(2011, 1, 10), date(2012, 3, 4), DayCount.ACTUAL)
    assert counted == 1 + Fraction(7, 365) + Fraction(47, 366)
    return f"{prorated(Decimal(1), counted).quantize(Decimal('0.00001'), ROUND_HALF_UP)}"


def by_days_of_a_year() -> str:
    year = (date(2023, 2, 15), date(2024, 2, 15))
    return usd(prorated(Decimal(120), share(year[0], date(2023, 8, 14), year, 12, DayCount.ACTUAL)))


def delta(quantity: int, start: date) -> Delta:
    """More units at 5.00 a month, list price 8.00, to the end of 2018."""
    cycle, end = Cycle.of(start, 1, 1), date(2019, 1, 1)
    by = {rule: periods_counted(cycle, start, end, rule) for rule in (DayCount.ACTUAL_30, DayCount.ACTUAL)}
    return Delta(Decimal(quantity), Decimal(5), Decimal(8), by[DayCount.ACTUAL_30], by[DayCount.ACTUAL])


def on_a_bill_day() -> Answer:
    metrics = delta(3, date(2018, 4, 1))
    return usd(metrics.mrr), usd(metrics.tcb), usd(metrics.tcv), usd(metrics.elp)


def co_termed() -> str:
    """Six of twelve months are left."""
    year = (date(2026, 1, 1), date(2027, 1, 1))
    left = share(date(2026, 7, 1), year[1], year, 12, DayCount.THIRTY_360)
    assert left * 12 == months_begun(date(2026, 7, 1), year[1])
    return usd(prorated(Decimal(25 * 50 * 12), left))


def ratable() -> Answer:
    recognized = schedule(Decimal(120_000), date(2026, 3, 1), date(2027, 3, 1), "USD")
    assert {one.amount for one in recognized} == {Decimal(10_000)}
    ends = (date(2026, 4, 1), date(2026, 7, 1), date(2027, 3, 1))
    return usd(recognized[0].amount), *(usd(deferred(Decimal(120_000), recognized, end)) for end in ends)


def stand_alone() -> Answer:
    """The cent that is too many comes off the largest share."""
    weights = (Decimal(100_000), Decimal(30_000), Decimal(10_000))
    shares = allocate(Decimal(120_000), weights, "USD")
    assert sum(shares) == 120_000
    exact = tuple(usd(Decimal(120_000) * weight / Decimal(140_000)) for weight in weights)
    assert [usd(share) for share in shares[1:]] == list(exact[1:])
    return exact


def seats() -> str:
    """Six months of one contract line through the check; each month is a finding."""
    ledger = clean().change(
        "contract_lines", "CL1", included_quantity=Decimal(500), overage_price=Decimal(50), overage_measure="peak"
    )
    for month, active in enumerate((502, 518, 547, 523, 556, 541), 1):
        ledger.add(
            "entitlements", "seats", f"CL1-{month}", contract_line_key="CL1", active_quantity=Decimal(active),
            period_start=date(2026, month, 1), period_end=date(2026, month + 1, 1), measure="peak", is_trial=False,
        )  # fmt: skip
    amounts = [finding.amount for finding in findings("seat_overage_unbilled", ledger)]
    assert amounts == [100, 900, 2350, 1150, 2800, 2050]
    return usd(sum(amounts, Decimal(0)))


def told(check: str, record: str) -> Answer:
    """The amount and kind of the finding on one record of the published case."""
    (amount,) = [f.amount for f in found(check) if f.record.key.startswith(record) and f.kind is MoneyKind.LEAK]
    return usd(amount)


def wrong_currency() -> Answer:
    """The credit memo clears it; without the memo it is too high by 2,000."""
    assert not [f for f in found("contract_terms_vs_billing") if f.kind is MoneyKind.OVERBILL]
    without = type(case())({**case().rows, "credit_memos": []})
    over = findings("contract_terms_vs_billing", without, now=CASE_NOW, unmapped=UNMAPPED)
    (amount,) = [f.amount for f in over if f.kind is MoneyKind.OVERBILL]
    return usd(amount)


def unmatched() -> str:
    (finding,) = findings("invoice_without_contract_detail", case(), now=CASE_NOW, unmapped=UNMAPPED)
    assert (finding.record.key, finding.kind) == ("I-9202-1", MoneyKind.EXPOSURE)
    return usd(finding.amount)


def credit_used() -> str:
    put, left = use_credit(Decimal(20), InvoiceSum(Decimal(100)))
    assert left == 0
    return usd(owed([put]))


def adjusted() -> Answer:
    invoice = InvoiceSum(Decimal(100), adjusted=Decimal(-10), paid=Decimal(100))
    return usd(invoice.amount), usd(invoice.to_credit), usd(invoice.balance)


WORKED: Mapping[str, Callable[[], Answer]] = {
    "T01": lambda: usd(cost(Model.VOLUME, 65_000, *API_CALLS)),
    "T02a": lambda: usd(cost(Model.VOLUME, 1, *STRIPE)),
    "T02b": lambda: usd(cost(Model.VOLUME, 5, *STRIPE)),
    "T02c": lambda: usd(cost(Model.VOLUME, 6, *STRIPE)),
    "T02d": lambda: usd(cost(Model.VOLUME, 20, *STRIPE)),
    "T03a": lambda: usd(cost(Model.GRADUATED, 5, *STRIPE)),
    "T05": lambda: usd(cost(Model.GRADUATED, 15_000, (1000, "0.01"), (10_000, "0.008"), (None, "0.005"))),
    "T06a": lambda: usd(cost(Model.VOLUME, 5, *LAGO_VOLUME)),
    "T06b": lambda: usd(cost(Model.VOLUME, 15, *LAGO_VOLUME)),
    "T08a": lambda: usd(cost(Model.PACKAGE, 3, (None, 100, 0, 10))),
    "T08b": lambda: usd(cost(Model.PACKAGE, 15, (None, 100, 0, 10))),
    "T08c": lambda: usd(cost(Model.PACKAGE, 3, (None, 100, 0, 10), included=5)),
    "T09": lambda: usd(cost(Model.PACKAGE, 201, (None, 5, 0, 100), included=100)),
    "T10a": lambda: usd(cost(Model.GRADUATED, 22, (5, 0, 100), (10, 0, 50), (15, 5), (None, 1))),
    "T12a": lambda: usd(two_meters()),
    "T13a": lambda: usd(cost(Model.GRADUATED, 111, *KILL_BILL)),
    "T14": lambda: usd(cost(Model.GRADUATED, 5325, *BLOCKS)),
    "T17": lambda: usd(cost(Model.GRADUATED, 130, (100, 0), (200, "2.00"))),
    "T18a": lambda: usd(cost(Model.PER_UNIT, 8, (None, 10), minimum=100, maximum=200)),
    "T19": lambda: usd(
        Percentage(Decimal("1.2"), Decimal("0.10"), 3, Decimal(500)).amount(map(Decimal, (200, 100, 100, 50)))
    ),
    "P01": upgrade,
    "P04": downgrade,
    "P05a": lambda: aligned(date(2021, 9, 16), 25, "24.95", DayCount.ACTUAL),
    "P05c": lambda: aligned(date(2021, 9, 17), 25, "24.95", DayCount.ACTUAL),
    "P06a": lambda: aligned(date(2023, 5, 23), 15, "19.95", DayCount.THIRTY_360),
    "P07": leap_year,
    "P11a": lambda: f"{multiplier_by_day(830)}",
    "P11b": lambda: f"{multiplier_by_month(35)}",
    "P14a": by_days_of_a_year,
    "A01": on_a_bill_day,
    "A02a": lambda: usd(delta(7, date(2018, 8, 18)).tcb),
    "A02b": lambda: usd(delta(7, date(2018, 8, 18)).tcv),
    "A04": co_termed,
    "L01": seats,
    "L02": lambda: told("missing_expected_invoice", "C-1001"),
    "L03": wrong_currency,
    "L04": lambda: told("contract_terms_vs_billing", "I-9201"),
    "L05": lambda: told("contract_terms_vs_billing", "I-9110"),
    "L06": unmatched,
    "R01": ratable,
    "R03": stand_alone,
    "I01": credit_used,
    "I02": adjusted,
}  # fmt: skip
# What the figures are called in the file's words, where it says more than one number.
SAID: Mapping[str, Answer] = {
    "P01": ("5.00", "-5.00", "10.00"),
    "P04": ("10.00", "20.00"),
    "P07": "1.14759",
    "A01": ("15.00", "135.00", "135.00", "216.00"),
    "L02": "8000.00",
    "L03": "2000.00",
    "L04": "20000.00",
    "L05": "2500.00",
    "L06": "15000.00",
    "R01": ("10000.00", "110000.00", "80000.00", "0.00"),
    "R03": ("85714.29", "25714.29", "8571.43"),
    "I01": "80.00",
    "I02": ("90.00", "10.00", "0.00"),
}


@pytest.mark.parametrize("example", WORKED)
def test_a_figure_comes_out(example: str) -> None:
    said = read()[example]
    expected = SAID.get(example) or said
    got = WORKED[example]()
    assert got == expected if isinstance(expected, tuple) else Decimal(str(got)) == Decimal(expected)


def test_every_figure_is_worked_out() -> None:
    assert set(read()) == set(WORKED)


def read() -> Mapping[str, str]:
    """What the file says of each example."""
    if not EXAMPLES.exists():
        pytest.skip("the worked examples are not beside this checkout")
    return {example["id"]: example["expected"] for example in json.loads(EXAMPLES.read_text())}
