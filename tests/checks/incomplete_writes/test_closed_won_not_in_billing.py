from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.broken import won
from tests.checks.kit import NOW, Ledger, ask, findings, only

CHECK = "closed_won_not_in_billing"


def test_the_days_that_have_passed_are_the_leak() -> None:
    finding = only(CHECK, won())
    # 36,500 over 365 days, of which 30 have passed on 1 December.
    assert (finding.amount, finding.kind, finding.expected) == (Decimal("3000.00"), MoneyKind.LEAK, Decimal("3000.00"))
    assert str(finding.record) == "crm/opportunities/O2"
    assert "36,500" in finding.message


@pytest.mark.parametrize(
    ("closed", "fails"),
    [
        (date(2026, 11, 26), datetime(2026, 12, 1, tzinfo=UTC)),  # Thursday: Friday and Monday are the grace
        (date(2026, 11, 27), datetime(2026, 12, 2, tzinfo=UTC)),  # Friday
        (date(2026, 11, 28), datetime(2026, 12, 2, tzinfo=UTC)),  # Saturday counts as the Friday before it
    ],
)
def test_two_working_days_of_grace(closed: date, fails: datetime) -> None:
    evaluation = ask(CHECK, won(close_date=closed))
    if fails <= NOW:
        assert [f.fails_from for f in evaluation.findings] == [fails]
    else:
        assert (evaluation.outcome, evaluation.wake_ups) == (Outcome.PASSED, (fails,))


def test_a_contract_that_has_not_begun_is_a_wake_up() -> None:
    ledger = won().change("contracts", "K2", start_date=date(2027, 1, 1))
    assert ask(CHECK, ledger).wake_ups == (datetime(2027, 1, 1, tzinfo=UTC),)


def looks_alike() -> dict[str, Ledger]:
    return {
        "a pilot": won(type="Pilot"),
        "for nothing": won(amount=Decimal(0)),
        "lost": won(is_won=False),
        "a test account": won().change_account(is_test=True),
        "in billing": won().subscription("S2", "K2"),
        "a renewal merged into the first contract": won(contract_key="K1"),
        "an amendment of the first contract": won().add(
            "quotes", "crm", "Q2", type="Amendment", opportunity_key="O2", contract_key="K1"
        ),
        "billed under the contract that replaced it": won()
        .contract("K3", amends_key="K2", start_date=date(2026, 11, 15))
        .subscription("S3", "K3"),
        "nothing of it is billable": won().change("contract_lines", "CL2", billable=False),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_draft_subscription_bills_nothing() -> None:
    assert only(CHECK, won().subscription("S2", "K2", status="draft")).record.key == "O2"


def test_a_renewal_is_not_covered_by_the_contract_that_it_renews() -> None:
    ledger = won().add("quotes", "crm", "Q2", type="Renewal", opportunity_key="O2", contract_key="K1")
    assert only(CHECK, ledger).record.key == "O2"
