"""The tables that every account of the simulator starts with (vendors.md B8).

Custom columns are ordinary extra names (`custbody_x`, `custcol_x`, `custentity_x`): define the table again
with the standard columns and the new ones.
"""

from collections.abc import Mapping

INTEGER, TEXT, BOOLEAN, NUMBER, DATE, DATETIME = "integer", "text", "boolean", "number", "date", "datetime"


def _columns(**by_type: str) -> Mapping[str, str]:
    return {name: kind for kind, names in by_type.items() for name in names.split()}


_TRANSACTION = _columns(
    integer="id entity postingperiod currency billingaccount terms",
    text="tranid type abbrevtype recordtype status approvalstatus billingstatus externalid otherrefnum memo "
    "source transactionnumber",
    date="trandate duedate startdate enddate nextbilldate",
    datetime="createddate lastmodifieddate",
    number="exchangerate foreigntotal foreignamountpaid foreignamountunpaid taxtotal",
    boolean="posting void voided userevenuearrangement",
)
_TRANSACTION_LINE = _columns(
    integer="uniquekey transaction id linesequencenumber item createdfrom subsidiary department class location "
    "entity billingschedule revenueelement",
    text="accountinglinetype memo itemtype",
    number="quantity rate netamount foreignamount",
    boolean="mainline taxline isclosed",
    datetime="linelastmodifieddate",
)
_REVENUE_ELEMENT = _columns(
    integer="id revenuearrangement referenceid item revenuerecognitionrule deferralaccount recognitionaccount "
    "entity subsidiary currency subscriptionline",
    text="recordnumber source sourcerecordtype revenueplanstatus createrevenueplanson",
    number="quantity salesamount discountedsalesamount allocationamount exchangerate",
    date="elementdate revrecstartdate revrecenddate forecaststartdate forecastenddate",
    boolean="requiresrevenueplanupdate",
    datetime="lastmodifieddate",
)
_REVENUE_PLAN = _columns(
    integer="id createdfrom item catchupperiod",
    text="recordnumber amountsource revenueplantype statusfordisplay recognitionmethod",
    number="amount totalrecognized remainingdeferredbalance",
    date="revrecstartdate revrecenddate",
    boolean="holdrevenuerecognition",
    datetime="lastmodifieddate",
)
_PLANNED_REVENUE = _columns(
    integer="id revenueplan plannedperiod postingperiod journal deferredrevenueaccount recognitionaccount",
    number="amount percentrecognizedinperiod",
    date="dateexecuted",
    boolean="isrecognized",
)

STANDARD_TABLES: Mapping[str, Mapping[str, str]] = {
    "customer": _columns(
        integer="id parent currency subsidiary",
        text="entityid companyname altname email externalid",
        boolean="isperson isinactive taxable",
        datetime="datecreated lastmodifieddate",
    ),
    "transaction": _TRANSACTION,
    "transactionline": _TRANSACTION_LINE,
    "item": _columns(
        integer="id parent subsidiary department class location incomeaccount deferralaccount",
        text="itemid fullname displayname itemtype description externalid",
        boolean="isinactive",
    ),
    "accountingperiod": _columns(
        integer="id parent",
        text="periodname",
        date="startdate enddate closedondate",
        boolean="closed arlocked aplocked alllocked isadjust isposting isquarter isyear isinactive",
    ),
    "revenueelement": _REVENUE_ELEMENT,
    "revenueplan": _REVENUE_PLAN,
    "revenueplanplannedrevenue": _PLANNED_REVENUE,
    "deletedrecord": _columns(
        integer="recordid recordtypeid deletedby",
        text="type name context",
        boolean="iscustomlist iscustomrecord",
        datetime="deleteddate",
    ),
    "currency": _columns(
        integer="id currencyprecision",
        text="name symbol displaysymbol externalid",
        number="exchangerate",
        boolean="isbasecurrency isinactive",
    ),
    "subsidiary": _columns(
        integer="id parent currency",
        text="name fullname legalname country externalid",
        boolean="iselimination isinactive",
    ),
}

SUITE_BILLING: Mapping[str, Mapping[str, str]] = {
    "subscription": _columns(
        integer="id customer billingaccount billingschedule rootsubscription salesorder currency subsidiary pricebook "
        "renewalnumber initialterm",
        text="name billingsubscriptionstatus subscriptionplanname subscriptionrevision externalid",
        date="startdate enddate lastbilldate lastbillcycledate nextbillcycledate nextrenewalstartdate",
        boolean="autorenewal",
        datetime="lastmodifieddate",
    ),
    "subscriptionline": _columns(
        integer="id subscription linenumber item salesorder salesorderlinenumber",
        text="subscriptionlinestatus subscriptionlinetype billingmode",
        number="quantity total",
        date="startdate enddate terminationdate recurrencestartdate",
        boolean="isincluded includeinrenewal",
        datetime="lastmodifieddate",
    ),
    "charge": _columns(
        integer="id billingaccount billingitem billingschedule currency subscriptionline invoice invoiceline "
        "creditmemo runid",
        text="billingmode chargetype stage",
        number="amount quantity rate",
        date="billdate chargedate servicestartdate serviceenddate",
        datetime="lastmodifieddate",
    ),
}
"""The tables of the SuiteBilling feature: an account has them when they are defined in it."""

SUMMARY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "customer": ("balance", "consolbalance", "overduebalance", "unbilledorders"),
    "transaction": ("total", "subtotal"),
}
"""Fields that the REST catalogue lists and that a query does not know (vendors.md B7)."""

RECORD_TYPES: Mapping[str, str] = {
    "CustInvc": "invoice",
    "CustCred": "creditmemo",
    "SalesOrd": "salesorder",
    "CustPymt": "customerpayment",
    "Journal": "journalentry",
    "CashSale": "cashsale",
    "RevArrng": "revenuearrangement",
}
"""`transaction.type` to the name of the record in the REST record service and in `deletedrecord`."""

LINES_OF: Mapping[str, tuple[tuple[str, str], ...]] = {
    "transaction": (("transactionline", "transaction"), ("transactionaccountingline", "transaction")),
    "revenueplan": (("revenueplanplannedrevenue", "revenueplan"),),
}
"""Tables of lines that go with their record, with the column that names it. They leave no `deletedrecord`."""

NOT_RECORDS = frozenset(["deletedrecord", *(table for lines in LINES_OF.values() for table, _ in lines)])
