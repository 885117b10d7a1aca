"""Where nothing was planted, everything agrees."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.company.company_invoicing import (
    billed_on_another_day,
    other_quantity_in_force,
    wrong_amounts,
    wrong_usage,
)
from tests.sandbox.company.company_rules import RULES
from tests.sandbox.company.company_sheets import DAY, Sheets, risen

REFERENCES = {
    "AccountId": "Account",
    "ContractId": "Contract",
    "SBQQ__Account__c": "Account",
    "SBQQ__Contract__c": "Contract",
    "SBQQ__MasterContract__c": "Contract",
    "SBQQ__Opportunity__c": "Opportunity",
    "SBQQ__Opportunity2__c": "Opportunity",
    "SBQQ__PrimaryQuote__c": "SBQQ__Quote__c",
    "SBQQ__Product__c": "Product2",
    "SBQQ__Quote__c": "SBQQ__Quote__c",
    "SBQQ__QuoteLine__c": "SBQQ__QuoteLine__c",
    "SBQQ__RevisedSubscription__c": "SBQQ__Subscription__c",
    "SBQQ__UpgradedSubscription__c": "SBQQ__Subscription__c",
}
BILLING_REFERENCES = {
    "AccountId": "Account",
    "SubscriptionId": "Subscription",
    "RatePlanId": "RatePlan",
    "RatePlanChargeId": "RatePlanCharge",
    "InvoiceId": "Invoice",
    "SourceId": "BillRun",
    "PaymentId": "Payment",
    "OriginalId": "",
}


@pytest.mark.parametrize("check", RULES)
def test_no_rule_is_broken(clean: Sheets, check: str) -> None:
    assert RULES[check](clean) == set()


def test_every_day_is_billed_at_the_quantity_in_force(clean: Sheets) -> None:
    assert other_quantity_in_force(clean) == set()


def test_every_line_is_billed_on_its_day(clean: Sheets) -> None:
    assert billed_on_another_day(clean) == set()


def test_amounts_follow_from_quantity_price_and_months(clean: Sheets) -> None:
    assert wrong_amounts(clean) == set()


def test_metered_lines_sum_their_events(clean: Sheets) -> None:
    assert wrong_usage(clean) == set()


def test_nothing_is_planted(clean: Sheets) -> None:
    assert clean.company.planted == ()


def test_charged_through_is_the_end_of_what_was_posted(clean: Sheets) -> None:
    through: dict[str, date] = {}
    for item in clean.items:
        posted = clean.invoices[item["InvoiceId"]]["Status"] == "Posted"
        segment = item["RatePlanChargeId"]
        if posted and segment and item["ProcessingType"] == "0":
            through[segment] = max(through.get(segment, date.min), item["ServiceEndDate"] + DAY)
    for segment, row in clean.segments.items():
        end = row["EffectiveEndDate"]
        expected = min(through[segment], end) if end and segment in through else through.get(segment)
        assert row["ChargedThroughDate"] == expected


def test_line_totals_of_contract_and_subscription_agree(clean: Sheets) -> None:
    """Per contract, what a month costs today: quantity × price over lines, changes and components; not while paused."""
    paused = {row["ContractId__c"] for row in clean.company.zuora["Subscription"] if row["Status"] == "Suspended"}
    renewed = {row["SBQQ__RenewedContract__c"] for row in clean.company.salesforce["Opportunity"] if row["IsWon"]}
    contracts = clean.company.salesforce["Contract"]
    goes_on = {row["Id"] for row in contracts if row["Holds_Over__c"] or row["Auto_Renew__c"]} - renewed
    sold: Counter[str] = Counter()
    for row in clean.agreed.values():
        end = None if row["SBQQ__Contract__c"] in goes_on else _after(row["SBQQ__EndDate__c"])
        ends = [day for day in (row["SBQQ__TerminatedDate__c"], end) if day]
        in_force = row["SBQQ__SubscriptionStartDate__c"] <= clean.today < min([*ends, date.max])
        if row["SBQQ__ChargeType__c"] == "Recurring" and in_force and row["SBQQ__Contract__c"] not in paused:
            price = risen(row, row["SBQQ__NetPrice__c"], clean.today)
            sold[row["SBQQ__Contract__c"]] += row["SBQQ__Quantity__c"] * price
    held: Counter[str] = Counter()
    for row in clean.charges:
        end = row["EffectiveEndDate"] or date.max
        if row["ContractLineId__c"] is None:
            continue  # agreed by letter alone
        if row["ChargeType"] == "Recurring" and row["EffectiveStartDate"] <= clean.today < end:
            contract = clean.subscription_of_plan[row["RatePlanId"]]["ContractId__c"]
            held[contract] += row["Quantity"] * clean.prices[row["Id"]]
    assert {key: value for key, value in sold.items() if value} == {
        key: value for key, value in held.items() if key not in paused
    }


def test_crm_references_lead_somewhere(clean: Sheets) -> None:
    known = {name: {row["Id"] for row in rows} for name, rows in clean.company.salesforce.items()}
    for rows in clean.company.salesforce.values():
        for row in rows:
            for field in REFERENCES.keys() & row.keys():
                assert row[field] is None or row[field] in known[REFERENCES[field]], (field, row)


def test_billing_references_lead_somewhere(clean: Sheets) -> None:
    known = {name: {row["Id"] for row in rows} for name, rows in clean.company.zuora.items()}
    for name, rows in clean.company.zuora.items():
        for row in rows:
            for field in BILLING_REFERENCES.keys() & row.keys():
                assert row[field] is None or row[field] in known[BILLING_REFERENCES[field] or name], (name, field)


def test_erp_references_lead_somewhere(clean: Sheets) -> None:
    erp = clean.company.netsuite
    transactions = {row["id"] for row in erp["transaction"]}
    customers = {row["id"] for row in erp["customer"]}
    lines = {f"CustInvc_{row['uniquekey']}" for row in erp["transactionline"]}
    assert {row["transaction"] for row in erp["transactionline"]} <= transactions
    assert {row["entity"] for row in (*erp["transaction"], *erp["revenueelement"])} <= customers
    assert {row["referenceid"] for row in erp["revenueelement"]} <= lines


def test_stamps_are_past_and_spread_with_ties(clean: Sheets) -> None:
    now = clean.company.now
    for system, stamp in (("salesforce", "SystemModstamp"), ("zuora", "UpdatedDate")):
        stamps = [row[stamp] for rows in getattr(clean.company, system).values() for row in rows]
        assert max(stamps) <= now
        assert max(stamps) - min(stamps) > timedelta(days=600)
        assert len(set(stamps)) < len(stamps)
    moments = [
        value
        for source in (clean.company.salesforce, clean.company.zuora, clean.company.netsuite)
        for rows in source.values()
        for row in rows
        for value in row.values()
        if isinstance(value, datetime)
    ]
    assert all(moment.tzinfo is not None and moment <= now for moment in moments)


def test_no_money_is_a_float(clean: Sheets) -> None:
    for source in (clean.company.salesforce, clean.company.zuora, clean.company.netsuite):
        for rows in source.values():
            assert not [row for row in rows if any(isinstance(value, float) for value in row.values())]


def test_yen_have_no_decimals(clean: Sheets) -> None:
    items = [item for item in clean.items if clean.currency(item["InvoiceId"]) == "JPY"]
    assert items
    assert all(item["ChargeAmount"] % 1 == 0 and item["TaxAmount"] % 1 == 0 for item in items)


def test_terms_of_payment_are_the_same_everywhere(clean: Sheets) -> None:
    """They may be spelled otherwise, and one invoice may have a due date of its own."""
    terms = {row["Id"]: _days(row["Payment_Terms__c"]) for row in clean.company.salesforce["Account"]}
    for row in clean.accounts.values():
        assert _days(row["PaymentTerm"]) == terms[row["CrmId"]]
    alike = {alike.key for alike in clean.company.lookalikes if alike.check == "master_data_drift"}
    for invoice in clean.invoices.values():
        days = _days(clean.accounts[invoice["AccountId"]]["PaymentTerm"])
        as_agreed = invoice["DueDate"] == invoice["InvoiceDate"] + timedelta(days=days)
        assert as_agreed or invoice["AccountId"] in alike


def _days(terms: str) -> int:
    return int("".join(filter(str.isdigit, terms)))


def test_balances_are_what_was_neither_paid_nor_credited(clean: Sheets) -> None:
    gone: dict[Any, Decimal] = defaultdict(Decimal)
    for name in ("InvoicePayment", "InvoiceAdjustment"):
        for row in clean.company.zuora[name]:
            gone[row["InvoiceId"]] += row["Amount"]
    for invoice in clean.invoices.values():
        assert invoice["Balance"] == invoice["Amount"] - gone[invoice["Id"]]


def test_history_is_varied(clean: Sheets) -> None:
    assert {row["Currency"] for row in clean.accounts.values()} == {"USD", "EUR", "GBP", "JPY"}
    assert len({row["BillCycleDay"] for row in clean.accounts.values()}) > 3
    assert {row["BillingPeriod"] for row in clean.charges} == {"Month", "Quarter", "Semi_Annual", "Annual", None}
    assert {row["BillingTiming"] for row in clean.charges} == {"IN_ADVANCE", "IN_ARREARS"}
    statuses = {row["Status"] for row in clean.company.zuora["Subscription"]}
    assert statuses >= {"Active", "Expired", "Cancelled", "Suspended"}
    assert {row["TermType"] for row in clean.company.zuora["Subscription"]} == {"TERMED", "EVERGREEN"}
    assert max(row["Version"] for row in clean.company.zuora["Subscription"]) > 2
    assert {row["SBQQ__Type__c"] for row in clean.company.salesforce["SBQQ__Quote__c"]} == {
        "Quote",
        "Renewal",
        "Amendment",
    }


def _after(day: date | None) -> date | None:
    return day + DAY if day else None
