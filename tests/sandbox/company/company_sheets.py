"""The rows of a company as its systems show them, indexed for the rules, and the billing calendar read off them."""

import csv
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from io import StringIO
from typing import Any

from sandbox.company import Company

Row = Mapping[str, Any]
MONTHS = {"Month": 1, "Quarter": 3, "Semi_Annual": 6, "Annual": 12}
DAY = timedelta(days=1)
FOREVER = date(9999, 12, 31)


class Sheets:
    """The rows of a company, indexed for the rules."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.today = company.now.date()
        self.contracts = by(company.salesforce["Contract"], "Id")
        self.agreed = by(company.salesforce["SBQQ__Subscription__c"], "Id")
        self.charges = company.zuora["RatePlanCharge"]
        self.segments = by(self.charges, "Id")
        self.prices = {row["RatePlanChargeId"]: row.get("Price") for row in company.zuora["RatePlanChargeTier"]}
        self.invoices = by(company.zuora["Invoice"], "Id")
        self.accounts = by(company.zuora["Account"], "Id")
        self.items = company.zuora["InvoiceItem"]

    @cached_property
    def lines(self) -> dict[str, list[Row]]:
        """Segments of each charge, in order."""
        segments = grouped(self.charges, "OriginalId")
        return {key: sorted(rows, key=lambda row: row["Segment"]) for key, rows in segments.items()}

    @cached_property
    def billed(self) -> dict[str, list[Row]]:
        """Invoice items by charge, without those that were taken back and stand on another invoice again."""
        found: dict[str, list[Row]] = defaultdict(list)
        for item in self.items:
            is_discount = item["ProcessingType"] == "1"
            if item["RatePlanChargeId"] and not is_discount and item["Id"] not in self._billed_again:
                found[self.segments[item["RatePlanChargeId"]]["OriginalId"]].append(item)
        return found

    @cached_property
    def _billed_again(self) -> set[str]:
        on = grouped(self.items, "InvoiceId")
        found: set[str] = set()
        for memo in self.company.zuora["InvoiceAdjustment"]:
            again = {_same(item) for item in on.get(memo["RebillInvoiceId__c"] or "", [])}
            found |= {item["Id"] for item in on.get(memo["InvoiceId"] or "", []) if _same(item) in again}
        return found

    @cached_property
    def on_invoice(self) -> dict[str, list[Row]]:
        return grouped(self.items, "InvoiceId")

    @cached_property
    def current(self) -> dict[str, Row]:
        """The newest version of each subscription, by number."""
        versions = sorted(self.company.zuora["Subscription"], key=lambda row: row["Version"])
        return {row["Name"]: row for row in versions}

    @cached_property
    def subscription_of_plan(self) -> dict[str, Row]:
        names = {row["Id"]: row["Name"] for row in self.company.zuora["Subscription"]}
        return {plan["Id"]: self.current[names[plan["SubscriptionId"]]] for plan in self.company.zuora["RatePlan"]}

    @cached_property
    def usage(self) -> list[dict[str, Any]]:
        texts = [text for name, text in self.company.files["metering"].items() if name.startswith("usage/")]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    @cached_property
    def seats(self) -> list[dict[str, str]]:
        return self._metered("seats/")

    @cached_property
    def modules(self) -> list[dict[str, str]]:
        return self._metered("modules/")

    def _metered(self, folder: str) -> list[dict[str, str]]:
        texts = [text for name, text in self.company.files["metering"].items() if name.startswith(folder)]
        return [row for text in texts for row in csv.DictReader(StringIO(text))]

    def currency(self, invoice_id: str) -> str:
        return str(self.invoices[invoice_id]["Currency__c"])


def _same(item: Row) -> tuple[object, ...]:
    return item["RatePlanChargeId"], item["ServiceStartDate"], item["ServiceEndDate"], item["ChargeAmount"]


def by(rows: Iterable[Row], field: str) -> dict[str, Row]:
    return {row[field]: row for row in rows}


def grouped(rows: Iterable[Row], field: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[field]].append(row)
    return groups


def minor(currency: str) -> Decimal:
    return Decimal(1) if currency == "JPY" else Decimal("0.01")


def step_on(sheets: Sheets, line_id: str, day: date) -> str:
    """The step of the ramp that begins with a line, as of a day; the line itself where it is none."""
    steps = [row for row in sheets.agreed.values() if row.get("SBQQ__SegmentKey__c") == line_id]
    begun = [row for row in steps if row["SBQQ__SubscriptionStartDate__c"] <= day]
    return str(max(begun, key=lambda row: row["SBQQ__SegmentIndex__c"])["Id"]) if begun else line_id


def agreed_quantity(sheets: Sheets, line_id: str, day: date) -> Decimal:
    """The quantity of a contract line on a day, its changes counted in."""
    line_id = step_on(sheets, line_id, day)
    rows = [row for row in sheets.agreed.values() if row.get("SBQQ__RevisedSubscription__c") == line_id]
    own = sheets.agreed[line_id]["SBQQ__Quantity__c"]
    return Decimal(own + sum(row["SBQQ__Quantity__c"] for row in rows if row["SBQQ__SubscriptionStartDate__c"] <= day))


def agreed_price(sheets: Sheets, line_id: str, day: date) -> Decimal:
    """The price of a contract line on a day, with the components that are billed with it."""
    line = sheets.agreed[step_on(sheets, line_id, day)]
    products = by(sheets.company.salesforce["Product2"], "Id")
    code = products[line["SBQQ__Product__c"]]["ProductCode"]
    parts = [
        row["SBQQ__NetPrice__c"]
        for row in sheets.agreed.values()
        if row["SBQQ__Contract__c"] == line["SBQQ__Contract__c"]
        and products[row["SBQQ__Product__c"]]["Rollup_Code__c"] == code
    ]
    return Decimal(risen(line, line["SBQQ__NetPrice__c"], day) + sum(parts))


def is_of_earlier_terms(sheets: Sheets, line_id: str, item: Row) -> bool:
    """Whether a ramp or an uplift once had the quantity, and once the price, of an invoice item."""
    line = sheets.agreed[line_id]
    if not (line.get("SBQQ__SegmentKey__c") or line.get("Uplift_Rate__c")):
        return False
    day, days = line["SBQQ__SubscriptionStartDate__c"], []
    while day <= item["ServiceStartDate"]:
        days.append(day)
        day = _month_day(day, 1, day.day)
    quantities = {agreed_quantity(sheets, line_id, day) for day in days}
    return item["Quantity"] in quantities and item["UnitPrice"] in {agreed_price(sheets, line_id, day) for day in days}


def risen(row: Row, price: Decimal, day: date) -> Decimal:
    """A price after the rises of a row that have come by a day, each rounded half up."""
    if not row.get("Uplift_Rate__c") or row["Uplift_Waived__c"]:
        return price
    rate, fixed_on = row["Uplift_Rate__c"], row["Uplift_Fixed_On__c"]
    if row["Uplift_Index__c"]:
        rate = min(rate, row["Uplift_Cap__c"] or rate)
        rate = max(rate, row["Uplift_Floor__c"] or rate)
        if fixed_on is None or fixed_on > day:
            return price
    agreed = row["Uplift_From__c"]
    while agreed <= day:
        price = (price * (100 + rate) / 100).quantize(minor(row["CurrencyIsoCode"]), ROUND_HALF_UP)
        if not row["Uplift_Months__c"]:
            break
        agreed = _month_day(agreed, row["Uplift_Months__c"], agreed.day)
    return price


def due_periods(sheets: Sheets, segments: Sequence[Row], subscription: Row) -> list[tuple[date, date]]:
    """Billing periods of a line that are due: by bill day where it bills monthly, else from the start of the term."""
    last = segments[-1]
    months = MONTHS[last["BillingPeriod"]]
    began = subscription["SubscriptionStartDate"]
    bill_day = sheets.accounts[subscription["AccountId"]]["BillCycleDay"] if months == 1 else began.day
    first = max(last["LineStartDate__c"], last["FreeUntil__c"] or last["LineStartDate__c"])
    end = last["EffectiveEndDate"] or FOREVER
    bounds = [_month_day(began, step * months, bill_day) for step in range(-1, 40)]
    found = []
    day = first
    while day < min(end, sheets.today + DAY):
        until = min(bounds[bisect_right(bounds, day)], end)
        if last["BillingTiming"] == "IN_ADVANCE" or until <= sheets.today:
            found.append((day, until))
        day = until
    return found


def _month_day(day: date, months: int, on: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, on)


def months_of(sheets: Sheets, segment: Row, item: Row) -> Decimal:
    length = MONTHS[segment["BillingPeriod"]]
    subscription = sheets.subscription_of_plan[segment["RatePlanId"]]
    began = subscription["SubscriptionStartDate"]
    bill_day = sheets.accounts[subscription["AccountId"]]["BillCycleDay"] if length == 1 else began.day
    bounds = [_month_day(began, step * length, bill_day) for step in range(-1, 40)]
    place = bisect_right(bounds, item["ServiceStartDate"])
    whole = (bounds[place] - bounds[place - 1]).days
    days = (item["ServiceEndDate"] + DAY - item["ServiceStartDate"]).days
    return Decimal(length * days) / whole


def in_force_and_billed(segments: Sequence[Row], items: Sequence[Row], day: date) -> tuple[Decimal, Decimal]:
    """The quantity in force on a day, and the quantity billed for it."""
    wanted = sum(s["Quantity"] for s in segments if s["EffectiveStartDate"] <= day < (s["EffectiveEndDate"] or FOREVER))
    net = sum(i["Quantity"] for i in items if i["ServiceStartDate"] <= day <= i["ServiceEndDate"])
    return Decimal(wanted), Decimal(net)
