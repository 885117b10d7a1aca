"""The entities of an organisation and the types of their fields (vendors.md C1).

A type is text, number, flag ("1" or "0"), date, datetime, or the name of the entity that a lookup leads to: the lookup
`AccountId` is also a relation, called `AccountIdObj`.
"""

from collections.abc import Mapping

Fields = Mapping[str, str]

PLAIN_TYPES = ("text", "number", "flag", "date", "datetime")
STAMPS: Fields = {"Created": "datetime", "Updated": "datetime"}

STANDARD_ENTITIES: Mapping[str, Fields] = {
    "ACCOUNT_TYPE": {"AccountType": "text"},
    "ACCOUNT": {
        "Name": "text",
        "Status": "text",
        "AccountTypeId": "ACCOUNT_TYPE",
        "ParentAccountId": "ACCOUNT",
        "BillableAccountId": "ACCOUNT",
        "BillableBillingProfileId": "BILLING_PROFILE",
        "InvoiceAtThisLevel": "flag",
        "ActivityTimeZone": "text",
        "ExtAcctId": "text",
        "SfRecordId": "text",
        "SfLastSync": "datetime",
    },
    "BILLING_PROFILE": {
        "AccountId": "ACCOUNT",
        "Status": "text",
        "BillingCycle": "text",
        "MonthlyBillingDate": "text",
        "PaymentTermDays": "number",
        "CurrencyCode": "text",
        "TimeZoneId": "text",
        "BillingMethod": "text",
        "ManualCloseFlag": "flag",
        "InvoiceApprovalFlag": "flag",
        "InvGraceDaysBeforeClosing": "number",
    },
    "PRODUCT": {"Name": "text", "Status": "text"},
    "CONTRACT": {
        "ContractNumber": "text",
        "ContractStatus": "text",
        "AccountId": "ACCOUNT",
        "StartDate": "date",
        "EndDate": "date",
        "OnEndDate": "text",
    },
    "CONTRACT_RATE": {"ContractId": "CONTRACT", "ProductId": "PRODUCT", "RateOrder": "number"},
    "PRICING": {
        "ContractRateId": "CONTRACT_RATE",
        "EffectiveDate": "date",
        "EndDate": "date",
        "LowerBand": "number",
        "UpperBand": "number",
        "Rate": "number",
        "CurrencyCode": "text",
        "RerateFlag": "flag",
    },
    "ACCOUNT_PRODUCT": {
        "AccountId": "ACCOUNT",
        "ProductId": "PRODUCT",
        "ContractId": "CONTRACT",
        "Quantity": "number",
        "StartDate": "date",
        "EndDate": "date",
        "RenewalDate": "date",
        "RateOverride": "number",
        "Status": "text",
        "BillingCycleStartDate": "date",
        "TrialEndDate": "date",
        "SfRecordId": "text",
        "SfLastSync": "datetime",
    },
    "INVOICE": {
        "BillingProfileId": "BILLING_PROFILE",
        "Status": "text",
        "BillingCycleStartDate": "date",
        "BillingCycleEndDate": "date",
        "ActivityStartDate": "date",
        "ActivityEndDate": "date",
        "ClosedDate": "datetime",
        "DueDate": "date",
        "GrandTotalAmount": "number",
        "ApprovalStatus": "text",
        "ApprovalDate": "datetime",
        "ManualCloseApprovedFlag": "flag",
        "SuppressBulkCloseFlag": "flag",
        "PaymentStatus": "text",
        "VoidFlag": "flag",
    },
    "ACTIVITY": {
        "AccountId": "ACCOUNT",
        "AccountProductId": "ACCOUNT_PRODUCT",
        "ProductId": "PRODUCT",
        "InvoiceId": "INVOICE",
        "ContractId": "CONTRACT",
        "ActivityDate": "datetime",
        "SubscriptionFromDate": "date",
        "SubscriptionToDate": "date",
        "Quantity": "number",
        "Rate": "number",
        "RatedAmount": "number",
        "RateOverride": "number",
        "ProcessStatus": "text",
        "ProcessDescription": "text",
        "CurrencyCode": "text",
    },
}
