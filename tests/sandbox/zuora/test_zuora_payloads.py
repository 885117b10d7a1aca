"""Answers of real tenants, given back by the simulator as they were."""

import csv
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from sandbox.zuora import STANDARD_OBJECTS, ZuoraTenant
from sandbox.zuora.schema import SYSTEM_FIELDS, Value

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
PAYLOADS = SHARED / "guardian_invoicing_api" / "refund"
EXPORTS = SHARED / "fivetran_zuora"
# Fields that queries know and that this export leaves out; three of them stand in the answers above.
QUERIED_ONLY = {"ProductName", "ChargeNumber", "SubscriptionNumber", "ChargeDescription"}
CLOCK = datetime.fromisoformat("2026-11-20T00:00:00+00:00")

needs_payloads = pytest.mark.skipif(not PAYLOADS.is_dir(), reason=f"no real answers at {PAYLOADS}")
needs_exports = pytest.mark.skipif(not EXPORTS.is_dir(), reason=f"no exports of a real tenant at {EXPORTS}")


def typed(kind: str, value: Any) -> Value:
    if kind == "datetime":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "decimal":
        return Decimal(str(value))
    text: Value = value
    return text


@needs_payloads
@pytest.mark.parametrize(
    ("file", "object_name"),
    [
        ("invoices.json", "Invoice"),
        ("invoices-2.json", "Invoice"),
        ("invoice-items.json", "InvoiceItem"),
        ("invoice-items-2.json", "InvoiceItem"),
    ],
)
def test_a_real_query_result_comes_back_unchanged(
    connect: Callable[[ZuoraTenant], httpx.Client], file: str, object_name: str
) -> None:
    real = json.loads((PAYLOADS / file).read_text(), parse_float=Decimal)
    tenant = ZuoraTenant(lambda: CLOCK, ZoneInfo("Europe/London"))
    fields = {**SYSTEM_FIELDS, **STANDARD_OBJECTS[object_name]}
    for record in real["records"]:
        tenant.put(object_name, {name: typed(fields[name], value) for name, value in record.items()})
    names = sorted({name for record in real["records"] for name in record})
    query = {"queryString": f"select {', '.join(names)} from {object_name}"}
    answer = connect(tenant).post("/v1/action/query", json=query).json(parse_float=Decimal)
    assert by_id(answer["records"]) == by_id(real["records"])
    assert (answer["size"], answer["done"]) == (real["size"], real["done"])


def by_id(records: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {record["Id"]: record for record in records}


@needs_exports
@pytest.mark.parametrize(
    ("file", "object_name", "ours"),
    [
        ("zuora_account_data.csv", "Account", set()),
        ("zuora_amendment_data.csv", "Amendment", {"InitialTerm"}),
        ("zuora_subscription_data.csv", "Subscription", set()),
        ("zuora_rate_plan_data.csv", "RatePlan", set()),
        ("zuora_rate_plan_charge_data.csv", "RatePlanCharge", set()),
        ("zuora_invoice_data.csv", "Invoice", set()),
        ("zuora_invoice_item_data.csv", "InvoiceItem", QUERIED_ONLY),
        ("zuora_payment_data.csv", "Payment", set()),
        ("zuora_invoice_payment_data.csv", "InvoicePayment", set()),
        ("zuora_product_data.csv", "Product", set()),
        ("zuora_product_rate_plan_data.csv", "ProductRatePlan", set()),
        ("zuora_product_rate_plan_charge_data.csv", "ProductRatePlanCharge", set()),
    ],
)
def test_every_field_of_ours_is_in_a_real_export(file: str, object_name: str, ours: set[str]) -> None:
    with (EXPORTS / file).open(newline="") as lines:
        columns = {name.replace("_", "") for name in next(csv.reader(lines))}
    unknown = {name for name in STANDARD_OBJECTS[object_name] if name.lower() not in columns}
    assert unknown == ours
