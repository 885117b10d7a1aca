"""Rows of the account as the typed records of the SOAP side."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.columns import Value
from sandbox.netsuite.displays import STATUSES
from sandbox.netsuite.soap.definition import CUSTOMERS, RELATIONSHIPS, SALES, type_named
from sandbox.netsuite.soap.values import custom_fields, double, moment, negated, reference, yes

Row = dict[str, Value]


@dataclass(frozen=True)
class RecordKind:
    """A type of record: its table, and `transaction.type` where the table holds several."""

    name: str
    table: str
    type: str | None
    make: Callable[[NetSuiteAccount, Row, Sequence[Row]], Any]

    def takes(self, row: Row) -> bool:
        return self.type is None or row.get("type") == self.type


def records(account: NetSuiteAccount, kinds: Iterable[RecordKind], rows: Sequence[Row], *, lines: bool) -> list[Any]:
    """The records of these rows; without their lines where only the body is wanted."""
    by_type = {kind.type: kind for kind in kinds}
    items = _item_lines(account, {row["id"] for row in rows}) if lines and None not in by_type else {}
    return [
        (by_type.get(None) or by_type[str(row["type"])]).make(account, row, items.get(row["id"], ())) for row in rows
    ]


def _item_lines(account: NetSuiteAccount, keys: set[Value]) -> Mapping[Value, Sequence[Row]]:
    found: dict[Value, list[Row]] = defaultdict(list)
    for row in account.rows("transactionline"):
        if row.get("transaction") in keys and row.get("mainline") != "T" and row.get("taxline") != "T":
            found[row["transaction"]].append(row)
    return found


def _customer(account: NetSuiteAccount, row: Row, _lines: Sequence[Row]) -> Any:
    zone = account.session_zone
    return type_named(RELATIONSHIPS, "Customer")(
        internalId=str(row["id"]),
        externalId=row.get("externalid"),
        entityId=row.get("entityid"),
        altName=row.get("altname"),
        isPerson=yes(row.get("isperson")),
        companyName=row.get("companyname"),
        parent=reference(account, "customer", "parent", row.get("parent")),
        email=row.get("email"),
        isInactive=yes(row.get("isinactive")),
        dateCreated=moment(row.get("datecreated"), zone),
        terms=reference(account, "customer", "terms", row.get("terms")),
        currency=reference(account, "customer", "currency", row.get("currency")),
        lastModifiedDate=moment(row.get("lastmodifieddate"), zone),
        customFieldList=custom_fields(account, "customer", row),
    )


def _body(account: NetSuiteAccount, row: Row, sign: int) -> dict[str, Any]:
    """What an invoice and a credit memo share. A credit is negative in the tables, and positive here."""
    zone = account.session_zone
    amount = double if sign > 0 else lambda value: double(negated(value))
    return {
        "internalId": str(row["id"]),
        "externalId": row.get("externalid"),
        "createdDate": moment(row.get("createddate"), zone),
        "lastModifiedDate": moment(row.get("lastmodifieddate"), zone),
        "entity": reference(account, "transaction", "entity", row.get("entity")),
        "tranDate": moment(row.get("trandate"), zone),
        "tranId": row.get("tranid"),
        "postingPeriod": reference(account, "transaction", "postingperiod", row.get("postingperiod")),
        "currency": reference(account, "transaction", "currency", row.get("currency")),
        "memo": row.get("memo"),
        "exchangeRate": double(row.get("exchangerate")),
        "taxTotal": amount(row.get("taxtotal")),
        "total": amount(row.get("foreigntotal")),
        "status": _status(row),
        "customFieldList": custom_fields(account, "transaction", row),
    }


def _status(row: Row) -> str | None:
    if row.get("voided") == "T":
        return "Voided"
    code = str(row.get("status", ""))
    return STATUSES.get(str(row.get("type")), {}).get(code, code) or None


def _invoice(account: NetSuiteAccount, row: Row, lines: Sequence[Row]) -> Any:
    zone = account.session_zone
    return type_named(SALES, "Invoice")(
        **_body(account, row, 1),
        dueDate=moment(row.get("duedate"), zone),
        startDate=moment(row.get("startdate"), zone),
        endDate=moment(row.get("enddate"), zone),
        otherRefNum=row.get("otherrefnum"),
        amountPaid=double(row.get("foreignamountpaid")),
        amountRemaining=double(row.get("foreignamountunpaid")),
        itemList={"item": [_item(account, "InvoiceItem", SALES, line) for line in lines]} if lines else None,
    )


def _credit_memo(account: NetSuiteAccount, row: Row, lines: Sequence[Row]) -> Any:
    return type_named(CUSTOMERS, "CreditMemo")(
        **_body(account, row, -1),
        itemList={"item": [_item(account, "CreditMemoItem", CUSTOMERS, line) for line in lines]} if lines else None,
    )


def _item(account: NetSuiteAccount, name: str, namespace: str, row: Row) -> Any:
    """A line. Quantities and amounts of sales are negative in the table, and positive here."""
    rate = row.get("rate")
    sign = negated if name == "InvoiceItem" else lambda value: value
    return type_named(namespace, name)(
        item=reference(account, "transactionline", "item", row.get("item")),
        line=row.get("linesequencenumber", row.get("id")),
        description=row.get("memo"),
        amount=double(sign(row.get("foreignamount"))),
        quantity=double(sign(row.get("quantity"))),
        rate=None if rate is None else str(rate),
        customFieldList=custom_fields(account, "transactionline", row),
    )


CUSTOMER = RecordKind("customer", "customer", None, _customer)
INVOICE = RecordKind("invoice", "transaction", "CustInvc", _invoice)
CREDIT_MEMO = RecordKind("creditMemo", "transaction", "CustCred", _credit_memo)
KINDS: Mapping[str, RecordKind] = {kind.name: kind for kind in (CUSTOMER, INVOICE, CREDIT_MEMO)}
TRANSACTIONS: Mapping[str, RecordKind] = {f"_{kind.name}": kind for kind in (INVOICE, CREDIT_MEMO)}
