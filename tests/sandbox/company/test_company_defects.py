"""What was planted is there, once, and can be found by the rule that it breaks."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sandbox.company import Company, LookAlike, Planted, build
from tests.sandbox.company.company_rules import RULES
from tests.sandbox.company.company_sheets import Sheets, agreed_price, agreed_quantity, months_of

# The total of a run is judged in a currency that has invoices on many days; what looks like a wrong one is in any.
OF_A_LARGE_COMPANY = {"run_total_anomaly"}


def keys_by_entity(sheets: Sheets) -> Mapping[tuple[str, str], set[str]]:
    """The keys that the books will have, by system and entity."""
    company = sheets.company
    quotes = company.salesforce["SBQQ__Quote__c"]
    return {
        ("salesforce", "opportunities"): {row["Id"] for row in company.salesforce["Opportunity"]},
        ("salesforce", "contract_lines"): {row["Id"] for row in company.salesforce["SBQQ__Subscription__c"]},
        ("salesforce", "amendments"): {row["Id"] for row in quotes if row["SBQQ__Type__c"] == "Amendment"},
        ("salesforce", "quotes"): {row["Id"] for row in quotes if row["SBQQ__Type__c"] != "Amendment"},
        ("salesforce", "products"): {row["Id"] for row in company.salesforce["Product2"]},
        ("salesforce", "accounts"): {row["Id"] for row in company.salesforce["Account"]},
        ("salesforce", "contracts"): {row["Id"] for row in company.salesforce["Contract"]},
        ("ledger", "ledger_entries"): listed(company, "ledger", "ledger_entries/"),
        ("shipping", "shipments"): listed(company, "shipping", "shipments/"),
        ("services", "work_items"): listed(company, "services", "work_items/"),
        ("migration", "legacy_subscriptions"): listed(company, "migration", "subscriptions/"),
        ("zuora", "subscription_lines"): {row["OriginalId"] for row in sheets.charges},
        ("zuora", "subscriptions"): {row["Id"] for row in company.zuora["Subscription"]},
        ("zuora", "amendments"): {row["Id"] for row in company.zuora["Amendment"]},
        ("audit", "record_changes"): delivered(company, "audit", "record_changes/", "change_id"),
        ("zuora", "invoices"): set(sheets.invoices),
        ("zuora", "invoice_lines"): {row["Id"] for row in sheets.items},
        ("zuora", "credit_memos"): {row["Id"] for row in company.zuora["InvoiceAdjustment"]},
        ("netsuite", "credit_memos"): {
            str(row["id"]) for row in company.netsuite["transaction"] if row["type"] == "CustCred"
        },
        ("netsuite", "invoice_lines"): {
            str(row["uniquekey"])
            for row in company.netsuite["transactionline"]
            if not row["mainline"] and not row["taxline"]
        },
        ("zuora", "payments"): {row["Id"] for row in company.zuora["Payment"]},
        ("metering", "usage_events"): {event["record_id"] for event in sheets.usage},
        ("metering", "entitlements"): {
            *(f"{row['contract_line_id']}/{row['month']}" for row in sheets.seats),
            *(f"{row['customer']}/{row['product_code']}/{row['month']}" for row in sheets.modules),
        },
        ("integrations", "integration_runs"): delivered(company, "integrations", "runs/", "run_id"),
        ("integrations", "integration_errors"): delivered(company, "integrations", "errors/", "error_id"),
        ("audit", "metadata_changes"): delivered(company, "audit", "metadata_changes/", "change_id"),
        ("netsuite", "revenue_schedules"): {str(row["id"]) for row in company.netsuite["revenueplan"]},
        ("zuora", "accounts"): {row["Id"] for row in company.zuora["Account"]},
        ("netsuite", "accounts"): {str(row["id"]) for row in company.netsuite["customer"]},
        **{("tieout", entity): {row["key"] for row in rows} for entity, rows in company.own.items()},
    }


def delivered(company: Company, source: str, folder: str, key: str) -> set[str]:
    """The keys in the JSON Lines of one object of a source."""
    files = (text for name, text in company.files[source].items() if name.startswith(folder))
    return {json.loads(line)[key] for text in files for line in text.splitlines()}


def listed(company: Company, source: str, folder: str) -> set[str]:
    """The keys in the CSV files of one object of a source: their first column."""
    files = (text for name, text in company.files[source].items() if name.startswith(folder))
    return {line.split(",")[0] for text in files for line in text.splitlines()[1:]}


@pytest.mark.parametrize("check", RULES)
def test_the_rule_finds_what_was_planted_and_no_more(flawed: Sheets, check: str) -> None:
    planted = {(p.entity, p.key, p.period_start) for p in flawed.company.planted if p.check == check}
    also = {(a.entity, a.key, a.period_start) for p in flawed.company.planted for a in p.also if a.check == check}
    found = RULES[check](flawed)
    assert planted <= found
    # A consequence without a period allows any.
    allowed = planted | also | {(entity, key, day) for entity, key, day in found if (entity, key, None) in also}
    assert found <= allowed


def test_labels_name_records_that_exist(flawed: Sheets) -> None:
    known = keys_by_entity(flawed)
    for planted in flawed.company.planted:
        assert planted.key in known[planted.system, planted.entity], planted
        for other in planted.also:
            assert other.key in known[other.system, other.entity], other
    for alike in flawed.company.lookalikes:
        assert alike.key in known[alike.system, alike.entity], alike


def test_a_record_is_not_planted_and_a_lookalike_at_once(flawed: Sheets) -> None:
    planted = {(p.check, p.system, p.entity, p.key) for p in flawed.company.planted}
    alike = {(p.check, p.system, p.entity, p.key) for p in flawed.company.lookalikes}
    assert planted.isdisjoint(alike)


def test_every_check_has_several_defects_of_different_customers_and_currencies(shipped: Company) -> None:
    counts = Counter(planted.check for planted in shipped.planted)
    assert counts.keys() >= RULES.keys()
    assert min(count for check, count in counts.items() if check not in OF_A_LARGE_COMPANY) >= 3
    currencies: dict[str, set[str]] = defaultdict(set)
    for planted in shipped.planted:
        if planted.currency:
            currencies[planted.check].add(planted.currency)
    assert all(len(found) >= 3 for check, found in currencies.items() if check not in OF_A_LARGE_COMPANY)


def test_every_check_has_a_lookalike(shipped: Company) -> None:
    alike = {alike.check for alike in shipped.lookalikes}
    assert alike - OF_A_LARGE_COMPANY == {planted.check for planted in shipped.planted} - OF_A_LARGE_COMPANY


def test_amounts_are_positive_and_on_documents(shipped: Company) -> None:
    for planted in shipped.planted:
        if planted.amount is not None:
            assert planted.amount > 0, planted
            assert planted.amount == planted.amount.quantize(Decimal(1 if planted.currency == "JPY" else "0.01"))


def test_amounts_of_lines_follow_from_the_rows(flawed: Sheets) -> None:
    """A wrong line is off by what the contract makes of it; a superfluous one by all of it."""
    items = {item["Id"]: item for item in flawed.items}
    whole = ("duplicate_invoice_line", "cancelled_still_billing", "invoice_without_contract_detail")
    for planted in flawed.company.planted:
        item = items.get(planted.key)
        if planted.check in whole and item is not None:
            assert planted.amount == item["ChargeAmount"]
        elif planted.check == "contract_terms_vs_billing" and item is not None:
            segment = flawed.segments[item["RatePlanChargeId"]]
            line = segment["ContractLineId__c"]
            quantity, price = (
                agreed_quantity(flawed, line, item["ServiceStartDate"]),
                agreed_price(flawed, line, item["ServiceStartDate"]),
            )
            expected = quantity * price * months_of(flawed, segment, item)
            assert planted.amount is not None
            assert abs(abs(expected - item["ChargeAmount"]) - planted.amount) < 1


def test_amounts_of_invoices_follow_from_the_rows(flawed: Sheets) -> None:
    copies = {row.get("custbody_billing_invoice"): row for row in flawed.company.netsuite["transaction"]}
    for planted in flawed.company.planted:
        invoice = flawed.invoices.get(planted.key)
        if planted.check == "invoice_not_in_erp" and invoice is not None:
            copy = copies.get(invoice["InvoiceNumber"], {"foreigntotal": Decimal(0)})
            assert planted.amount == invoice["Amount"] - copy["foreigntotal"]
        elif planted.check == "invoice_math_error" and invoice is not None:
            lines = flawed.on_invoice[planted.key]
            said = sum(item["ChargeAmount"] + item["TaxAmount"] for item in lines)
            assert planted.amount == abs(invoice["Amount"] - said)


def test_six_months_of_seats_cost_what_the_worked_example_says(flawed: Sheets) -> None:
    seats = [p for p in flawed.company.planted if p.check == "seat_overage_unbilled" and p.currency == "USD"]
    amounts = [planted.amount for planted in sorted(seats, key=lambda planted: planted.period_start or date.min)]
    assert amounts == [100, 900, 2350, 1150, 2800, 2050]


def test_the_clean_run_holds_no_account_with_a_defect(flawed: Sheets) -> None:
    batches = {row["CrmId"]: row["Batch"] for row in flawed.accounts.values()}
    concerned = {batches.get(account) for account in _accounts_of(flawed, flawed.company.planted)}
    assert concerned <= {"Batch2", None}
    assert flawed.company.clean_run.batches == "Batch1"


def test_both_runs_wait_with_drafts_for_today(shipped: Company) -> None:
    for run in (shipped.clean_run, shipped.bad_run):
        assert run.status == "Completed"
        assert run.target_date == shipped.now.date()
        assert len(shipped.drafts(run)) > 20
    drafts = {row["Id"] for row in shipped.zuora["Invoice"] if row["Status"] == "Draft"}
    held = {row["invoice_key"] for row in shipped.own["holds"]}
    labels: list[Planted | LookAlike] = [*shipped.planted, *shipped.lookalikes]
    late = {label.key for label in labels if label.check == "recurring_bill_date_missed"}
    left = {row["InvoiceId"] for row in shipped.zuora["InvoiceItem"] if row["Id"] in late}
    assert left
    assert drafts - held - left == {*shipped.drafts(shipped.clean_run), *shipped.drafts(shipped.bad_run)} - held


def test_several_drafts_of_the_bad_run_are_wrong(flawed: Sheets) -> None:
    drafts = set(flawed.company.drafts(flawed.company.bad_run))
    lines = {item["Id"]: item["InvoiceId"] for item in flawed.items}
    wrong = {lines.get(p.key, p.key) for p in flawed.company.planted if p.system == "zuora"}
    assert len(drafts & wrong) >= 10


def test_the_same_seed_gives_the_same_company(fifth: Company) -> None:
    assert build(5, 200) == fifth


def test_another_seed_gives_another_company(fifth: Company) -> None:
    assert build(6, 200).zuora != fifth.zuora


def test_lookalikes_do_not_depend_on_the_defects(fifth: Company) -> None:
    crm: list[list[LookAlike]] = [
        [alike for alike in company.lookalikes if alike.system == "salesforce"]
        for company in (fifth, build(5, 200, defects=False))
    ]
    assert crm[0] == crm[1]


def test_too_few_accounts_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        build(7, 5)


@pytest.mark.parametrize("now", [datetime(2026, 12, 2, 9, 30, tzinfo=UTC), datetime(2026, 12, 1, 7, 0, tzinfo=UTC)])
def test_another_moment_than_the_morning_of_a_first_is_refused(now: datetime) -> None:
    with pytest.raises(ValueError, match="first of a month"):
        build(7, 200, now)


def test_the_company_can_live_in_another_year() -> None:
    company = build(7, 200, datetime(2027, 3, 1, 9, 30, tzinfo=UTC), defects=False)
    sheets = Sheets(company)
    assert company.clean_run.target_date == date(2027, 3, 1)
    assert {check: rule(sheets) for check, rule in RULES.items() if rule(sheets)} == {}


def _accounts_of(sheets: Sheets, planted: tuple[Planted, ...]) -> set[str]:
    """The CRM accounts that defects concern, as far as their primary record names one."""
    crm = sheets.company.salesforce
    owners = {row["Id"]: row["AccountId"] for name in ("Opportunity", "Contract") for row in crm[name]}
    owners |= {
        row["Id"]: row["SBQQ__Account__c"] for name in ("SBQQ__Quote__c", "SBQQ__Subscription__c") for row in crm[name]
    }
    billing = {row["Id"]: row["CrmId"] for row in sheets.accounts.values()}
    owners |= {row["Id"]: billing[row["AccountId"]] for row in sheets.invoices.values()}
    owners |= {row["Id"]: owners[row["InvoiceId"]] for row in sheets.items}
    for row in sheets.charges:
        owners[row["OriginalId"]] = billing[sheets.subscription_of_plan[row["RatePlanId"]]["AccountId"]]
    return {owners[p.key] for p in planted if p.key in owners}
