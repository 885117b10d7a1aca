"""Objects of a Zuora tenant: their fields, the types of these, and which Python values a field takes."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = str | bool | int | Decimal | date | datetime
Row: TypeAlias = Mapping[str, Value]
"""One record. A field without a value has no key, as in Zuora's answers."""

PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "text": (str,),
    "picklist": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "decimal": (Decimal, int),
    "date": (date,),
    "datetime": (datetime,),
}
SYSTEM_FIELDS: Mapping[str, str] = {"Id": "id", "CreatedDate": "datetime", "UpdatedDate": "datetime"}


def checked(object_name: str, field: str, kind: str, value: Value) -> Value:
    """The value as it is stored: Decimal for decimals, instants cut to milliseconds (ZOQL shows no more).

    Raises ValueError when the value does not suit the field.
    """
    # bool is an int and datetime is a date in Python, but never in Zuora: so the exact type counts.
    if type(value) not in PYTHON_TYPES[kind]:
        raise ValueError(f"{object_name}.{field} is a {kind}; it cannot hold {value!r}.")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{object_name}.{field} needs an instant with a time zone, not {value!r}.")
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if kind == "decimal":
        number = Decimal(value) if isinstance(value, int) else value
        if not isinstance(number, Decimal) or not number.is_finite():
            raise ValueError(f"{object_name}.{field} needs a finite number, not {value!r}.")
        return number
    return value


def _fields(**names_by_kind: str) -> Mapping[str, str]:
    return {name: kind for kind, names in names_by_kind.items() for name in names.split()}


# vendors.md C2; Account, Subscription, RatePlan and RatePlanChargeTier are marked G there. BillRun is the name
# that the bill run has in ZOQL and in the actions; its Status values are those of vendors.md D.
STANDARD_OBJECTS: Mapping[str, Mapping[str, str]] = {
    "Account": _fields(
        id="ParentId DefaultPaymentMethodId BillToId SoldToId",
        text="AccountNumber Name CrmId PaymentTerm Notes",
        picklist="Status Batch Currency TaxExemptStatus",
        integer="BillCycleDay",
        boolean="AutoPay",
        decimal="Balance CreditBalance",
        date="LastInvoiceDate",
    ),
    "Contact": _fields(
        id="AccountId",
        text="FirstName LastName NickName WorkEmail PersonalEmail WorkPhone Address1 Address2 City County State"
        " PostalCode Country TaxRegion Description",
    ),
    "Subscription": _fields(
        id="OriginalId PreviousSubscriptionId AccountId InvoiceOwnerId",
        text="Name Notes",
        integer="Version InitialTerm RenewalTerm CurrentTerm",
        picklist="Status TermType InitialTermPeriodType RenewalTermPeriodType RenewalSetting",
        date="ContractEffectiveDate ServiceActivationDate ContractAcceptanceDate SubscriptionStartDate"
        " SubscriptionEndDate TermStartDate TermEndDate CancelledDate",
        boolean="AutoRenew",
    ),
    "Amendment": _fields(
        id="SubscriptionId",
        text="Code Name Description",
        picklist="Type Status TermType",
        date="ContractEffectiveDate EffectiveDate ServiceActivationDate CustomerAcceptanceDate TermStartDate"
        " SpecificUpdateDate SuspendDate ResumeDate",
        integer="CurrentTerm RenewalTerm InitialTerm",
        boolean="AutoRenew",
    ),
    "RatePlan": _fields(id="SubscriptionId ProductRatePlanId AmendmentId", text="Name", picklist="AmendmentType"),
    "RatePlanCharge": _fields(
        id="RatePlanId ProductRatePlanChargeId OriginalId",
        text="ChargeNumber Name UOM Description AccountingCode",
        integer="Version Segment UpToPeriods BillCycleDay NumberOfPeriods",
        boolean="IsLastSegment",
        picklist="ChargeType ChargeModel BillingPeriod BillingTiming TriggerEvent EndDateCondition BillCycleType"
        " ListPriceBase",
        date="EffectiveStartDate EffectiveEndDate ChargedThroughDate ProcessedThroughDate TriggerDate SpecificEndDate",
        decimal="Quantity MRR DMRC TCV DTCV",
    ),
    "RatePlanChargeTier": _fields(
        id="RatePlanChargeId",
        integer="Tier",
        decimal="Price StartingUnit EndingUnit DiscountAmount DiscountPercentage IncludedUnits OveragePrice",
        picklist="PriceFormat Currency",
    ),
    "Usage": _fields(
        id="AccountId ChargeId SubscriptionId InvoiceId",
        text="AccountNumber ChargeNumber SubscriptionNumber UOM Description SourceName UniqueKey",
        decimal="Quantity",
        datetime="StartDateTime EndDateTime SubmissionDateTime",
        picklist="RbeStatus Status",
    ),
    # What of the usage an item has billed. Not every tenant shows it to ZOQL.
    "ProcessedUsage": _fields(id="InvoiceItemId UsageId", text="UniqueKey", decimal="Quantity"),
    "Invoice": _fields(
        id="AccountId PostedBy",
        text="InvoiceNumber Source SourceId Comments",
        decimal="Amount AmountWithoutTax TaxAmount Balance PaymentAmount RefundAmount",
        date="DueDate InvoiceDate TargetDate",
        datetime="PostedDate",
        picklist="Status SourceType",
        boolean="IncludesOneTime IncludesRecurring IncludesUsage Reversed",
    ),
    "InvoiceItem": _fields(
        id="InvoiceId RatePlanChargeId SubscriptionId AppliedToInvoiceItemId",
        text="ChargeName ChargeNumber SubscriptionNumber ProductName UOM SKU ChargeDescription",
        # "0" charge, "1" discount, "2" prepayment, "3" tax: a text, as exports and object queries show it.
        picklist="ProcessingType",
        decimal="ChargeAmount Quantity UnitPrice TaxAmount",
        datetime="ChargeDate",
        date="ServiceStartDate ServiceEndDate",
    ),
    # Of tenants without Invoice Settlement: with it, credits are CreditMemo objects, which ZOQL does not show.
    "InvoiceAdjustment": _fields(
        id="AccountId InvoiceId CancelledById",
        text="AdjustmentNumber InvoiceNumber AccountingCode Comments ReasonCode ReferenceId CustomerName"
        " CustomerNumber",
        picklist="Type Status TransferredToAccounting",
        decimal="Amount ImpactAmount",
        date="AdjustmentDate",
        datetime="CancelledOn",
    ),
    "Payment": _fields(
        id="AccountId PaymentMethodId",
        text="PaymentNumber ReferenceId Comment GatewayResponse GatewayResponseCode",
        decimal="Amount AppliedCreditBalanceAmount RefundAmount",
        date="EffectiveDate",
        datetime="SubmittedOn SettledOn CancelledOn",
        picklist="Status Type GatewayState",
    ),
    "InvoicePayment": _fields(id="InvoiceId PaymentId", decimal="Amount RefundAmount"),
    "Product": _fields(text="Name SKU Description", picklist="Category", date="EffectiveStartDate EffectiveEndDate"),
    "ProductRatePlan": _fields(id="ProductId", text="Name Description", date="EffectiveStartDate EffectiveEndDate"),
    "ProductRatePlanCharge": _fields(
        id="ProductRatePlanId",
        text="Name UOM AccountingCode Description",
        picklist="ChargeType ChargeModel BillingPeriod BillingTiming TriggerEvent EndDateCondition",
        decimal="DefaultQuantity IncludedUnits",
        integer="UpToPeriods BillCycleDay",
    ),
    "BillRun": _fields(
        id="AccountId",
        text="BillRunNumber Name Batches BillCycleDay ChargeTypeToExclude ErrorMessage",
        picklist="Status",
        date="TargetDate InvoiceDate",
        datetime="ExecutedDate PostedDate",
        boolean="AutoPost AutoEmail AutoRenewal NoEmailForZeroAmountInvoice",
        integer="NumberOfAccounts NumberOfInvoices",
    ),
}
