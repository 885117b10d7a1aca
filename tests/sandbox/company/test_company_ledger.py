"""The general ledger of a healthy company: complete, and in balance."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest

from sandbox.company.recognition import posted_on, slices
from tests.sandbox.company.company_sheets import Row, Sheets


@pytest.fixture(scope="module")
def entries(clean: Sheets) -> list[dict[str, str]]:
    texts = clean.company.files["ledger"].values()
    return [row for text in texts for row in csv.DictReader(StringIO(text))]


def sums(entries: list[dict[str, str]], **only: str) -> dict[str, Decimal]:
    """By document, what its entries come to."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if all(entry[name] == value for name, value in only.items()):
            found[entry["document_id"]] += Decimal(entry["amount"])
    return found


def test_every_document_balances(entries: list[dict[str, str]]) -> None:
    assert not any(sums(entries).values())


def test_every_document_of_the_erp_is_posted_with_its_total(clean: Sheets, entries: list[dict[str, str]]) -> None:
    owed = sums(entries, kind="receivable")
    for row in clean.company.netsuite["transaction"]:
        assert owed[str(row["id"])] == row["foreigntotal"]


def test_what_arrived_is_posted_as_cash(clean: Sheets, entries: list[dict[str, str]]) -> None:
    arrived = {row["PaymentNumber"] for row in clean.company.zuora["Payment"] if row["Status"] == "Processed"}
    assert sums(entries, kind="cash").keys() == arrived


def test_what_is_deferred_is_what_has_not_been_earned(clean: Sheets, entries: list[dict[str, str]]) -> None:
    """Of invoices without a credit: the plans' remaining balances."""
    netsuite = clean.company.netsuite
    documents = {f"CustInvc_{row['uniquekey']}": str(row["transaction"]) for row in netsuite["transactionline"]}
    elements = {row["id"]: documents[row["referenceid"]] for row in netsuite["revenueelement"]}
    left: dict[str, Decimal] = defaultdict(Decimal)
    for plan in netsuite["revenueplan"]:
        left[elements[plan["createdfrom"]]] += plan["remainingdeferredbalance"]
    held: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if entry["kind"] == "deferred_revenue" and entry["origin"] in ("invoice", "recognition"):
            held[entry["document_id"].removeprefix("RJ-").partition("-")[0]] -= Decimal(entry["amount"])
    invoices = {str(row["id"]) for row in netsuite["transaction"] if row["type"] == "CustInvc"}
    assert {key: held[key] for key in invoices if held[key]} == {key: value for key, value in left.items() if value}


def test_entries_stand_in_the_period_of_their_day(clean: Sheets, entries: list[dict[str, str]]) -> None:
    periods: dict[str, Row] = {str(row["id"]): row for row in clean.company.netsuite["accountingperiod"]}
    for entry in entries:
        period = periods[entry["period"]]
        assert period["startdate"] <= date.fromisoformat(entry["posted_date"]) <= period["enddate"]


def test_a_year_from_the_middle_of_a_month() -> None:
    """Eleven whole months and two halves; the last one takes the rounding."""
    parts = slices(Decimal("1000.00"), date(2026, 4, 16), date(2027, 4, 16), "USD")
    assert [part.amount for part in parts] == [Decimal("41.67"), *[Decimal("83.33")] * 11, Decimal("41.70")]
    assert [part.start for part in parts][:2] == [date(2026, 4, 16), date(2026, 5, 1)]


def test_nothing_is_recognised_before_its_document() -> None:
    day = date(2026, 5, 3)
    assert posted_on(day - timedelta(days=40), day) == date(2026, 5, 31)
    assert posted_on(day + timedelta(days=40), day) == date(2026, 6, 30)
