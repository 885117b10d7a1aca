from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.checks.kit import NOW, Ledger, clean, findings, only
from tests.checks.sequencing.states import BROKEN, events

CHECK = "event_out_of_order"


def test_the_event_applied_last_is_older_than_one_before_it() -> None:
    finding = only(CHECK, BROKEN[CHECK]())
    assert (str(finding.record), finding.amount) == ("audit/record_changes/EV2-9", Decimal("900.00"))
    assert [record.key for record in finding.evidence] == ["EV2-9", "EV3-4"]


def test_what_no_source_prices_is_worth_what_the_next_invoice_bills() -> None:
    quarterly = events((2, 3, {}), (1, 4, {})).change("subscription_lines", "SL1", billing_months=3)
    assert only(CHECK, quarterly).amount == Decimal("60000.00")
    of_account = events((2, 3, {"record_key": "elsewhere"}), (1, 4, {"record_key": "elsewhere"}))
    assert only(CHECK, of_account).amount == Decimal("20000.00")


def amended(*said: tuple[int, int, str, date]) -> Ledger:
    """Amendments that billing applied to the versions of the subscription: (version, sequence, type, effective)."""
    ledger = clean()
    for version, sequence, kind, effective in said:
        columns: dict[str, Any] = {"subscription_version": version, "sequence": sequence, "type": kind}
        ledger.add("amendments", "billing", f"AM{sequence}", status="activated", subscription_key="S1",
                   effective_date=effective, **columns)  # fmt: skip
    return ledger


def test_a_renewal_before_an_amendment_that_was_pending() -> None:
    finding = only(
        CHECK,
        amended((1, 2, "Renewal", date(2026, 12, 1)), (2, 1, "UpdateProduct", date(2026, 11, 1))),
    )
    assert (str(finding.record), finding.amount) == ("billing/amendments/AM1", Decimal("20000.00"))
    assert "event 1 (UpdateProduct) was applied after event 2 (Renewal)" in finding.message


def looks_alike() -> dict[str, Ledger]:
    return {
        "in order": events((1, 2, {}), (2, 3, {})),
        "back-dated, and made last": events((1, 2, {}), (2, 3, {"effective_date": date(2026, 3, 1)})),
        "arrived in another order": events((1, 2, {"synced_at": NOW}), (2, 3, {"synced_at": NOW - timedelta(days=9)})),
        "older, and in force later": events((2, 2, {}), (1, 3, {"effective_date": date(2026, 12, 1)})),
        "applied again since": events((1, 2, {}), (3, 3, {}), (2, 4, {}), (3, 5, {})),
        "another field": events((2, 2, {}), (1, 3, {"field": "Price"})),
        "the same event twice": events((1, 2, {}), (1, 3, {})),
        "amended in order": amended((1, 1, "UpdateProduct", date(2026, 11, 1)), (2, 2, "Renewal", date(2026, 12, 1))),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
