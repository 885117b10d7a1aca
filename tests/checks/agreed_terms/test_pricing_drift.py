from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.agreed_terms.states import approved, drifted
from tests.checks.kit import Ledger, findings, only

CHECK = "pricing_drift"


def carded(charged: str, **columns: Any) -> Ledger:
    """The contract states no price; the list says 0.005."""
    ledger = drifted(charged).change("contract_lines", "CL9", unit_price=None)
    said = {"product_code": "API-CALL", "currency": "USD", "unit_price": Decimal("0.005"), **columns}
    return ledger.add("prices", "crm", "PB1", account_key=None, **said)


def test_the_rate_of_the_contract_goes_first() -> None:
    """200,000 calls at 0.0035 instead of 0.004."""
    finding = only(CHECK, drifted())
    assert (finding.expected, finding.amount, finding.mode) == (Decimal(800), Decimal(100), "block")
    assert "by the contract" in finding.message
    assert only(CHECK, drifted("0.0041")).kind is MoneyKind.OVERBILL


def test_up_to_a_twentieth_only_warns() -> None:
    assert only(CHECK, drifted("0.0038")).mode == "warn"
    assert only(CHECK, drifted("0.003799")).mode == "block"


def test_the_price_list_counts_where_nothing_else_does() -> None:
    assert only(CHECK, carded("0.004")).expected == Decimal(1_000)
    assert findings(CHECK, carded("0.005")) == ()
    assert findings(CHECK, carded("0.004", end_date=date(2026, 11, 1))) == ()
    assert findings(CHECK, carded("0.004", currency="EUR")) == ()


def looks_alike() -> dict[str, Ledger]:
    repriced = drifted("0.0035").contract_line(
        "CL9-A", revises_key="CL9", quantity=None, unit_price=Decimal("0.0035"), start_date=date(2026, 6, 1)
    )
    tiered = drifted().change("subscription_lines", "SL9", model="Tiered")
    return {
        "as agreed": drifted("0.004"),
        "changed by an amendment": repriced,
        "an approved exception": approved(carded("0.004"), "CL9", "price", unit_price=Decimal("0.004")),
        "rated by tiers": tiered,
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_an_exception_that_has_ended_is_none() -> None:
    ledger = approved(carded("0.004"), "CL9", "price", unit_price=Decimal("0.004"), until_date=date(2026, 11, 1))
    assert only(CHECK, ledger).amount == Decimal(200)
