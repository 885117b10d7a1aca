"""What must hold in the rows of a healthy company, each rule as the set of records that break it.

The rules read the rows as the systems show them, and share nothing with the code that made them.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from tests.sandbox.company.company_credits import CREDIT_RULES
from tests.sandbox.company.company_sheets import (
    DAY,
    Row,
    Sheets,
    agreed_price,
    agreed_quantity,
    by,
    due_periods,
    in_force_and_billed,
    is_of_earlier_terms,
    minor,
)

Broken = set[tuple[str, str, date | None]]
"""(entity, key, first day of the period or None)."""


def totals_that_do_not_add(sheets: Sheets) -> Broken:
    """Beyond half a minor unit for each line."""
    broken: Broken = set()
    for invoice in sheets.invoices.values():
        items = sheets.on_invoice[invoice["Id"]]
        said = sum(item["ChargeAmount"] + item["TaxAmount"] for item in items)
        allowed = minor(invoice["Currency__c"]) / 2 * len(items)
        tax = sum(item["TaxAmount"] for item in items)
        if abs(invoice["Amount"] - said) > allowed or invoice["TaxAmount"] != tax:
            broken.add(("invoices", invoice["Id"], invoice["InvoiceDate"]))
    return broken


def not_in_erp(sheets: Sheets) -> Broken:
    """Posted more than a day ago, and not there with the same total."""
    there = {
        row["custbody_billing_invoice"]: row
        for row in sheets.company.netsuite["transaction"]
        if row["type"] == "CustInvc"
    }
    broken: Broken = set()
    for invoice in sheets.invoices.values():
        posted = invoice["PostedDate"]
        if posted is None or posted > sheets.company.now - DAY:
            continue
        copy = there.get(invoice["InvoiceNumber"])
        if copy is None or copy["foreigntotal"] != invoice["Amount"]:
            broken.add(("invoices", invoice["Id"], None))
    return broken


def without_revenue(sheets: Sheets) -> Broken:
    """Lines recognised over time without an element of the same amount and period."""
    elements = {row["referenceid"]: row for row in sheets.company.netsuite["revenueelement"]}
    broken: Broken = set()
    for line in sheets.company.netsuite["transactionline"]:
        if line.get("custcol_recognition") != "Over time":
            continue
        element = elements.get(f"CustInvc_{line['uniquekey']}")
        if element is None or element["allocationamount"] != -line["foreignamount"]:
            broken.add(("invoice_lines", str(line["uniquekey"]), line["custcol_service_start"]))
    return broken


def repeated_events(sheets: Sheets) -> Broken:
    """Every arrival of an event id after the first."""
    seen: set[str] = set()
    broken: Broken = set()
    for event in sorted(sheets.usage, key=lambda event: (event["received_at"], event["record_id"])):
        if event["event_id"] in seen:
            broken.add(("usage_events", event["record_id"], None))
        seen.add(event["event_id"])
    return broken


def usage_of_nobody(sheets: Sheets) -> Broken:
    """The first event of each customer (or subject), meter and month that no account of the CRM owns."""
    known = {row["Id"] for row in sheets.company.salesforce["Account"]}
    settled = sheets.company.now - 3 * DAY
    broken: Broken = set()
    groups: set[tuple[str, str, str]] = set()
    for event in sorted(sheets.usage, key=lambda event: (event["happened_at"], event["record_id"])):
        group = (event["customer"] or event["subject"], event["meter"], event["happened_at"][:7])
        late = datetime.fromisoformat(event["received_at"]) > settled
        if event["customer"] in known or event["test"] or late or group in groups:
            continue
        groups.add(group)
        month = date.fromisoformat(event["happened_at"][:10]).replace(day=1)
        broken.add(("usage_events", event["record_id"], month))
    return broken


def unbilled_seats(sheets: Sheets) -> Broken:
    """Months above what is included without a line for exactly the seats above."""
    overage: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for line in sheets.lines.values():
        if line[0]["Name"] == "Seat overage":
            for item in sheets.billed.get(line[0]["OriginalId"], []):
                overage[line[0]["ContractLineId__c"], item["ServiceStartDate"]] += item["Quantity"]
    broken: Broken = set()
    for count in sheets.seats:
        month = date.fromisoformat(count["month"] + "-01")
        included = sheets.agreed[count["contract_line_id"]]["Included_Quantity__c"]
        above = max(Decimal(count["active_seats"]) - included, Decimal(0))
        if count["trial"] == "false" and overage[count["contract_line_id"], month] != above:
            broken.add(("entitlements", f"{count['contract_line_id']}/{count['month']}", month))
    return broken


def other_terms(sheets: Sheets) -> Broken:
    """Positive recurring lines whose quantity or price is not the contract's on their first day, nor what it was."""
    broken: Broken = set()
    for key, items in sheets.billed.items():
        charge = sheets.lines[key][0]
        line_id = charge["ContractLineId__c"]
        if charge["ChargeType"] != "Recurring" or line_id is None:  # None where it was agreed by letter alone
            continue
        for item in items:
            price = agreed_price(sheets, line_id, item["ServiceStartDate"])
            quantity = agreed_quantity(sheets, line_id, item["ServiceStartDate"])
            if item["ProcessingType"] != "0" or (item["Quantity"], item["UnitPrice"]) == (quantity, price):
                continue
            if not is_of_earlier_terms(sheets, line_id, item):
                broken.add(("invoice_lines", item["Id"], item["ServiceStartDate"]))
    return broken


def billed_after_the_end(sheets: Sheets) -> Broken:
    """Lines for days after the cancellation of their subscription."""
    broken: Broken = set()
    for key, items in sheets.billed.items():
        subscription = sheets.subscription_of_plan[sheets.lines[key][0]["RatePlanId"]]
        ended = subscription["CancelledDate"]
        for item in items:
            if ended and item["ServiceEndDate"] >= ended:
                broken.add(("invoice_lines", item["Id"], item["ServiceStartDate"]))
    return broken


def billed_twice(sheets: Sheets) -> Broken:
    """The later of two lines for the same days of a charge, unless another line takes one back."""
    broken: Broken = set()
    for items in sheets.billed.values():
        same: dict[tuple[date, date, Decimal], list[Row]] = defaultdict(list)
        for item in items:
            same[item["ServiceStartDate"], item["ServiceEndDate"], abs(item["Quantity"])].append(item)
        for rows in same.values():
            net = sum(1 if row["Quantity"] > 0 else -1 for row in rows)
            ordered = sorted((row for row in rows if row["Quantity"] > 0), key=lambda row: row["Id"])
            broken |= {("invoice_lines", row["Id"], row["ServiceStartDate"]) for row in ordered[1:] if net > 1}
    return broken


def unbilled_periods(sheets: Sheets) -> Broken:
    """Periods of recurring lines, as far as they are due, of which no day is billed that a quantity is in force on.

    Periods that are billed in part are of `invoice_period_gap_or_overlap`.
    """
    broken: Broken = set()
    for key, segments in sheets.lines.items():
        if segments[0]["ChargeType"] != "Recurring":
            continue
        subscription = sheets.subscription_of_plan[segments[0]["RatePlanId"]]
        if subscription["Status"] in ("Suspended", "Pending Activation"):
            continue
        for start, end in due_periods(sheets, segments, subscription):
            if not _touched(sheets.billed.get(key, []), segments, start, end):
                broken.add(("subscription_lines", key, start))
    return broken


def _touched(items: Sequence[Row], segments: Sequence[Row], start: date, end: date) -> bool:
    days = (in_force_and_billed(segments, items, start + DAY * passed) for passed in range((end - start).days))
    billed = [net for wanted, net in days if wanted]
    return not billed or any(billed)


def not_charged(sheets: Sheets) -> Broken:
    """Billable lines with a price, of a contract that billing has, without a charge of their own or a bundle's."""
    charged = {row["ContractLineId__c"] for row in sheets.charges}
    in_billing = {row["ContractId__c"] for row in sheets.company.zuora["Subscription"]}
    products = by(sheets.company.salesforce["Product2"], "Id")
    broken: Broken = set()
    for row in sheets.agreed.values():
        is_base = row.get("SBQQ__RevisedSubscription__c") is None and row["Billable__c"] and row["SBQQ__NetPrice__c"]
        rolls_up = products[row["SBQQ__Product__c"]]["Rollup_Code__c"]
        is_later_step = (row.get("SBQQ__SegmentIndex__c") or 1) > 1
        if (
            is_base
            and not rolls_up
            and not is_later_step
            and row["SBQQ__Contract__c"] in in_billing
            and row["Id"] not in charged
        ):
            broken.add(("contract_lines", row["Id"], None))
    return broken


def won_and_unknown(sheets: Sheets) -> Broken:
    """Won at a price, two business days ago or longer (today is a Tuesday), and no subscription of the contract."""
    in_billing = {row["ContractId__c"] for row in sheets.company.zuora["Subscription"]}
    return {
        ("opportunities", row["Id"], None)
        for row in sheets.company.salesforce["Opportunity"]
        if row["IsWon"]
        and row["Amount"] > 0
        and row["CloseDate"] < sheets.today - 3 * DAY
        and row["ContractId"] not in in_billing
    }


def not_scheduled(sheets: Sheets) -> Broken:
    """Ordered changes in force for which the schedule on their first day has another quantity than the contract."""
    charges = {
        line[0]["ContractLineId__c"]: line for line in sheets.lines.values() if line[0]["Name"] != "Seat overage"
    }
    quotes = by(sheets.company.salesforce["SBQQ__Quote__c"], "Id")
    broken: Broken = set()
    for line in sheets.company.salesforce["SBQQ__QuoteLine__c"]:
        quote = quotes[line["SBQQ__Quote__c"]]
        amends = line["SBQQ__UpgradedSubscription__c"]
        changes = amends and line["SBQQ__Quantity__c"] != line["SBQQ__PriorQuantity__c"]
        day = quote["SBQQ__StartDate__c"]
        if not (changes and quote["SBQQ__Ordered__c"] and day <= sheets.today):
            continue
        charged = sheets.agreed[amends].get("SBQQ__SegmentKey__c") or amends
        in_force = [s for s in charges.get(charged, []) if s["EffectiveStartDate"] == day]
        if [s["Quantity"] for s in in_force] != [agreed_quantity(sheets, charged, day)]:
            broken.add(("amendments", quote["Id"], None))
    return broken


def badly_linked(sheets: Sheets) -> Broken:
    """Ordered amendments of no contract, of another account's, or of one that was superseded."""
    broken: Broken = set()
    for quote in sheets.company.salesforce["SBQQ__Quote__c"]:
        if quote["SBQQ__Type__c"] != "Amendment" or not quote["SBQQ__Ordered__c"]:
            continue
        contract = sheets.contracts.get(quote["SBQQ__MasterContract__c"] or "")
        if contract is None or contract["AccountId"] != quote["SBQQ__Account__c"] or contract["Status"] == "Superseded":
            broken.add(("amendments", quote["Id"], None))
    return broken


def not_covered(sheets: Sheets) -> Broken:
    """The first day of the term of an active subscription that the segments of a recurring line leave out."""
    broken: Broken = set()
    for key, segments in sheets.lines.items():
        subscription = sheets.subscription_of_plan[segments[0]["RatePlanId"]]
        if segments[0]["ChargeType"] != "Recurring" or subscription["Status"] != "Active":
            continue
        ends = [s["EffectiveEndDate"] for s in segments]
        begins = [*(s["EffectiveStartDate"] for s in segments[1:]), subscription["SubscriptionEndDate"]]
        broken |= {("subscription_lines", key, end) for end, begin in zip(ends, begins, strict=True) if end != begin}
    return broken


def undocumented_lines(sheets: Sheets) -> Broken:
    """Charges without a contract line, without a tax code, or without a purchase order that the contract demands."""
    broken: Broken = set()
    for item in sheets.items:
        invoice = sheets.invoices[item["InvoiceId"]]
        contract = sheets.contracts.get(invoice["ContractId__c"])
        lacks_order = contract and contract["PO_Required__c"] and not invoice["PurchaseOrder__c"]
        lacks_contract = item["ProcessingType"] == "0" and not item["RatePlanChargeId"]
        if lacks_contract or not item["TaxCode"] or lacks_order:
            broken.add(("invoice_lines", item["Id"], item["ServiceStartDate"]))
    return broken


RULES = {
    "closed_won_not_in_billing": won_and_unknown,
    "order_lines_missing_in_billing": not_charged,
    "amendment_without_billing_schedule": not_scheduled,
    "broken_amendment_link": badly_linked,
    "subscription_line_without_schedule": not_covered,
    "invoice_without_contract_detail": undocumented_lines,
    "invoice_not_in_erp": not_in_erp,
    "usage_unmatched_account": usage_of_nobody,
    "duplicate_usage_event": repeated_events,
    "seat_overage_unbilled": unbilled_seats,
    "contract_terms_vs_billing": other_terms,
    "duplicate_invoice_line": billed_twice,
    "cancelled_still_billing": billed_after_the_end,
    "missing_expected_invoice": unbilled_periods,
    "invoice_math_error": totals_that_do_not_add,
    "revenue_schedule_missing": without_revenue,
    **CREDIT_RULES,
}
"""Rules for the checks whose defects can be seen in the rows without a check's arithmetic."""
