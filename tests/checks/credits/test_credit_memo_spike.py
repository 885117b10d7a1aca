from datetime import date
from decimal import Decimal

import pytest

from checks.contract import Severity
from tests.checks.credits.states import credited, spike
from tests.checks.kit import Ledger, findings, only

CHECK = "credit_memo_spike"


def test_a_day_with_more_than_the_limit() -> None:
    finding = only(CHECK, spike())
    assert (finding.amount, finding.expected, finding.severity) == (
        Decimal("12500.00"),
        Decimal("10000.00"),
        Severity.S2,
    )
    assert finding.period == (date(2026, 11, 12), date(2026, 11, 13))
    assert len(finding.evidence) == 2


@pytest.mark.parametrize(("cents", "found"), [("4000.00", 0), ("4000.01", 1)])
def test_exactly_the_limit_is_none(cents: str, found: int) -> None:
    assert len(findings(CHECK, credited(spike(6_000), "CM9", amount=Decimal(cents)))) == found


def test_the_limit_in_another_currency() -> None:
    rate = {"from_currency": "EUR", "to_currency": "USD", "rate_date": date(2026, 11, 1), "account_key": None}
    ledger = spike(6_000, 4_000, currency="EUR").add("fx_rates", "reference", "1", rate=Decimal("1.25"), **rate)
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.expected, finding.currency) == (Decimal("10000.00"), Decimal("8000.00"), "EUR")


def looks_alike() -> dict[str, Ledger]:
    return {
        "a campaign": spike(campaign="outage of October"),
        "two days": credited(spike(6_000), "CM9", amount=Decimal(6_500), memo_date=date(2026, 11, 13)),
        "two currencies": credited(spike(6_000), "CM9", amount=Decimal(6_500), currency="GBP").add(
            "fx_rates", "reference", "1", rate=Decimal("1.2"), from_currency="GBP", to_currency="USD",
            rate_date=date(2026, 11, 1), account_key=None,
        ),
        "void": spike(status="void"),
        "the ERP's copies": credited(spike(6_000), "E1", "erp", billing_key="N-CM1", amount=Decimal(6_000)),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
