from datetime import date
from decimal import Decimal

from checks.contract import MoneyKind
from tests.checks.duplicates.states import counted_from_the_beginning
from tests.checks.kit import Ledger, findings, only
from tests.checks.metering import bill, in_order, metered

CHECK = "usage_billed_twice"


def fed_again(ledger: Ledger | None = None, quantity: int = 4_000) -> Ledger:
    """An event of October that the invoice of November has billed once more, as the platform says."""
    ledger = (ledger or in_order()).change("invoice_lines", "U11-1", quantity=Decimal(14_000), amount=Decimal(56))
    for line in ("U10-1", "U11-1"):
        ledger.add(
            "billed_usage", "billing", f"B-{line}", event_id="id-E10", invoice_line_key=line, quantity=Decimal(quantity)
        )
    return ledger


def test_a_meter_that_was_not_set_back() -> None:
    finding = only(CHECK, counted_from_the_beginning())
    assert (finding.record.key, finding.amount, finding.kind) == ("U11-1", Decimal(24), MoneyKind.OVERBILL)
    assert findings("usage_vs_invoice_mismatch", counted_from_the_beginning()) == ()


def test_an_event_that_feeds_a_second_line() -> None:
    finding = only(CHECK, fed_again())
    assert (finding.record.key, finding.expected, finding.amount) == ("U11-1", Decimal(40), Decimal(16))
    assert "events that an earlier line has billed" in finding.message
    assert findings("usage_vs_invoice_mismatch", fed_again()) == ()


def test_it_costs_what_the_tier_makes_of_it() -> None:
    ledger = in_order(metered("graduated", (12_000, "0.01"), (None, "0.005")), 100)
    again = fed_again(ledger).change("invoice_lines", "U11-1", amount=Decimal(130))
    assert only(CHECK, again).amount == 30


def test_an_invoice_within_the_period_and_the_rest_at_its_end() -> None:
    ledger = counted_from_the_beginning()
    ledger.change(
        "invoice_lines", "U11-1", quantity=Decimal(4_000), amount=Decimal(16), period_start=date(2026, 11, 16)
    )
    assert findings(CHECK, ledger) == ()


def test_a_line_that_was_taken_back_does_not_count() -> None:
    ledger = counted_from_the_beginning()
    bill(ledger, "BACK", 11, -24, -6_000, day=date(2026, 11, 20), period_end=date(2026, 11, 16))
    assert findings(CHECK, ledger) == ()


def test_a_credit_or_a_void_invoice_settles_it() -> None:
    voided = fed_again().change("invoices", "U10", status="void")
    assert findings(CHECK, voided) == ()
    credited = fed_again().add(
        "credit_memos", "billing", "M1", status="posted", invoice_key="U11", amount=Decimal(16), currency="USD",
        memo_date=date(2026, 12, 1),
    )  # fmt: skip
    assert findings(CHECK, credited) == ()


def test_nobody_is_billed_twice_on_a_test_account() -> None:
    assert findings(CHECK, counted_from_the_beginning().change_account(is_test=True)) == ()


def test_a_second_line_of_the_same_days_for_what_came_late_is_none() -> None:
    ledger = in_order(months=(9, 10))
    assert findings(CHECK, bill(ledger, "EXTRA", 10, 4, 1_000, day=date(2026, 12, 1))) == ()
