"""v1 operations on one invoice: read it, list its items, delete a draft (shapes from "Retrieve an invoice",
"List all items of an invoice" and "Delete an invoice")."""

from collections.abc import Mapping, Sequence

from sandbox.zuora.calls import Answer, Call, json_answer
from sandbox.zuora.errors import NOT_FOUND, Rejection
from sandbox.zuora.ids import make_id
from sandbox.zuora.schema import Row
from sandbox.zuora.tenant import ZuoraTenant
from sandbox.zuora.wire import Json, camel_row, plain, v1_instant

DEFAULT_PAGE = 20
MAX_PAGE = 40

# An item's names differ from the ones in ZOQL; custom fields are added under their own.
ITEM_NAMES: Mapping[str, str] = {
    "id": "Id",
    "appliedToItemId": "AppliedToInvoiceItemId",
    "chargeAmount": "ChargeAmount",
    "chargeDate": "ChargeDate",
    "chargeDescription": "ChargeDescription",
    "chargeId": "RatePlanChargeId",
    "chargeName": "ChargeName",
    "chargeNumber": "ChargeNumber",
    "productName": "ProductName",
    "quantity": "Quantity",
    "serviceEndDate": "ServiceEndDate",
    "serviceStartDate": "ServiceStartDate",
    "sku": "SKU",
    "subscriptionId": "SubscriptionId",
    "subscriptionName": "SubscriptionNumber",
    "taxAmount": "TaxAmount",
    "unitOfMeasure": "UOM",
    "unitPrice": "UnitPrice",
}
PROCESSING_TYPES = {"0": "Charge", "1": "Discount", "2": "Prepayment", "3": "Tax"}


class Invoices:
    def __init__(self, tenant: ZuoraTenant) -> None:
        self._tenant = tenant

    def retrieve(self, call: Call) -> Answer:
        invoice = self._find(call.keys["key"])
        records, zone = self._tenant.records, self._tenant.zone
        body = camel_row(invoice, records.fields("Invoice"), zone, v1_instant)
        run = self._tenant.bill_runs.run_of(invoice)
        # v1 shows the day of posting only, and takes the currency from the account.
        posted = body["postedDate"]
        body["postedDate"] = posted[:10] if isinstance(posted, str) else None
        body["billRunId"] = str(run["Id"]) if run else None
        body["currency"] = currency(self._tenant, invoice)
        return json_answer({**body, "success": True})

    def items(self, call: Call) -> Answer:
        invoice = self._find(call.keys["key"])
        items = self._tenant.records.where("InvoiceItem", "InvoiceId", [invoice["Id"]])
        items.sort(key=lambda item: str(item["Id"]))
        size = min(_positive(call.parameter("pageSize"), DEFAULT_PAGE), MAX_PAGE)
        page = _positive(call.parameter("page"), 1)
        shown: Sequence[Json] = [self._item(item) for item in items[(page - 1) * size : page * size]]
        body: dict[str, Json] = {"invoiceItems": shown, "success": True}
        if page * size < len(items):
            body["nextPage"] = f"{call.base_url}{call.path}?page={page + 1}&pageSize={size}"
        return json_answer(body)

    def delete(self, call: Call) -> Answer:
        invoice = self._find(call.keys["key"])
        self._tenant.bill_runs.delete_invoice(invoice)
        identity = str(invoice["Id"])
        job = make_id(f"Job {identity}", 1)
        return json_answer({"id": identity, "jobId": job, "jobStatus": "Completed", "success": True})

    def _find(self, key: str) -> Row:
        records = self._tenant.records
        found = records.where("Invoice", "Id", [key]) or records.where("Invoice", "InvoiceNumber", [key])
        if not found:
            raise Rejection(NOT_FOUND, f"Cannot find an invoice with the id or number {key!r}.")
        return found[0]

    def _item(self, item: Row) -> dict[str, Json]:
        custom = [name for name in self._tenant.records.fields("InvoiceItem") if name.endswith("__c")]
        names = {**ITEM_NAMES, **dict(zip(custom, custom, strict=True))}
        kind = str(item.get("ProcessingType", "0"))
        charge = self._tenant.records.where("RatePlanCharge", "Id", [item.get("RatePlanChargeId", "")])
        shown: dict[str, Json] = {
            key: plain(item[field], self._tenant.zone, v1_instant) if field in item else None
            for key, field in names.items()
        }
        return {
            **shown,
            "processingType": PROCESSING_TYPES.get(kind, kind),
            "chargeType": str(charge[0]["ChargeType"]) if charge and "ChargeType" in charge[0] else None,
            "taxationItems": {"data": []},
        }


def currency(tenant: ZuoraTenant, invoice: Row) -> str | None:
    """The currency of the invoice's account: an Invoice has none of its own in ZOQL."""
    account = tenant.records.where("Account", "Id", [invoice.get("AccountId", "")])
    return str(account[0]["Currency"]) if account and "Currency" in account[0] else None


def _positive(text: str | None, default: int) -> int:
    """Zuora takes its default for a number that is missing or makes no sense."""
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default
