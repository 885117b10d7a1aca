from datetime import date
from decimal import Decimal

import pytest

from tests.checks.agreed_terms.states import approved, stacked
from tests.checks.kit import Ledger, findings, only

CHECK = "stacked_discounts"


def test_what_is_above_the_policy_is_lost() -> None:
    """30 % of 20,000 where 25 % are allowed."""
    finding = only(CHECK, stacked())
    assert (finding.expected, finding.actual, finding.amount) == (Decimal(5_000), Decimal(6_000), Decimal(1_000))
    assert (finding.record.key, finding.mode) == ("INV12-3", "block")
    assert findings("contract_terms_vs_billing", stacked()) == ()


def test_of_discounts_that_do_not_combine_only_the_largest_is_allowed() -> None:
    assert only(CHECK, stacked(1_000, 500, stackable=False)).amount == Decimal(500)


def looks_alike() -> dict[str, Ledger]:
    ladder = stacked().change("contracts", "K1", allows_stacking=True)
    in_turn = stacked().change("invoice_lines", "INV12-3", period_start=date(2026, 11, 1), period_end=date(2026, 12, 1))
    to_the_cent = stacked(3_000, 2_000).change("invoice_lines", "INV12-1", amount=Decimal("20000.01"))
    return {
        "each rounded to the cent": to_the_cent.change("invoice_lines", "INV12-3", amount=Decimal("-2000.01")),
        "within the policy": stacked(3_000, 2_000),
        "a ladder that the contract allows": ladder,
        "approved": approved(stacked(), "K1", "stacking", rate=Decimal("0.3")),
        "one after the other": in_turn,
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_an_approval_of_less_or_of_the_past_is_none() -> None:
    assert findings(CHECK, approved(stacked(), "CL1", "stacking", rate=Decimal("0.29"))) != ()
    assert findings(CHECK, approved(stacked(), "CL1", "stacking", until_date=date(2026, 12, 1))) != ()
