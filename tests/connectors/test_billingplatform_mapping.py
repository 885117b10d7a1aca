"""The shipped mapping of BillingPlatform, over every object that it reads."""

from collections import defaultdict
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.mapping_file import shipped
from connectors.registry import open_connector
from sandbox.billingplatform import BillingPlatformServer, Organisation
from tests.connectors.conftest import NOON, Clock

MAPPING = shipped("billingplatform")
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def organisation(clock: Clock) -> Organisation:
    """An account with a product, a contract with a tiered price, an open invoice and a void one."""
    made = Organisation(clock)
    profile = {"CurrencyCode": "USD", "PaymentTermDays": "30", "MonthlyBillingDate": "1", "AccountId": "1"}
    made.put("ACCOUNT", {"Name": "Acme", "Status": "ACTIVE", "SfRecordId": "001A"})
    made.put("BILLING_PROFILE", profile)
    made.put("ACCOUNT", {"Id": "1", "BillableBillingProfileId": "1"})
    made.put("PRODUCT", {"Name": "Seats"})
    made.put(
        "CONTRACT", {"ContractNumber": "C-1", "ContractStatus": "ACTIVE", "AccountId": "1", "EndDate": "2026-12-31"}
    )
    made.put("CONTRACT_RATE", {"ContractId": "1", "ProductId": "1"})
    for lower, upper, rate in ((0, 100, "5"), (100, -1, "4.25")):
        made.put("PRICING", {"ContractRateId": "1", "LowerBand": lower, "UpperBand": upper, "Rate": rate})
    product = {"AccountId": "1", "ProductId": "1", "ContractId": "1", "Quantity": "500", "RateOverride": "40"}
    dates = {"StartDate": "2026-01-01", "EndDate": "2026-12-31"}
    made.put("ACCOUNT_PRODUCT", {**product, **dates, "Status": "ACTIVE", "SfRecordId": "a0X"})
    made.put("ACCOUNT_PRODUCT", {"AccountId": "1", "Status": "ON_ICE"})
    cycle = {"BillingProfileId": "1", "BillingCycleEndDate": "2026-11-30", "GrandTotalAmount": "20000.00"}
    for status, void in (("CURRENT", "0"), ("CLOSED", ""), ("ODD", "0"), ("CLOSED", "1")):
        made.put("INVOICE", {**cycle, "Status": status, "VoidFlag": void, "ApprovalStatus": "APPROVED"})
    charge = {"AccountId": "1", "AccountProductId": "1", "ProductId": "1", "Quantity": "500", "Rate": "40"}
    period = {"SubscriptionFromDate": "2026-11-01", "SubscriptionToDate": "2026-11-30"}
    made.put("ACTIVITY", {**charge, **period, "InvoiceId": "1", "RatedAmount": "20000.00", "CurrencyCode": "USD"})
    made.put("ACTIVITY", {**charge, "InvoiceId": "1", "RatedAmount": "3", "ActivityDate": NOON})
    made.put("ACTIVITY", {**charge, "ActivityDate": NOON})
    made.put("ACTIVITY", {**charge, **period})
    return made


@pytest.fixture
def rows(organisation: Organisation, clock: Clock) -> Rows:
    found: Rows = defaultdict(list)
    with BillingPlatformServer(organisation, client_id="client", client_secret="a-secret") as server:
        settings = {"base_url": server.url, "client_id": "client", "client_secret": "a-secret"}
        with closing(open_connector("billingplatform", settings, MAPPING, clock)) as connector:
            for name in MAPPING.walked:
                for page in connector.changes(name, None):
                    mapped = MAPPING.objects[name].book(page.records, "billing", NOON)
                    assert mapped.rejects == []
                    for target, booked in mapped.rows:
                        found[target.entity.name] += booked
    return found


def _said(rows: Rows, entity: str, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[column] for column in columns) for row in rows[entity]), key=str)


def test_every_object_fills_the_books(rows: Rows) -> None:
    account = ("key", "account_id", "name", "status", "crm_key", "currency", "payment_terms", "bill_day")
    assert _said(rows, "accounts", *account) == [("1", "1", "Acme", "active", "001A", "USD", "30", 1)]
    assert _said(rows, "contracts", "number", "status", "end_date") == [("C-1", "activated", date(2027, 1, 1))]
    assert _said(rows, "prices", "key", "product_key") == [("1", "1")]
    assert _said(rows, "price_tiers", "price_key", "from_quantity", "to_quantity", "unit_price") == [
        ("1", Decimal(0), Decimal(100), Decimal(5)),
        ("1", Decimal(100), None, Decimal("4.25")),
    ]
    assert {row["modified_at"] for row in rows["accounts"]} == {datetime(2026, 12, 1, 12, tzinfo=UTC)}


def test_a_product_of_an_account_is_subscription_line_and_schedule(rows: Rows) -> None:
    assert _said(rows, "subscriptions", "key", "status") == [("1", "active"), ("2", "active")]
    line = ("subscription_key", "contract_line_key", "quantity", "unit_price", "start_date", "end_date")
    told = ("1", "a0X", Decimal(500), Decimal(40), date(2026, 1, 1), date(2027, 1, 1))
    assert told in _said(rows, "subscription_lines", *line)
    schedule = ("subscription_line_key", "quantity", "start_date", "end_date")
    assert ("1", Decimal(500), date(2026, 1, 1), date(2027, 1, 1)) in _said(rows, "billing_schedules", *schedule)


def test_an_invoice_is_as_far_as_its_status_says(rows: Rows) -> None:
    assert _said(rows, "invoices", "key", "status") == [("1", "draft"), ("2", "posted"), ("3", "error"), ("4", "void")]
    same = ("account_id", "run_key", "total", "currency")
    assert set(_said(rows, "invoices", *same)) == {("1", "2026-11-30", Decimal(20000), "USD")}


def test_an_activity_is_usage_or_a_line_or_both(rows: Rows) -> None:
    line = ("key", "charge_type", "invoice_key", "line_version_key", "amount", "period_start", "period_end")
    assert _said(rows, "invoice_lines", *line) == [
        ("1", "recurring", "1", "1", Decimal(20000), date(2026, 11, 1), date(2026, 12, 1)),
        ("2", "usage", "1", "1", Decimal(3), None, None),
    ]
    assert _said(rows, "usage_events", "key", "event_id", "happened_at") == [("2", "2", NOON), ("3", "3", NOON)]
