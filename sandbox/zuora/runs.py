"""v1 operations on bill runs (shapes from "Create a bill run" and its neighbours)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sandbox.zuora.calls import Answer, Call, day, json_answer
from sandbox.zuora.errors import INVALID_VALUE, MISSING_FIELD, RULE, Rejection
from sandbox.zuora.schema import Row, Value
from sandbox.zuora.tenant import ZuoraTenant
from sandbox.zuora.wire import Json, plain, v1_instant

FLAGS = ("autoPost", "autoEmail", "autoRenewal", "noEmailForZeroAmountInvoice")
CHARGE_TYPES = ("OneTime", "Recurring", "Usage")
MAX_EXCLUDED = 2


class Runs:
    """Each answer shows the run as it stands after the request, so a started move is in progress there."""

    def __init__(self, tenant: ZuoraTenant) -> None:
        self._tenant = tenant
        self._orders: dict[str, Mapping[str, Any]] = {}

    def create(self, call: Call) -> Answer:
        body = call.json()
        _check_scope(body)
        fields: dict[str, Value | None] = {
            "TargetDate": day(body, "targetDate"),
            "InvoiceDate": day(body, "invoiceDate", self._today()),
            "Name": _optional_text(body, "name"),
            "Batches": ",".join(_texts(body, "batches")) or None,
            "BillCycleDay": None if body.get("billCycleDay") is None else str(body["billCycleDay"]),
            "ChargeTypeToExclude": ",".join(_excluded(body)) or None,
            "AccountId": _single_account(body),
        }
        for flag in FLAGS:
            fields[flag[0].upper() + flag[1:]] = self._flag(body, flag)
        run = self._tenant.bill_runs.create(fields)
        self._orders[str(run["Id"])] = body
        return self._answer(run)

    def retrieve(self, call: Call) -> Answer:
        return self._answer(self._tenant.bill_runs.find(call.keys["key"]))

    def post(self, call: Call) -> Answer:
        run = self._tenant.bill_runs.find(call.keys["key"])
        return self._answer(self._tenant.bill_runs.post(run, day(call.json(), "invoiceDate")))

    def cancel(self, call: Call) -> Answer:
        call.json()
        return self._answer(self._tenant.bill_runs.cancel(self._tenant.bill_runs.find(call.keys["key"])))

    def delete(self, call: Call) -> Answer:
        return self._answer(self._tenant.bill_runs.delete(self._tenant.bill_runs.find(call.keys["key"])))

    def _today(self) -> date:
        return self._tenant.clock().astimezone(self._tenant.zone).date()

    def _flag(self, body: Mapping[str, Any], name: str) -> bool:
        value = body.get(name, False)
        if not isinstance(value, bool):
            raise Rejection(INVALID_VALUE, f"{name!r} must be true or false, not {value!r}.")
        if value and name in ("autoPost", "autoEmail") and not self._tenant.auto_post:
            raise Rejection(RULE, f"{name!r} needs the billing rule 'Support Bill Run Auto-Post?', which is off.")
        return value

    def _answer(self, run: Row) -> Answer:
        order = self._orders.get(str(run["Id"]), {})
        stored = {"createdDate": "CreatedDate", "updatedDate": "UpdatedDate", "status": "Status", "id": "Id"}
        stored |= {"billRunNumber": "BillRunNumber", "name": "Name", "billCycleDay": "BillCycleDay"}
        stored |= {"targetDate": "TargetDate", "invoiceDate": "InvoiceDate"}
        stored |= {flag: flag[0].upper() + flag[1:] for flag in FLAGS}
        body: dict[str, Json] = {
            key: plain(run[field], self._tenant.zone, v1_instant) if field in run else None
            for key, field in stored.items()
        }
        for key in ("batches", "billRunFilters", "chargeTypeToExclude", "schedule"):
            body[key] = order.get(key)
        if body["batches"] is None and run.get("Batches"):
            body["batches"] = str(run["Batches"]).split(",")
        user = self._tenant.user_id
        return json_answer({**body, "createdById": user, "updatedById": user, "success": True})


def _check_scope(body: Mapping[str, Any]) -> None:
    batches, filters = body.get("batches"), body.get("billRunFilters")
    if bool(batches) == bool(filters):
        raise Rejection(MISSING_FIELD, "Name either 'batches' or 'billRunFilters', and not both.")
    if filters and not (isinstance(filters, list) and all(isinstance(entry, dict) for entry in filters)):
        raise Rejection(INVALID_VALUE, "'billRunFilters' must be a list of objects.")


def _single_account(body: Mapping[str, Any]) -> str | None:
    """The account that all filters name. Raises Rejection for more than one."""
    accounts = {str(entry["accountId"]) for entry in body.get("billRunFilters") or () if "accountId" in entry}
    if len(accounts) > 1:
        raise Rejection(RULE, "The filters of a bill run may name one account only.")
    return next(iter(accounts), None)


def _excluded(body: Mapping[str, Any]) -> list[str]:
    kinds = _texts(body, "chargeTypeToExclude")
    if len(kinds) > MAX_EXCLUDED or not set(kinds) <= set(CHARGE_TYPES):
        raise Rejection(INVALID_VALUE, f"'chargeTypeToExclude' takes at most two of {', '.join(CHARGE_TYPES)}.")
    return kinds


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    values = body.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Rejection(INVALID_VALUE, f"{name!r} must be a list of texts.")
    return values


def _optional_text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Rejection(INVALID_VALUE, f"{name!r} must be a text, not {value!r}.")
    return value
