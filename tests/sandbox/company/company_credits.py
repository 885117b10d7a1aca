"""What must hold of the credits of a healthy company, each rule as the set of memos that break it."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from tests.sandbox.company.company_sheets import Row, Sheets

Broken = set[tuple[str, str, date | None]]
_DOLLARS = {"USD": Decimal(1), "EUR": Decimal("1.08"), "GBP": Decimal("1.27"), "JPY": Decimal("0.0067")}


def credits_of(sheets: Sheets) -> tuple[Row, ...]:
    return tuple(sheets.company.zuora["InvoiceAdjustment"])


def undocumented_credits(sheets: Sheets) -> Broken:
    """Without a reason code, or above small goodwill and without an approver; in the ERP alone, without an invoice."""
    broken: Broken = set()
    for memo in credits_of(sheets):
        is_small = memo["Amount"] * _DOLLARS[memo["Currency__c"]] <= 250
        if not memo["ReasonCode"] or not (memo["ApprovedBy__c"] or is_small):
            broken.add(("credit_memos", memo["Id"], None))
    for row in sheets.company.netsuite["transaction"]:
        if row["type"] == "CustCred" and not (row["custbody_billing_credit"] or row["custbody_billing_invoice"]):
            broken.add(("credit_memos", str(row["id"]), None))
    return broken


def unbalanced_rebills(sheets: Sheets) -> Broken:
    """Credited to be billed again, and less or nothing billed again."""
    broken: Broken = set()
    for memo in credits_of(sheets):
        again = sheets.invoices.get(memo["RebillInvoiceId__c"] or "")
        if memo["ReasonCode"] == "credit_and_rebill" and (again is None or again["Amount"] < memo["Amount"]):
            broken.add(("credit_memos", memo["Id"], None))
    return broken


def credits_of_a_day(sheets: Sheets) -> Broken:
    """The first memo of a customer's day with more than 10,000 dollars, campaigns left out."""
    days: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for memo in credits_of(sheets):
        if not memo["Campaign__c"]:
            days[memo["AccountId"], memo["AdjustmentDate"]].append(memo)
    return {
        ("credit_memos", min(memo["Id"] for memo in memos), day)
        for (_, day), memos in days.items()
        if sum(memo["Amount"] * _DOLLARS[memo["Currency__c"]] for memo in memos) > 10_000
    }


CREDIT_RULES = {
    "credit_memo_without_contract": undocumented_credits,
    "credit_rebill_imbalance": unbalanced_rebills,
    "credit_memo_spike": credits_of_a_day,
}
