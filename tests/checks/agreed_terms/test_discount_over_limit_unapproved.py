from datetime import date
from decimal import Decimal

import pytest

from tests.checks.agreed_terms.states import approved, quoted
from tests.checks.kit import Ledger, findings, only

CHECK = "discount_over_limit_unapproved"


def test_the_excess_counts_for_the_whole_term() -> None:
    """100 seats × (34.00 − 32.00) × 12 months."""
    finding = only(CHECK, quoted())
    assert (finding.expected, finding.actual, finding.amount) == (Decimal(40_800), Decimal(38_400), Decimal(2_400))
    assert (str(finding.record), finding.kind) == ("crm/quotes/Q1", "exposure")


def test_a_one_time_line_counts_once_and_an_open_term_for_a_year() -> None:
    once = quoted().add("products", "crm", "P1", code="SETUP", charge_type="one_time")
    once.change("quote_lines", "QL1", product_key="P1")
    assert only(CHECK, once).amount == Decimal(200)
    assert only(CHECK, quoted(end_date=None)).amount == Decimal(2_400)


def test_the_last_day_is_the_one_before_the_end() -> None:
    """From 31 January, the second month begins on 28 February."""
    assert only(CHECK, quoted(start_date=date(2026, 1, 31), end_date=date(2026, 2, 28))).amount == Decimal(200)
    assert only(CHECK, quoted(start_date=date(2026, 1, 31), end_date=date(2026, 3, 1))).amount == Decimal(400)


def looks_alike() -> dict[str, Ledger]:
    return {
        "exactly the limit": quoted("34"),
        "a draft": quoted(status="Draft"),
        "approved": approved(quoted(), "Q1", "discount", rate=Decimal("0.2")),
        "approved for the line, in another tool": approved(quoted(), "QL1", "discount"),
        "a price from before": quoted().change("quote_lines", "QL1", amends_line_key="CL1"),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_an_approval_of_less_of_something_else_or_of_the_past_is_none() -> None:
    assert findings(CHECK, approved(quoted(), "Q1", "discount", rate=Decimal("0.19"))) != ()
    assert findings(CHECK, approved(quoted(), "Q1", "price")) != ()
    assert findings(CHECK, approved(quoted(), "Q1", "discount", until_date=date(2026, 12, 1))) != ()
    assert findings(CHECK, approved(quoted(), "Q1", "discount", status="rejected")) != ()
