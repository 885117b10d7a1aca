"""The CRM's view: rows of the org's objects, with the stamps that a sync would find."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.company.catalog import ONE_TIME, PRODUCTS
from sandbox.company.labels import CRM
from sandbox.company.model import (
    Account,
    Change,
    Clause,
    Contract,
    ContractLine,
    Opportunity,
    Quote,
    QuoteLine,
    a_day_before,
)
from sandbox.company.provisioning import contract_versions
from sandbox.company.render_salesforce_prices import OBJECTS as OBJECTS_OF_PRICES
from sandbox.company.render_salesforce_prices import listed_price, render_prices
from sandbox.company.world import World
from sandbox.company.worth import term_of, total_value
from sandbox.salesforce import make_id

Row = dict[str, Any]

# In this order the org gives its custom objects the key prefixes a00, a01, a02 and a03.
OBJECTS: Mapping[str, Mapping[str, str]] = {
    "Account": {
        "Name": "string",
        "AccountNumber": "string",
        "ParentId": "reference(Account)",
        "CurrencyIsoCode": "picklist",
        "Billing_Time_Zone__c": "picklist",
        "Payment_Terms__c": "picklist",
        "Test_Account__c": "boolean",
        "Segment__c": "picklist",
        "BillingCountryCode": "picklist",
        "Selling_Entity__c": "picklist",
        "Tax_Status__c": "picklist",
        "Bill_To__c": "reference(Contact)",
        "Sold_To__c": "reference(Contact)",
        "Billing_Parent__c": "reference(Account)",
    },
    "Contact": {
        "AccountId": "reference(Account)",
        "Name": "string",
        "Email": "string",
        "MailingStreet": "textarea",
        "MailingCity": "string",
        "MailingPostalCode": "string",
        "MailingCountryCode": "picklist",
    },
    "Product2": {
        "Name": "string",
        "ProductCode": "string",
        "Family": "picklist",
        "SBQQ__ChargeType__c": "picklist",
        "IsActive": "boolean",
        "Rollup_Code__c": "string",
    },
    "Opportunity": {
        "Name": "string",
        "AccountId": "reference(Account)",
        "ContractId": "reference(Contract)",
        "Type": "picklist",
        "StageName": "picklist",
        "IsWon": "boolean",
        "IsClosed": "boolean",
        "CloseDate": "date",
        "Amount": "currency",
        "CurrencyIsoCode": "picklist",
        "SBQQ__PrimaryQuote__c": "reference(SBQQ__Quote__c)",
        "SBQQ__Renewal__c": "boolean",
        "SBQQ__RenewedContract__c": "reference(Contract)",
    },
    "Contract": {
        "AccountId": "reference(Account)",
        "ContractNumber": "string",
        "Status": "picklist",
        "StartDate": "date",
        "EndDate": "date",
        "ActivatedDate": "datetime",
        "CurrencyIsoCode": "picklist",
        "SBQQ__Opportunity__c": "reference(Opportunity)",
        "SBQQ__Quote__c": "reference(SBQQ__Quote__c)",
        "SBQQ__Evergreen__c": "boolean",
        "Payment_Terms__c": "picklist",
        "PO_Required__c": "boolean",
        "PO_Number__c": "string",
        "Auto_Bill_Overage__c": "boolean",
        "Billing_Rule__c": "picklist",
        "Services_Cap__c": "currency",
        "Cancelled_On__c": "date",
        "Nonstandard_Terms__c": "boolean",
        "ContractTerm": "int",
        "Contract_Value__c": "currency",
        "Auto_Renew__c": "boolean",
        "Holds_Over__c": "boolean",
        "Discounts_Add_Up__c": "boolean",
        "Version__c": "double",
    },
    "SBQQ__Quote__c": {
        "Name": "string",
        "SBQQ__Account__c": "reference(Account)",
        "SBQQ__Opportunity2__c": "reference(Opportunity)",
        "SBQQ__MasterContract__c": "reference(Contract)",
        "SBQQ__Type__c": "picklist",
        "SBQQ__Status__c": "picklist",
        "SBQQ__Ordered__c": "boolean",
        "SBQQ__StartDate__c": "date",
        "SBQQ__EndDate__c": "date",
        "SBQQ__NetAmount__c": "currency",
        "CurrencyIsoCode": "picklist",
    },
    "SBQQ__QuoteLine__c": {
        "SBQQ__Quote__c": "reference(SBQQ__Quote__c)",
        "SBQQ__Product__c": "reference(Product2)",
        "SBQQ__Quantity__c": "double",
        "SBQQ__PriorQuantity__c": "double",
        "SBQQ__NetPrice__c": "currency",
        "SBQQ__ListPrice__c": "currency",
        "SBQQ__StartDate__c": "date",
        "SBQQ__EndDate__c": "date",
        "SBQQ__UpgradedSubscription__c": "reference(SBQQ__Subscription__c)",
        "SBQQ__TaxCode__c": "string",
        "CurrencyIsoCode": "picklist",
    },
    "SBQQ__Subscription__c": {
        "SBQQ__Account__c": "reference(Account)",
        "SBQQ__Contract__c": "reference(Contract)",
        "SBQQ__Product__c": "reference(Product2)",
        "SBQQ__RevisedSubscription__c": "reference(SBQQ__Subscription__c)",
        "SBQQ__QuoteLine__c": "reference(SBQQ__QuoteLine__c)",
        "SBQQ__Quantity__c": "double",
        "SBQQ__NetPrice__c": "currency",
        "SBQQ__ListPrice__c": "currency",
        "SBQQ__Discount__c": "percent",
        "CurrencyIsoCode": "picklist",
        "SBQQ__ChargeType__c": "picklist",
        "SBQQ__BillingFrequency__c": "picklist",
        "SBQQ__BillingType__c": "picklist",
        "SBQQ__SubscriptionStartDate__c": "date",
        "SBQQ__SubscriptionEndDate__c": "date",
        "SBQQ__StartDate__c": "date(formula)",
        "SBQQ__EndDate__c": "date(formula)",
        "SBQQ__TerminatedDate__c": "date",
        "Free_Until__c": "date",
        "Included_Quantity__c": "double",
        "Overage_Price__c": "currency",
        "Overage_Measure__c": "picklist",
        "SBQQ__SegmentIndex__c": "double",
        "SBQQ__SegmentKey__c": "string",
        "SBQQ__SegmentStartDate__c": "date",
        "SBQQ__SegmentEndDate__c": "date",
        "Uplift_Rate__c": "percent",
        "Uplift_Months__c": "double",
        "Uplift_From__c": "date",
        "Uplift_Index__c": "picklist",
        "Uplift_Fixed_On__c": "date",
        "Uplift_Floor__c": "percent",
        "Uplift_Cap__c": "percent",
        "Uplift_Waived__c": "boolean",
        "Commit_Amount__c": "currency",
        "Commit_Months__c": "double",
        "Commit_Rolls_Over__c": "boolean",
        "Billable__c": "boolean",
    },
    "Contract_Clause__c": {
        "Contract__c": "reference(Contract)",
        "Kind__c": "picklist",
        "Text__c": "string",
        "Confidence__c": "double",
        "Confirmed_By__c": "string",
    },
    **OBJECTS_OF_PRICES,
}
PRODUCT_IDS = {code: make_id("01t", 101 + place) for place, code in enumerate(PRODUCTS)}
_FREQUENCIES = {1: "Monthly", 3: "Quarterly", 6: "Semiannual", 12: "Annual"}
_NOTICE = timedelta(days=6)
"""How long before it takes effect a cancellation is entered."""


def render_salesforce(world: World) -> dict[str, list[Row]]:
    """Rows by object. Values are str, bool, Decimal, date, aware datetime or None."""
    versions = contract_versions(world)
    return {
        "Account": [_account(world, account) for account in world.accounts.values()],
        "Contact": [row for account in world.accounts.values() for row in _contacts(world, account)],
        "Product2": _products(world),
        "Opportunity": [_opportunity(world, opportunity) for opportunity in world.opportunities.values()],
        "Contract": [_contract(world, one, versions[one.crm_id]) for one in world.contracts.values()],
        "SBQQ__Quote__c": [_quote(world, quote) for quote in world.quotes.values()],
        "SBQQ__QuoteLine__c": [_quote_line(world, line) for line in _quoted(world)],
        "SBQQ__Subscription__c": [
            _line(world, line) for line in world.lines.values() if line.crm_id not in world.not_in_crm
        ]
        + [_change(world, change) for change in world.changes.values()],
        "Contract_Clause__c": [_clause(clause) for clause in world.clauses.values()],
        **render_prices(world, PRODUCT_IDS),
    }


def _stamped(row: Row, created: datetime, modified: datetime | None = None) -> Row:
    last = modified or created
    return {**row, "CreatedDate": created, "LastModifiedDate": last, "SystemModstamp": last}


def _account(world: World, account: Account) -> Row:
    row = {
        "Id": account.crm_id,
        "Name": account.name,
        "AccountNumber": account.number,
        "CurrencyIsoCode": account.currency,
        "Billing_Time_Zone__c": account.timezone,
        "Payment_Terms__c": account.payment_terms,
        "Test_Account__c": account.is_test,
        "Segment__c": account.segment,
        "ParentId": account.parent_id,
        "BillingCountryCode": account.bill_to.country if account.bill_to else None,
        "Selling_Entity__c": account.legal_entity,
        "Tax_Status__c": account.tax_status,
        "Bill_To__c": account.bill_to.crm_id if account.bill_to else None,
        "Sold_To__c": account.bill_to.crm_id if account.bill_to else None,
        "Billing_Parent__c": account.payer_id,
    }
    return _stamped(row | world.held_otherwise.get((CRM, account.crm_id), {}), account.created_at)


def _contacts(world: World, account: Account) -> Iterator[Row]:
    if person := account.bill_to:
        row = {
            "Id": person.crm_id,
            "AccountId": account.crm_id,
            "Name": person.name,
            "Email": person.email,
            "MailingStreet": person.street,
            "MailingCity": person.city,
            "MailingPostalCode": person.postal_code,
            "MailingCountryCode": person.country,
        }
        yield _stamped(row | world.held_otherwise.get((CRM, person.crm_id), {}), account.created_at)


def _products(world: World) -> list[Row]:
    return [
        _stamped(
            {
                "Id": PRODUCT_IDS[product.code],
                "Name": product.name,
                "ProductCode": product.code,
                "Family": product.family,
                "SBQQ__ChargeType__c": product.charge_type,
                "IsActive": True,
                "Rollup_Code__c": product.rollup,
            },
            world.migrated_at,
        )
        for product in PRODUCTS.values()
    ]


def _opportunity(world: World, opportunity: Opportunity) -> Row:
    row = {
        "Id": opportunity.crm_id,
        "Name": opportunity.name,
        "AccountId": opportunity.account_id,
        "ContractId": opportunity.contract_id,
        "Type": opportunity.type,
        "StageName": opportunity.stage,
        "IsWon": opportunity.is_won,
        "IsClosed": opportunity.is_closed,
        "CloseDate": opportunity.close_date,
        "Amount": opportunity.amount,
        "CurrencyIsoCode": world.accounts[opportunity.account_id].currency,
        "SBQQ__PrimaryQuote__c": opportunity.quote_id,
        "SBQQ__Renewal__c": opportunity.type == "Renewal",
        "SBQQ__RenewedContract__c": opportunity.renews,
    }
    closed = datetime.combine(opportunity.close_date, time(18, 30), UTC)
    return _stamped(row, closed - timedelta(days=30), closed)


def _contract(world: World, contract: Contract, version: int) -> Row:
    account = world.accounts[contract.account_id]
    row = {
        "Id": contract.crm_id,
        "AccountId": contract.account_id,
        "ContractNumber": contract.number,
        "Status": contract.status,
        "StartDate": contract.start,
        "EndDate": a_day_before(contract.end) if contract.end else None,
        "ActivatedDate": contract.activated_at,
        "CurrencyIsoCode": account.currency,
        "SBQQ__Opportunity__c": contract.opportunity_id,
        "SBQQ__Quote__c": contract.quote_id,
        "SBQQ__Evergreen__c": contract.end is None,
        "Payment_Terms__c": account.payment_terms,
        "PO_Required__c": contract.po_required,
        "PO_Number__c": contract.po_number,
        "Auto_Bill_Overage__c": contract.auto_bills_overage,
        "Billing_Rule__c": contract.billing_rule,
        "Services_Cap__c": contract.cap,
        "Cancelled_On__c": contract.cancelled_on,
        "Nonstandard_Terms__c": contract.nonstandard_terms,
        "ContractTerm": term_of(contract),
        "Contract_Value__c": total_value(world, contract),
        "Auto_Renew__c": contract.auto_renews,
        "Holds_Over__c": contract.holds_over,
        "Discounts_Add_Up__c": contract.allows_stacking,
        "Version__c": Decimal(version),
    }
    return _stamped(row, contract.activated_at, _contract_changed_at(world, contract))


def _contract_changed_at(world: World, contract: Contract) -> datetime:
    """Activation; then a notice of cancellation, or the nightly job that lets contracts expire."""
    if contract.touched_at:
        return contract.touched_at
    if contract.cancelled_on:
        return datetime.combine(contract.cancelled_on - _NOTICE, time(15), UTC)
    if contract.end and contract.end <= world.today:
        return datetime.combine(contract.end, time(1), UTC)
    return contract.activated_at


def _clause(clause: Clause) -> Row:
    row = {
        "Id": clause.crm_id,
        "Contract__c": clause.contract_id,
        "Kind__c": clause.kind,
        "Text__c": clause.text,
        "Confidence__c": clause.confidence,
        "Confirmed_By__c": clause.confirmed_by,
    }
    return _stamped(row, clause.read_at)


def _quote(world: World, quote: Quote) -> Row:
    row = {
        "Id": quote.crm_id,
        "Name": quote.number,
        "SBQQ__Account__c": quote.account_id,
        "SBQQ__Opportunity2__c": quote.opportunity_id,
        "SBQQ__MasterContract__c": quote.contract_id,
        "SBQQ__Type__c": quote.type,
        "SBQQ__Status__c": quote.status,
        "SBQQ__Ordered__c": quote.ordered,
        "SBQQ__StartDate__c": quote.start,
        "SBQQ__EndDate__c": a_day_before(quote.end) if quote.end else None,
        "SBQQ__NetAmount__c": quote.net_amount,
        "CurrencyIsoCode": world.accounts[quote.account_id].currency,
    }
    return _stamped(row, quote.ordered_at - timedelta(days=2), quote.ordered_at)


def _quoted(world: World) -> list[QuoteLine]:
    unknown = {world.lines[line_id].quote_line_id for line_id in world.not_in_crm}
    return [line for line in world.quote_lines.values() if line.crm_id not in unknown]


def _quote_line(world: World, line: QuoteLine) -> Row:
    quote = world.quotes[line.quote_id]
    row = {
        "Id": line.crm_id,
        "SBQQ__Quote__c": line.quote_id,
        "SBQQ__Product__c": PRODUCT_IDS[line.product_code],
        "SBQQ__Quantity__c": line.quantity,
        "SBQQ__PriorQuantity__c": line.prior_quantity,
        "SBQQ__NetPrice__c": line.price,
        "SBQQ__ListPrice__c": listed_price(world, line),
        "SBQQ__StartDate__c": line.start,
        "SBQQ__EndDate__c": a_day_before(line.end) if line.end else None,
        "SBQQ__UpgradedSubscription__c": line.amends,
        "SBQQ__TaxCode__c": world.accounts[quote.account_id].tax_code,
        "CurrencyIsoCode": world.accounts[quote.account_id].currency,
    }
    return _stamped(row, quote.ordered_at - timedelta(days=2), quote.ordered_at)


def _line(world: World, line: ContractLine) -> Row:
    contract = world.contracts[line.contract_id]
    created = world.quotes[line.added_by].ordered_at if line.added_by else contract.activated_at
    modified = datetime.combine(line.terminated - _NOTICE, time(15), UTC) if line.terminated else None
    row = _subscription(world, line) | {
        "Id": line.crm_id,
        "SBQQ__QuoteLine__c": line.quote_line_id,
        "SBQQ__Quantity__c": line.quantity,
        "SBQQ__SubscriptionStartDate__c": line.start,
        "SBQQ__StartDate__c": line.start,
        "Free_Until__c": line.free_until,
        "Included_Quantity__c": line.included,
        "Overage_Price__c": line.overage_price,
        "Overage_Measure__c": line.measure,
        **_ramp(line),
        **_uplift(line),
        "Commit_Amount__c": line.commit.amount if line.commit else None,
        "Commit_Months__c": line.commit.months if line.commit else None,
        "Commit_Rolls_Over__c": line.commit.rolls_over if line.commit else False,
    }
    return _stamped(row, created, modified)


def _ramp(line: ContractLine) -> Row:
    """CPQ keeps a subscription for each segment of a ramp; what they share is the key."""
    if line.step is None:
        return {}
    return {
        "SBQQ__SegmentIndex__c": line.step,
        "SBQQ__SegmentKey__c": line.follows or line.crm_id,
        "SBQQ__SegmentStartDate__c": line.start,
        "SBQQ__SegmentEndDate__c": a_day_before(line.end) if line.end else None,
    }


def _uplift(line: ContractLine) -> Row:
    """Percentages stand as the UI shows them: 3.5 is 3.5 %."""
    said = line.uplift
    if said is None:
        return {}
    return {
        "Uplift_Rate__c": said.rate * 100,
        "Uplift_Months__c": said.months,
        "Uplift_From__c": said.first,
        "Uplift_Index__c": said.index,
        "Uplift_Fixed_On__c": said.known_on,
        "Uplift_Floor__c": None if said.floor is None else said.floor * 100,
        "Uplift_Cap__c": None if said.cap is None else said.cap * 100,
        "Uplift_Waived__c": said.waived,
    }


def _discount(line: ContractLine) -> Decimal | None:
    """How much lower the price is than the list price, in percent as the UI shows it."""
    if line.price >= line.list_price:
        return None
    return (100 - line.price * 100 / line.list_price).quantize(Decimal("0.01"))


def _change(world: World, change: Change) -> Row:
    line = world.lines[change.line_id]
    row = _subscription(world, line) | {
        "Id": change.crm_id,
        "SBQQ__RevisedSubscription__c": line.crm_id,
        "SBQQ__QuoteLine__c": change.quote_line_id,
        "SBQQ__Quantity__c": change.delta,
        "SBQQ__NetPrice__c": world.price_on(line, change.effective),
        "SBQQ__SubscriptionStartDate__c": change.effective,
        "SBQQ__StartDate__c": change.effective,
    }
    return _stamped(row, world.quotes[change.amendment_id].ordered_at)


def _subscription(world: World, line: ContractLine) -> Row:
    """What a base line and the rows that revise it have in common."""
    contract = world.contracts[line.contract_id]
    end = a_day_before(line.end) if line.end else None
    return {
        "SBQQ__Account__c": contract.account_id,
        "SBQQ__Contract__c": line.contract_id,
        "SBQQ__Product__c": PRODUCT_IDS[line.product_code],
        "SBQQ__NetPrice__c": None if line.by_list else line.price,
        "SBQQ__ListPrice__c": line.list_price,
        "SBQQ__Discount__c": _discount(line),
        "CurrencyIsoCode": world.accounts[contract.account_id].currency,
        "SBQQ__ChargeType__c": line.charge_type,
        "SBQQ__BillingFrequency__c": _FREQUENCIES.get(line.billing_months or 0),
        "SBQQ__BillingType__c": "Advance" if line.charge_type == ONE_TIME else line.timing,
        "SBQQ__SubscriptionEndDate__c": end,
        "SBQQ__EndDate__c": end,
        "SBQQ__TerminatedDate__c": line.terminated,
        "Billable__c": line.billable,
    }
