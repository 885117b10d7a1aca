from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.duplicates.states import subscribed_twice
from tests.checks.kit import Ledger, ask, findings, only

CHECK = "duplicate_subscription"


def test_the_smaller_of_the_two_for_the_months_that_have_begun() -> None:
    """From 15 September to 1 December: three months have begun, of 200 seats at 40.00."""
    finding = only(CHECK, subscribed_twice())
    assert (str(finding.record), finding.kind) == ("billing/subscriptions/S2", MoneyKind.OVERBILL)
    assert (finding.amount, finding.period) == (Decimal("24000.00"), (date(2026, 9, 15), date(2027, 1, 1)))


def test_several_products_are_one_finding_and_a_third_subscription_one_more() -> None:
    support: dict[str, Any] = {"product_code": "SUPPORT", "quantity": Decimal(1), "unit_price": Decimal(450)}
    ledger = subscribed_twice().subscription_line("SL1s", line=None, **support)
    ledger.subscription_line("SL2s", "S2", None, start_date=date(2026, 9, 15), **support)
    assert only(CHECK, ledger).amount == Decimal("25350.00")
    ledger.subscription("S3", None).subscription_line("SL3", "S3", None, start_date=date(2026, 12, 1))
    assert [(f.record.key, f.amount) for f in findings(CHECK, ledger)] == [
        ("S2", Decimal("25350.00")),
        ("S3", Decimal("20000.00")),
    ]


def test_an_overlap_to_come_is_a_wake_up() -> None:
    ledger = subscribed_twice(start_date=date(2026, 12, 10))
    assert ask(CHECK, ledger).wake_ups == (datetime(2026, 12, 10, tzinfo=UTC),)


def looks_alike() -> dict[str, Ledger]:
    twice = subscribed_twice
    return {
        "another department": twice().change("subscriptions", "S2", po_number="PO-7"),
        "its own order, said in the contract": twice().change("contracts", "K1", po_number="PO-1"),
        "another company of the customer": twice().change("subscriptions", "S2", legal_entity="DE"),
        "it continues the first": twice().change("subscriptions", "S2", renews_key="S1"),
        "its contract amends the first": twice().contract("K2", amends_key="K1").change(
            "subscriptions", "S2", contract_key="K2"
        ),
        "added to the same contract": twice().change("subscriptions", "S2", contract_key="K1").change(
            "subscription_lines", "SL2", contract_line_key="CL2"
        ),
        "another product": twice(product_code="OTHER"),
        "a trial": twice(is_trial=True),
        "one after the other": twice().change("subscriptions", "S1", cancelled_date=date(2026, 9, 15)),
        "cancelled": twice().change("subscriptions", "S2", status="cancelled"),
        "a version of the same": twice().change("subscriptions", "S2", number="N-S1", version=2),
        "a test account": twice().change_account(is_test=True),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
