"""The billing platform's view: rows of the tenant's objects.

A charge has one row per segment, all with the first one's id as OriginalId. ChargedThroughDate tells what has been
posted, so a draft does not move it. Accounts that never became subscribers are not in billing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.catalog import ONE_TIME, RECURRING
from sandbox.company.documents import CHARGE
from sandbox.company.labels import BILLING
from sandbox.company.model import ADVANCE, Account, Charge, Contact, Segment, Subscription, Version
from sandbox.company.provisioning import contract_versions
from sandbox.company.render_zuora_invoices import (
    Row,
    adjustment_row,
    applied_row,
    invoice_rows,
    item_row,
    payment_row,
    processed_usage,
    run_row,
    stamped,
)
from sandbox.company.tariffs import OVERAGE, PACKAGE, PER_UNIT
from sandbox.company.world import World
from sandbox.company.worth import monthly_value

FIELDS: Mapping[str, Mapping[str, str]] = {
    "Account": {
        "BillingTimeZone__c": "text",
        "TestAccount__c": "boolean",
        "LegalEntity__c": "text",
        "PaidById__c": "text",
    },
    "Subscription": {
        "ContractId__c": "text",
        "Currency__c": "text",
        "PONumber__c": "text",
        "LegalEntity__c": "text",
        "ContractValue__c": "decimal",
        "ContractVersion__c": "integer",
    },
    "RatePlanCharge": {
        "ContractLineId__c": "text",
        "ProductCode__c": "text",
        "PricePeriodMonths__c": "integer",
        "LineStartDate__c": "date",
        "FreeUntil__c": "date",
        "TaxCode__c": "text",
        "PriceUntil__c": "date",
        "PriceApprovedBy__c": "text",
        "Currency__c": "text",
        "PackageSize__c": "decimal",
        "MinimumAmount__c": "decimal",
    },
    "Invoice": {
        "Currency__c": "text",
        "DisputedAmount__c": "decimal",
        "PurchaseOrder__c": "text",
        "ContractId__c": "text",
    },
    "Amendment": {"Sequence__c": "integer"},
    "InvoiceItem": {"TaxCode": "text"},
    "Payment": {"Currency__c": "text", "InvoiceId__c": "text", "MethodType__c": "text"},
    "InvoiceAdjustment": {
        "Currency__c": "text",
        "TaxAmount__c": "decimal",
        "ApprovedBy__c": "text",
        "Campaign__c": "text",
        "RebillInvoiceId__c": "text",
    },
}
"""What this tenant has beyond the standard fields."""

_PERIODS = {1: "Month", 3: "Quarter", 6: "Semi_Annual", 12: "Annual"}
_CHARGE_TYPES = {ONE_TIME: "OneTime"}


@dataclass(frozen=True)
class _Posted:
    """What was posted of one segment: up to which day, and when last."""

    through: date
    at: datetime


def render_zuora(world: World) -> dict[str, list[Row]]:
    """Rows by object. Values are str, bool, int, Decimal, date, aware datetime or None."""
    posted, versions = _posted(world), contract_versions(world)
    subscriptions = {subscription.name: subscription for subscription in world.subscriptions.values()}
    return {
        "Account": _accounts(world),
        "Contact": _contacts(world),
        "Subscription": [
            row for found in subscriptions.values() for row in _subscription(world, found, versions[found.contract_id])
        ],
        "RatePlan": [row for found in subscriptions.values() for row in _rate_plans(found)],
        "RatePlanCharge": [
            row
            for charge in world.charges.values()
            for row in _charge(world, charge, subscriptions[charge.subscription], posted)
        ],
        "RatePlanChargeTier": [
            row for charge in world.charges.values() for row in _tiers(world.accounts[charge.account_id], charge)
        ],
        "Amendment": [row for found in subscriptions.values() for row in _amendments(found)],
        "BillRun": [run_row(run) for run in world.runs.values()],
        "Invoice": invoice_rows(world),
        "InvoiceItem": [item_row(world, line, subscriptions) for line in world.invoice_lines.values()],
        "InvoiceAdjustment": [adjustment_row(world, memo) for memo in world.credit_memos.values() if memo.billing_id],
        "ProcessedUsage": processed_usage(world),
        "Payment": [payment_row(world.accounts[paid.account_id], paid) for paid in world.payments.values()],
        "InvoicePayment": [applied_row(paid) for paid in world.payments.values() if paid.settled],
    }


def _accounts(world: World) -> list[Row]:
    return [_account(world, world.accounts[account_id], at) for account_id, at in _subscribers(world).items()]


def _contacts(world: World) -> list[Row]:
    found = ((world.accounts[account_id], at) for account_id, at in _subscribers(world).items())
    return [_contact(world, account, account.bill_to, at) for account, at in found if account.bill_to]


def _subscribers(world: World) -> dict[str, datetime]:
    """Customers with a subscription, and when they got the first one."""
    first: dict[str, datetime] = {}
    for subscription in world.subscriptions.values():
        created = subscription.versions[0].created_at
        first[subscription.account_id] = min(first.get(subscription.account_id, created), created)
    return first


def _account(world: World, account: Account, created: datetime) -> Row:
    parent = world.accounts.get(account.payer_id or account.parent_id or "")
    payer = world.accounts.get(account.payer_id or "")
    row = {
        "Id": account.billing_id,
        "Name": account.name,
        "AccountNumber": account.number,
        "Status": "Active",
        "Currency": account.currency,
        "CrmId": account.crm_id,
        "BillCycleDay": account.bill_day,
        "PaymentTerm": account.payment_terms,
        "Batch": account.batch,
        "BillingTimeZone__c": account.timezone,
        "TestAccount__c": account.is_test,
        "ParentId": parent.billing_id if parent else None,
        "BillToId": account.bill_to.billing_id if account.bill_to else None,
        "SoldToId": account.bill_to.billing_id if account.bill_to else None,
        "TaxExemptStatus": "No" if account.tax_rate else "Yes",
        "LegalEntity__c": account.legal_entity,
        "PaidById__c": payer.billing_id if payer else None,
    }
    return stamped(row | world.held_otherwise.get((BILLING, account.billing_id), {}), created - timedelta(minutes=1))


def _contact(world: World, account: Account, person: Contact, created: datetime) -> Row:
    first, _, last = person.name.partition(" ")
    row = {
        "Id": person.billing_id,
        "AccountId": account.billing_id,
        "FirstName": first,
        "LastName": last,
        "WorkEmail": person.email,
        "Address1": person.street,
        "City": person.city,
        "PostalCode": person.postal_code,
        "Country": person.country,
    }
    return stamped(row | world.held_otherwise.get((BILLING, person.billing_id), {}), created - timedelta(minutes=1))


def _subscription(world: World, subscription: Subscription, applied: int) -> Iterator[Row]:
    account = world.accounts[subscription.account_id]
    contract = world.contracts[subscription.contract_id]
    previous: Version | None = None
    for version in subscription.versions:
        is_current = version is subscription.current
        ends_early = is_current and subscription.cancelled_on is not None
        row = {
            "Id": version.billing_id,
            "OriginalId": subscription.versions[0].billing_id,
            "PreviousSubscriptionId": previous.billing_id if previous else None,
            "Name": subscription.name,
            "Version": version.number,
            "Status": _status(world, subscription) if is_current else "Expired",
            "AccountId": account.billing_id,
            "InvoiceOwnerId": account.billing_id,
            "ContractId__c": subscription.contract_id,
            "ContractEffectiveDate": subscription.start,
            "SubscriptionStartDate": subscription.start,
            "SubscriptionEndDate": subscription.end if is_current else contract.end,
            "CancelledDate": subscription.cancelled_on if ends_early else None,
            "TermType": "TERMED" if (subscription.end if is_current else contract.end) else "EVERGREEN",
            "AutoRenew": contract.auto_renews,
            "Currency__c": account.currency,
            "ContractValue__c": monthly_value(world, contract.crm_id),
            "PONumber__c": contract.po_number,
            "LegalEntity__c": subscription.legal_entity or account.legal_entity,
            "ContractVersion__c": (subscription.source_version or applied) if is_current else None,
        }
        yield stamped(row, version.created_at, _superseded_at(world, subscription, version))
        previous = version


def _status(world: World, subscription: Subscription) -> str:
    if subscription.status:
        return subscription.status
    if subscription.cancelled_on:
        return "Cancelled"
    return "Expired" if subscription.end and subscription.end <= world.today else "Active"


def _superseded_at(world: World, subscription: Subscription, version: Version) -> datetime:
    """When the version last changed: at its making, when the next one came, or when the term ran out."""
    later = [following.created_at for following in subscription.versions if following.number == version.number + 1]
    if later:
        return later[0]
    ended = subscription.end is not None and subscription.end <= world.today
    if ended and subscription.end and not subscription.cancelled_on:
        return datetime.combine(subscription.end, time(3), UTC)
    return version.created_at


def _rate_plans(subscription: Subscription) -> Iterator[Row]:
    for version in subscription.versions:
        row = {
            "Id": version.rate_plan_id,
            "SubscriptionId": version.billing_id,
            "Name": "Standard",
            "AmendmentId": version.amendment_id,
            "AmendmentType": version.change,
        }
        yield stamped(row, version.created_at)


def _amendments(subscription: Subscription) -> Iterator[Row]:
    for amended, version in zip(subscription.versions, subscription.versions[1:], strict=False):
        row = {
            "Id": version.amendment_id,
            "Code": f"{subscription.name}-{version.number - 1}",
            "Name": f"{version.change} of {subscription.name}",
            "Type": version.change,
            "Status": "Completed",
            "SubscriptionId": amended.billing_id,
            "ContractEffectiveDate": version.effective,
            "EffectiveDate": version.effective,
            "Sequence__c": version.sequence or version.number - 1,
        }
        yield stamped(row, version.created_at)


def _charge(world: World, charge: Charge, subscription: Subscription, posted: Mapping[str, _Posted]) -> Iterator[Row]:
    plans = {version.number: version.rate_plan_id for version in subscription.versions}
    for segment in charge.segments:
        billed = posted.get(segment.billing_id)
        row = _common(world, charge) | {
            "Id": segment.billing_id,
            "RatePlanId": plans[segment.version],
            "Version": segment.version,
            "Segment": segment.number,
            "IsLastSegment": segment is charge.segments[-1],
            "EffectiveStartDate": segment.start,
            "EffectiveEndDate": segment.end,
            "ChargedThroughDate": _through(segment, billed),
            "Quantity": segment.quantity,
            "MRR": segment.quantity * charge.price_of(segment)
            if segment.quantity and charge.charge_type == RECURRING
            else None,
        }
        ended = [following.created_at for following in charge.segments if following.number == segment.number + 1]
        cancelled = [subscription.current.created_at] if subscription.cancelled_on else []
        stamps = [segment.created_at, *ended, *cancelled, *([billed.at] if billed else [])]
        yield stamped(row, segment.created_at, max(stamps))


def _common(world: World, charge: Charge) -> Row:
    recurs = charge.charge_type == RECURRING
    return {
        "OriginalId": charge.billing_id,
        "ChargeNumber": charge.number,
        "Name": charge.name,
        "UOM": charge.unit,
        "ChargeType": _CHARGE_TYPES.get(charge.charge_type, charge.charge_type),
        "ChargeModel": _model(charge),
        "BillingPeriod": None if charge.charge_type == ONE_TIME else _PERIODS[charge.billing_months],
        "BillingTiming": "IN_ADVANCE" if charge.timing == ADVANCE else "IN_ARREARS",
        "ContractLineId__c": None if charge.line_id in world.not_in_crm else charge.line_id,
        "ProductCode__c": charge.product_code,
        "PricePeriodMonths__c": 1 if recurs else None,
        "LineStartDate__c": charge.start,
        "FreeUntil__c": charge.free_until,
        "TaxCode__c": charge.tax_code,
        "PriceUntil__c": charge.price_until,
        "PriceApprovedBy__c": charge.price_approved_by,
        "Currency__c": world.accounts[charge.account_id].currency,
        "PackageSize__c": charge.tariff.package if charge.tariff else None,
        "MinimumAmount__c": charge.tariff.minimum if charge.tariff else None,
    }


def _model(charge: Charge) -> str:
    """Zuora has no model of packages: they are sold per unit, where a unit is a package of this tenant's size."""
    if charge.tariff is None:
        return "FlatFee" if charge.unit == "Each" else "PerUnit"
    return PER_UNIT if charge.tariff.model == PACKAGE else charge.tariff.model


def _through(segment: Segment, billed: _Posted | None) -> date | None:
    if billed is None:
        return None
    return min(billed.through, segment.end) if segment.end else billed.through


def _posted(world: World) -> dict[str, _Posted]:
    found: dict[str, _Posted] = {}
    for line in world.invoice_lines.values():
        at = world.invoices[line.invoice_id].posted_at
        if at is None or line.segment_id is None or line.kind != CHARGE:
            continue
        before = found.get(line.segment_id, _Posted(line.end, at))
        found[line.segment_id] = _Posted(max(before.through, line.end), max(before.at, at))
    return found


def _tiers(account: Account, charge: Charge) -> Iterator[Row]:
    for segment in charge.segments:
        for place, tier in enumerate(_steps(charge, segment)):
            row = {
                "Id": f"8ad071e{place}" + segment.billing_id[8:],
                "RatePlanChargeId": segment.billing_id,
                "Tier": place + 1,
                "Currency": account.currency,
                **tier,
            }
            yield stamped(row, segment.created_at)


def _steps(charge: Charge, segment: Segment) -> Iterator[Row]:
    """What each tier says. A tier begins with the unit after the last one of the tier before."""
    listed = charge.tariff
    if listed is None:
        flat = "FlatFee" if charge.unit == "Each" else "PerUnit"
        yield {"StartingUnit": Decimal(0), "Price": charge.price_of(segment), "PriceFormat": flat}
        return
    if listed.model == OVERAGE:
        yield {
            "StartingUnit": Decimal(0),
            "IncludedUnits": listed.allowance,
            "OveragePrice": listed.steps[0].price,
            "PriceFormat": "PerUnit",
        }
        return
    for step, following in zip(listed.steps, [*listed.steps[1:], None], strict=True):
        yield {
            "StartingUnit": step.above + 1 if step.above else Decimal(0),
            "EndingUnit": following.above if following else None,
            "Price": step.price,
            "PriceFormat": "FlatFee" if step.is_flat else "PerUnit",
            "IncludedUnits": listed.allowance or None,
        }
