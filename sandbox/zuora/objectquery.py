"""GET /object-query/{objects}: filtered lists with a cursor ("Expand, filter, fields, and sort").

The cursor is a position in the list as it is now, as in the vendor's sample for invoices: a record that
appears or disappears between two pages shifts the rest. `expand[]` is not offered here and is refused.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.zuora.calls import Answer, Call, json_answer
from sandbox.zuora.errors import INVALID_PARAMETER, NOT_FOUND, BadRequest, Fault
from sandbox.zuora.invoices import currency
from sandbox.zuora.matching import operand
from sandbox.zuora.schema import Row, Value
from sandbox.zuora.tenant import ZuoraTenant
from sandbox.zuora.wire import Json, camel, camel_row, object_query_instant

DEFAULT_PAGE = 10
MAX_PAGE = 99
OBJECTS: Mapping[str, str] = {
    "accounts": "Account",
    "amendments": "Amendment",
    "billing-runs": "BillRun",
    "invoice-items": "InvoiceItem",
    "invoices": "Invoice",
    "payments": "Payment",
    "product-rate-plan-charges": "ProductRatePlanCharge",
    "product-rate-plans": "ProductRatePlan",
    "products": "Product",
    "rate-plan-charge-tiers": "RatePlanChargeTier",
    "rate-plan-charges": "RatePlanCharge",
    "rate-plans": "RatePlan",
    "subscriptions": "Subscription",
    "usages": "Usage",
}
# What may stand in filter[] and sort[] beside custom fields ("List accounts", "List invoices", "List invoice
# items"); of the other objects every field may.
INDEXED: Mapping[str, str] = {
    "Account": "Id UpdatedDate AccountNumber Balance Batch BillCycleDay CrmId Currency DefaultPaymentMethodId"
    " LastInvoiceDate Name ParentId Status BillToId SoldToId",
    "Invoice": "Id UpdatedDate AccountId Amount Balance DueDate InvoiceDate InvoiceNumber Reversed SourceId SourceType"
    " Status",
    "InvoiceItem": "Id UpdatedDate RatePlanChargeId InvoiceId ChargeDate ChargeNumber ServiceStartDate SubscriptionId"
    " SubscriptionNumber",
}
_FILTER = re.compile(r"(?P<field>\w+)\.(?P<operator>EQ|NE|LT|GT|LE|GE|SW|IN):(?P<value>.*)", re.I | re.S)
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "LT": lambda a, b: bool(a < b),
    "GT": lambda a, b: bool(a > b),
    "LE": lambda a, b: bool(a <= b),
    "GE": lambda a, b: bool(a >= b),
}


@dataclass(frozen=True, slots=True)
class _Filter:
    """`values` are folded like the values of the field that they are compared with."""

    field: str
    kind: str
    operator: str
    values: tuple[Value | None, ...]

    def accepts(self, row: Row) -> bool:
        value = _folded(self.kind, row.get(self.field))
        if self.operator in ("EQ", "IN"):
            return value in self.values
        if self.operator == "NE":
            return value not in self.values
        wanted = self.values[0]
        if value is None or wanted is None:
            return False
        if self.operator == "SW":
            return str(value).startswith(str(wanted))
        return _ORDERED[self.operator](value, wanted)


class ObjectQueries:
    def __init__(self, tenant: ZuoraTenant) -> None:
        self._tenant = tenant

    def list(self, call: Call) -> Answer:
        plural = call.keys["objects"]
        if plural not in OBJECTS:
            raise BadRequest(NOT_FOUND, f"There is no object query for {plural!r}.")
        if any(key == "expand[]" for key, _ in call.query):
            raise BadRequest(INVALID_PARAMETER, "This simulator does not expand; ask for the other object.")
        object_name = OBJECTS[plural]
        if object_name not in self._tenant.records.visible_objects():
            raise BadRequest(NOT_FOUND, f"There is no object query for {plural!r}.")
        filters = [self._filter(object_name, text) for key, text in call.query if key == "filter[]"]
        if object_name == "InvoiceItem" and not filters:
            raise BadRequest(INVALID_PARAMETER, "A query of invoice items needs a filter[].")
        rows = [row for row in self._candidates(object_name, filters) if all(f.accepts(row) for f in filters)]
        return self._page(call, object_name, self._sorted(object_name, rows, call.parameter("sort[]")))

    def _candidates(self, object_name: str, filters: Sequence[_Filter]) -> Sequence[Row]:
        """Ids compare with their case, so an index may answer for them."""
        for each in filters:
            if each.operator in ("EQ", "IN") and each.kind == "id" and None not in each.values:
                return self._tenant.records.where(object_name, each.field, [str(v) for v in each.values])
        return self._tenant.records.rows(object_name)

    def _page(self, call: Call, object_name: str, rows: Sequence[Row]) -> Answer:
        size, start = _page_size(call.parameter("pageSize")), _position(call.parameter("cursor"))
        data: Sequence[Json] = [self._shown(call, object_name, row) for row in rows[start : start + size]]
        body: dict[str, Json] = {"data": data}
        if start + size < len(rows):
            body["nextPage"] = base64.b64encode(str(start + size).encode()).decode()
        return json_answer(body)

    def _shown(self, call: Call, object_name: str, row: Row) -> dict[str, Json]:
        fields = self._tenant.records.visible_fields(object_name)
        shown = camel_row(row, fields, self._tenant.zone, object_query_instant)
        if object_name == "Invoice":
            shown["currency"] = currency(self._tenant, row)
        wanted = _wanted(call, object_name)
        with_nulls = (call.parameter("includeNullFields") or "").lower() == "true"
        return {
            name: value
            for name, value in shown.items()
            if (wanted is None or name.lower() in wanted) and (with_nulls or value is not None)
        }

    def _filter(self, object_name: str, text: str) -> _Filter:
        match = _FILTER.fullmatch(text)
        if match is None:
            raise BadRequest(INVALID_PARAMETER, f"The filter {text!r} is not of the form field.EQ:value.")
        name = self._field(object_name, match["field"])
        sign, value = match["operator"].upper(), match["value"]
        kind = self._tenant.records.fields(object_name)[name]
        texts = value.strip("[]").split(",") if sign == "IN" else [value]
        try:
            values = tuple(self._value(name, kind, each) for each in texts)
        except Fault as fault:
            raise BadRequest(INVALID_PARAMETER, str(fault)) from None
        return _Filter(name, kind, sign, values)

    def _value(self, name: str, kind: str, text: str) -> Value | None:
        if text == "null":
            return None
        literal = text.lower() == "true" if kind == "boolean" and text.lower() in ("true", "false") else text
        return _folded(kind, operand(name, kind, literal, self._tenant.zone))

    def _field(self, object_name: str, name: str) -> str:
        fields = self._tenant.records.visible_fields(object_name)
        allowed = INDEXED[object_name].split() if object_name in INDEXED else fields.keys()
        for known in fields:
            if known.lower() == name.lower() and (known in allowed or known.endswith("__c")):
                return known
        raise BadRequest(INVALID_PARAMETER, f"{camel(object_name)} cannot be filtered or sorted by {name!r}.")

    def _sorted(self, object_name: str, rows: Sequence[Row], order: str | None) -> Sequence[Row]:
        """By the one field asked for, else the latest change first, as the vendor's cursors show; empty
        fields last."""
        name, _, direction = (order or "UpdatedDate.DESC").rpartition(".")
        if direction.upper() not in ("ASC", "DESC"):
            raise BadRequest(INVALID_PARAMETER, f"The order {order!r} is not of the form field.ASC.")
        field, down = self._field(object_name, name), direction.upper() == "DESC"
        filled: list[tuple[Any, str, Row]] = [(r[field], str(r["Id"]), r) for r in rows if field in r]
        filled.sort(key=lambda entry: entry[:2], reverse=down)
        return [row for _, _, row in filled] + [row for row in rows if field not in row]


def _folded(kind: str, value: Value | None) -> Value | None:
    """Texts compare without their case; ids are never written in another."""
    return value.lower() if isinstance(value, str) and kind != "id" else value


def _wanted(call: Call, object_name: str) -> frozenset[str] | None:
    names = ("fields[]", f"{object_name.lower()}.fields[]")
    asked = [name for key, text in call.query if key.lower() in names for name in text.split(",")]
    return frozenset(name.strip().lower() for name in asked) if asked else None


def _page_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise BadRequest(INVALID_PARAMETER, f"pageSize must be a number from 1 to {MAX_PAGE}, not {text!r}.")
    return int(text)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor, validate=True)
    except ValueError:
        text = b""
    if not text.isdigit():
        raise BadRequest(INVALID_PARAMETER, f"The cursor {cursor!r} is not one that was given out.")
    return int(text)
