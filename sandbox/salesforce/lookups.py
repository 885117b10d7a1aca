"""Where a lookup points when its declaration does not say: by the field's name, or by vendors.md Appendix 1."""

from collections.abc import Iterable

from sandbox.salesforce.fields import Field

_BY_FIELD = {
    "OwnerId": "User",
    "CreatedById": "User",
    "LastModifiedById": "User",
    "OriginalOrderId": "Order",
    "OriginalOrderItemId": "OrderItem",
    "SBQQ__AmendedContract__c": "Contract",
    "SBQQ__AmendmentOwner__c": "User",
    "SBQQ__BundleRoot__c": "OrderItem",
    "SBQQ__CurrentSubscription__c": "SBQQ__Subscription__c",
    "SBQQ__DefaultTemplate__c": "SBQQ__QuoteTemplate__c",
    "SBQQ__Distributor__c": "Account",
    "SBQQ__Group__c": "SBQQ__QuoteLineGroup__c",
    "SBQQ__LatestQuoteLine__c": "SBQQ__QuoteLine__c",
    "SBQQ__MasterContract__c": "Contract",
    "SBQQ__MasterEvergreenContract__c": "Contract",
    "SBQQ__Opportunity2__c": "Opportunity",
    "SBQQ__OrderProduct__c": "OrderItem",
    "SBQQ__OriginalQuoteLine__c": "SBQQ__QuoteLine__c",
    "SBQQ__OriginalQuote__c": "SBQQ__Quote__c",
    "SBQQ__Partner__c": "Account",
    "SBQQ__PriceBook__c": "Pricebook2",
    "SBQQ__PriceDimension__c": "SBQQ__Dimension__c",
    "SBQQ__PrimaryContact__c": "Contact",
    "SBQQ__PrimaryQuote__c": "SBQQ__Quote__c",
    "SBQQ__Product__c": "Product2",
    "SBQQ__RenewalOpportunity__c": "Opportunity",
    "SBQQ__RenewalOwner__c": "User",
    "SBQQ__RenewedAsset__c": "Asset",
    "SBQQ__RenewedContract__c": "Contract",
    "SBQQ__RenewedSubscription__c": "SBQQ__Subscription__c",
    "SBQQ__RequiredByAsset__c": "Asset",
    "SBQQ__RequiredByProduct__c": "Product2",
    "SBQQ__RequiredBySubscription__c": "SBQQ__Subscription__c",
    "SBQQ__RevisedAsset__c": "Asset",
    "SBQQ__RevisedOrderProduct__c": "OrderItem",
    "SBQQ__RevisedSubscription__c": "SBQQ__Subscription__c",
    "SBQQ__RootAsset__c": "Asset",
    "SBQQ__SalesRep__c": "User",
    "SBQQ__ShippingAccount__c": "Account",
    "SBQQ__SubscriptionQuoteLine__c": "SBQQ__QuoteLine__c",
    "SBQQ__TermDiscountSchedule__c": "SBQQ__DiscountSchedule__c",
    "SBQQ__TermDiscountTier__c": "SBQQ__DiscountTier__c",
    "SBQQ__UpgradedAsset__c": "Asset",
    "SBQQ__UpgradedSubscription__c": "SBQQ__Subscription__c",
    "SBQQ__VirtualAsset__c": "Asset",
    "blng__BillingAccount__c": "Account",
    "blng__BillingGLRule__c": "blng__GLRule__c",
    "blng__BillingGLTreatment__c": "blng__GLTreatment__c",
    "blng__FinanceBookAccounting__c": "blng__FinanceBook__c",
    "blng__OrderProduct__c": "OrderItem",
    "blng__TaxGLRule__c": "blng__GLRule__c",
    "blng__TaxGLTreatment__c": "blng__GLTreatment__c",
}
# The same field name means another object here; the first line is the trap that vendors.md A6 names.
_BY_OBJECT_AND_FIELD = {
    ("Asset", "SBQQ__Subscription__c"): "Product2",
    ("SBQQ__Quote__c", "SBQQ__Source__c"): "SBQQ__Quote__c",
    ("SBQQ__QuoteLine__c", "SBQQ__Source__c"): "SBQQ__QuoteLine__c",
    ("SBQQ__QuoteLine__c", "SBQQ__RequiredBy__c"): "SBQQ__QuoteLine__c",
    ("OrderItem", "SBQQ__RequiredBy__c"): "OrderItem",
}


def target(object_name: str, field: Field, defined: Iterable[str]) -> str | None:
    """The object that the lookup `field` of `object_name` points at; None where nothing tells.

    `defined` are the objects of the org, for lookups that are named after one of them.
    """
    known = field.target or _BY_OBJECT_AND_FIELD.get((object_name, field.name)) or _BY_FIELD.get(field.name)
    if known:
        return known
    if field.name == "ParentId":
        return object_name
    names = set(defined)
    stem = field.name.removesuffix("__c") if field.name.endswith("__c") else field.relationship
    candidates = (field.name, stem, stem.rpartition("__")[2] if stem else None)
    return next((name for name in candidates if name in names), None)
