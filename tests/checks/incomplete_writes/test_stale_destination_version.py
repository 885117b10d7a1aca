from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.checks.incomplete_writes.states import one_version_behind
from tests.checks.kit import NOW, Ledger, ask, clean, findings, only

CHECK = "stale_destination_version"


def test_the_version_that_billing_has_is_behind_the_contracts() -> None:
    finding = only(CHECK, one_version_behind())
    assert (str(finding.record), finding.amount) == ("billing/subscriptions/S1", Decimal("20000.00"))
    assert "is at version 3" in finding.message


def test_a_change_may_be_on_its_way_for_a_day() -> None:
    ledger = one_version_behind().change("contracts", "K1", modified_at=NOW - timedelta(hours=3))
    assert ask(CHECK, ledger).wake_ups == (datetime(2026, 12, 2, 6, 30, tzinfo=UTC),)


def looks_alike() -> dict[str, Ledger]:
    current = one_version_behind().change("subscriptions", "S1", source_version=3)
    return {
        "saved again without a change": current.change("contracts", "K1", modified_at=NOW - timedelta(days=2)),
        "ahead": one_version_behind().change("subscriptions", "S1", source_version=4),
        "no versions are kept": clean(),
        "an older version of the subscription": one_version_behind().subscription(
            "S1b", number="N-S1", version=2, source_version=3
        ),
        "a draft in the CRM": one_version_behind().change("contracts", "K1", status="draft"),
        "over": one_version_behind().change("subscriptions", "S1", status="expired"),
        "a test account": one_version_behind().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
