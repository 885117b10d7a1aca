"""Rules of invoicing that hold in a company without defects, whatever check a breach of them would belong to."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.sandbox.company.company_rules import Broken
from tests.sandbox.company.company_sheets import Sheets, due_periods, in_force_and_billed, minor, months_of

NOT_METERED = {"Seat overage", "Consulting", "Shortfall of the commitment"}
"""Charges for usage of which no event says how much it was."""


def other_quantity_in_force(sheets: Sheets) -> Broken:
    """Days of due periods on which the billed lines of a charge, credits counted in, are not the segment's quantity."""
    broken: Broken = set()
    for key, segments in sheets.lines.items():
        if segments[0]["ChargeType"] != "Recurring":
            continue
        subscription = sheets.subscription_of_plan[segments[0]["RatePlanId"]]
        for start, end in due_periods(sheets, segments, subscription):
            for day in {start, *(s["EffectiveStartDate"] for s in segments if start < s["EffectiveStartDate"] < end)}:
                wanted, net = in_force_and_billed(segments, sheets.billed[key], day)
                if wanted != net:
                    broken.add(("subscription_lines", key, day))
    return broken


def billed_on_another_day(sheets: Sheets) -> Broken:
    """Lines in advance that a run does not invoice on their first day, and others before their last has passed."""
    broken: Broken = set()
    for key, items in sheets.billed.items():
        charge = sheets.lines[key][0]
        for item in items:
            invoice = sheets.invoices[item["InvoiceId"]]
            if invoice["Source"] == "AdHoc":
                continue
            day = invoice["InvoiceDate"]
            in_advance = charge["ChargeType"] == "Recurring" and charge["BillingTiming"] == "IN_ADVANCE"
            is_right = day == item["ServiceStartDate"] if in_advance else day > item["ServiceEndDate"]
            if charge["ChargeType"] != "OneTime" and not is_right:
                broken.add(("invoice_lines", item["Id"], item["ServiceStartDate"]))
    return broken


def wrong_amounts(sheets: Sheets) -> Broken:
    """Lines that are not quantity × price × months, days of a cut period over those of the whole."""
    broken: Broken = set()
    for item in sheets.items:
        # What was rated by tiers has no single price, a discount none at all; the score compares both.
        if item["UnitPrice"] is None or item["ProcessingType"] == "1":
            continue
        segment = sheets.segments[item["RatePlanChargeId"]] if item["RatePlanChargeId"] else None
        months = Decimal(1)
        if segment is not None and segment["ChargeType"] == "Recurring":
            months = months_of(sheets, segment, item)
        unit = minor(sheets.currency(item["InvoiceId"]))
        if abs(item["Quantity"] * item["UnitPrice"] * months - item["ChargeAmount"]) > unit * Decimal("0.5000001"):
            broken.add(("invoice_lines", item["Id"], item["ServiceStartDate"]))
    return broken


def wrong_usage(sheets: Sheets) -> Broken:
    """Metered days whose lines are not together the events that had arrived when the last of them was made."""
    events: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in sheets.usage:
        if event["charge"]:
            events[event["charge"]].setdefault(event["event_id"], event)
    zones = {row["CrmId"]: ZoneInfo(row["BillingTimeZone__c"]) for row in sheets.accounts.values()}
    runs = {row["Id"]: row["ExecutedDate"] for row in sheets.company.zuora["BillRun"]}
    broken: Broken = set()
    for key, segments in sheets.lines.items():
        if segments[0]["ChargeType"] != "Usage" or segments[0]["Name"] in NOT_METERED:
            continue
        days = [
            (datetime.fromisoformat(event["happened_at"]).astimezone(zones[event["customer"]]).date(), event)
            for event in events[segments[0]["ChargeNumber"]].values()
        ]
        billed: dict[tuple[date, date], list[Any]] = defaultdict(list)
        for item in sheets.billed.get(key, []):
            billed[item["ServiceStartDate"], item["ServiceEndDate"]].append(item)
        for (first, last), items in billed.items():
            if sum(item["Quantity"] for item in items) == 0:
                continue  # billed by mistake, and taken back
            made = max(runs[sheets.invoices[item["InvoiceId"]]["SourceId"]] for item in items)
            within = [event for day, event in days if first <= day <= last]
            arrived = [event for event in within if datetime.fromisoformat(event["received_at"]) <= made]
            if sum(int(event["quantity"]) for event in arrived) != sum(item["Quantity"] for item in items):
                broken.add(("invoice_lines", items[0]["Id"], first))
    return broken
