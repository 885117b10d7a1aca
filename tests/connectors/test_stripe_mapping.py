"""The shipped mapping, value for value, in the shapes of API versions before and since 2025-03-31."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.mapping import Row
from connectors.mapping_file import shipped
from connectors.retries import RetryPolicy
from connectors.stripe.api import StripeConfig
from connectors.stripe.connector import Stripe
from sandbox.stripe import StripeAccount, StripeServer
from tests.connectors.conftest import Clock
from tests.tls import TLS

KEY = "sk_test_mapping"
START = datetime(2026, 11, 1, tzinfo=UTC)
CREATED = int(START.timestamp())
MONTH = {"start": CREATED, "end": int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())}


def _price(account: StripeAccount, product: str, **fields: Any) -> dict[str, Any]:
    recurring = {"interval": "month", "interval_count": 3, "usage_type": "licensed", "meter": None}
    made = account.put("price", {"product": product, "currency": "eur", "recurring": recurring, **fields})
    return account.get("price", made) or {}


def _subscribe(account: StripeAccount, meter: str) -> None:
    product = account.put("product", {"id": "prod_seats", "name": "Seats"})
    seats = _price(account, product, unit_amount=4000, unit_amount_decimal="4000", nickname="Seat")
    calls = _price(
        account,
        product,
        unit_amount=None,
        unit_amount_decimal="0.125",
        recurring={"interval": "year", "interval_count": 1, "usage_type": "metered", "meter": meter},
    )
    account.put(
        "subscription",
        {"id": "sub_1", "customer": "cus_1", "currency": "eur", "start_date": CREATED}
        | {"metadata": {"salesforce_contract_id": "800X"}, "cancel_at": MONTH["end"]},
    )
    period = {"current_period_start": MONTH["start"], "current_period_end": MONTH["end"], "subscription": "sub_1"}
    account.put("subscription_item", {"id": "si_1", "price": seats, "quantity": 500, **period})
    account.put("subscription_item", {"id": "si_2", "price": calls, "quantity": None, **period})


def _bill(account: StripeAccount) -> None:
    account.put(
        "invoice",
        {"id": "in_1", "customer": "cus_1", "currency": "eur", "number": "7FE1103-1", "status": "open"}
        | {"subtotal": 2_000_000, "total": 2_368_100, "amount_remaining": 2_368_100}
        | {"parent": {"subscription_details": {"subscription": "sub_1"}, "type": "subscription_details"}}
        | {"total_taxes": [{"amount": 378_100, "tax_behavior": "exclusive"}], "due_date": MONTH["end"]}
        | {"status_transitions": {"finalized_at": CREATED + 3600}, "effective_at": CREATED + 3600},
    )
    of_item = {"subscription_item_details": {"subscription": "sub_1", "subscription_item": "si_1"}}
    account.put(
        "line_item",
        {"id": "il_1", "invoice": "in_1", "amount": 2_000_000, "currency": "eur", "quantity": 500, "period": MONTH}
        | {"description": "500 × Seats", "parent": of_item, "discount_amounts": [{"amount": 10_000}]}
        | {"pricing": {"price_details": {"price": "p", "product": "prod_seats"}, "unit_amount_decimal": "4000"}}
        | {"taxes": [{"amount": 378_100, "tax_behavior": "exclusive"}]},
    )
    account.put("credit_note", {"id": "cn_1", "customer": "cus_1", "invoice": "in_1", "total": 1999, "currency": "jpy"})
    account.put(
        "invoice_payment",
        {"id": "inpay_1", "invoice": "in_1", "amount_paid": 1999, "currency": "kwd", "status": "paid"}
        | {"status_transitions": {"paid_at": CREATED, "canceled_at": None}},
    )


@pytest.fixture
def server(clock: Clock) -> Iterator[StripeServer]:
    clock.now = START
    account = StripeAccount(clock)
    account.put("customer", {"id": "cus_1", "name": "Acme", "metadata": {"salesforce_account_id": "001A"}})
    meter = account.put("billing.meter", {"id": "mtr_1", "event_name": "calls"})
    _subscribe(account, meter)
    _bill(account)
    account.put("price", {"id": "price_t", "tiers": [{"up_to": 10, "unit_amount_decimal": "5"}, {"up_to": None}]})
    with StripeServer(account, api_key=KEY, per_s=10_000) as running:
        usage = {"event_name": "calls", "payload[stripe_customer_id]": "cus_1", "payload[value]": "2.5"}
        for _ in range(2):
            assert (
                httpx.post(f"{running.url}/v1/billing/meter_events", data=usage, auth=(KEY, ""), verify=TLS).status_code
                == 200
            )
        yield running


def _read(server: StripeServer, clock: Clock, retries: RetryPolicy, version: str) -> dict[str, dict[str, Row]]:
    mapping = shipped("stripe")
    config = StripeConfig(KEY, server.url, api_version=version, requests_per_s=10_000, retries=retries)
    found: dict[str, dict[str, Row]] = {}
    with closing(Stripe(config, mapping, clock)) as connector:
        for name in mapping.walked:
            for page in connector.changes(name, None):
                result = mapping.objects[name].book(page.records, "stripe", clock())
                assert not result.rejects
                for target, rows in result.rows:
                    found.setdefault(target.entity.name, {}).update((row["key"], row) for row in rows)
    return found


def _has(row: Row, **columns: Any) -> None:
    assert {name: row[name] for name in columns} == columns


@pytest.mark.parametrize("version", ["2026-04-22.dahlia", "2024-06-20"])
def test_every_column(server: StripeServer, clock: Clock, retries: RetryPolicy, version: str) -> None:
    books = _read(server, clock, retries, version)
    _has(books["accounts"]["cus_1"], name="Acme", account_id="cus_1", crm_key="001A", modified_at=START)
    _has(books["products"]["prod_seats"], name="Seats", code="prod_seats", active=True)
    prices = sorted(row["unit_price"] for row in books["prices"].values())
    assert prices == [Decimal(0), Decimal("0.00125"), Decimal(40)]
    _has(books["price_tiers"]["price_t/1"], price_key="price_t", tier=1, from_quantity=0, to_quantity=10)
    _has(books["price_tiers"]["price_t/2"], from_quantity=10, to_quantity=None)
    end = date(2026, 12, 1)
    _has(
        books["subscriptions"]["sub_1"],
        account_id="cus_1",
        status="active",
        contract_key="800X",
        start_date=date(2026, 11, 1),
        end_date=end,
        cancelled_date=end,
        currency="EUR",
        term_type="evergreen",
    )
    _has(
        books["subscription_lines"]["si_1"],
        subscription_key="sub_1",
        charge_type="recurring",
        quantity=500,
        unit_price=40,
        name="Seat",
        price_months=3,
        billing_months=3,
        billing_timing="advance",
        charged_through=end,
    )
    _has(
        books["subscription_lines"]["si_2"],
        charge_type="usage",
        unit_price=Decimal("0.00125"),
        price_months=12,
        quantity=None,
        billing_timing="arrears",
        charged_through=date(2026, 11, 1),
        currency="EUR",
    )
    _has(books["billing_schedules"]["si_1"], subscription_line_key="si_1", quantity=500, charged_through=end)
    _has(
        books["invoices"]["in_1"],
        number="7FE1103-1",
        status="posted",
        total=23_681,
        tax=3_781,
        balance=23_681,
        currency="EUR",
        invoice_date=date(2026, 11, 1),
        due_date=end,
        run_key=None,
        posted_at=START + timedelta(hours=1),
        modified_at=START + timedelta(hours=1),
    )
    _has(
        books["invoice_lines"]["il_1"],
        invoice_key="in_1",
        account_id="cus_1",
        subscription_key="sub_1",
        subscription_line_key="si_1",
        line_version_key="si_1",
        product_code="prod_seats",
        quantity=500,
        unit_price=40,
        amount=20_000,
        tax=3_781,
        period_start=date(2026, 11, 1),
        period_end=end,
    )
    _has(books["invoice_lines"]["il_1/discount"], charge_type="discount", amount=-100, subscription_key="sub_1")
    # The lines, their discounts and their taxes are the total.
    lines = books["invoice_lines"].values()
    assert sum(row["amount"] + (row["tax"] or 0) for row in lines) == books["invoices"]["in_1"]["total"]
    _has(books["credit_memos"]["cn_1"], amount=1999, currency="JPY", invoice_key="in_1", status="posted")
    payment = {"account_id": "cus_1", "invoice_key": "in_1", "paid_date": date(2026, 11, 1)}
    _has(books["payments"]["inpay_1"], amount=Decimal("1.999"), currency="KWD", **payment)
    (usage,) = books["usage_events"].values()
    _has(usage, account_id="cus_1", meter="calls", subject="cus_1", quantity=5, happened_at=START)


def test_usage_that_is_reported_late_is_read_again(server: StripeServer, clock: Clock, retries: RetryPolicy) -> None:
    mapping = shipped("stripe")
    name = "billing.meter_event_summary"
    config = StripeConfig(KEY, server.url, requests_per_s=10_000, retries=retries)
    with closing(Stripe(config, mapping, clock)) as connector:
        position = list(connector.changes(name, None))[-1].position
        assert position
        assert position.stamp == START
        clock.forward(days=34)
        late = {"event_name": "calls", "payload[stripe_customer_id]": "cus_1", "payload[value]": "1"}
        late["timestamp"] = str(CREATED + 60)
        assert (
            httpx.post(f"{server.url}/v1/billing/meter_events", data=late, auth=(KEY, ""), verify=TLS).status_code
            == 200
        )
        records = [record for page in connector.changes(name, position) for record in page.records]
        assert [record["aggregated_value"] for record in records] == [6]
        assert [len(page) for page in connector.census(name)] == [1]
