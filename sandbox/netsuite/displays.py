"""What BUILTIN.DF shows for a column: the name of the record that it points to, or the meaning of a code."""

from collections.abc import Mapping, Sequence

from sandbox.netsuite.mirror import literal, quoted

_TARGETS: Mapping[str, str] = {
    "entity": "customer",
    "customer": "customer",
    "item": "item",
    "currency": "currency",
    "subsidiary": "subsidiary",
    "postingperiod": "accountingperiod",
    "plannedperiod": "accountingperiod",
    "catchupperiod": "accountingperiod",
    "transaction": "transaction",
    "revenuearrangement": "transaction",
    "journal": "transaction",
    "revenueelement": "revenueelement",
    "revenueplan": "revenueplan",
}
_TARGETS_OF_TABLE: Mapping[tuple[str, str], str] = {
    ("transactionline", "createdfrom"): "transaction",
    ("revenueplan", "createdfrom"): "revenueelement",
}
_SHOWN = "__shown"
"""The alias of the record that is shown; no query can use it."""

_SELF_REFERENCES = ("parent",)

NAMES: Mapping[str, Sequence[str]] = {
    "customer": ("altname", "companyname", "entityid"),
    "item": ("displayname", "fullname", "itemid"),
    "currency": ("name", "symbol"),
    "accountingperiod": ("periodname",),
    "subsidiary": ("fullname", "name"),
    "transaction": ("tranid",),
    "revenueelement": ("recordnumber",),
    "revenueplan": ("recordnumber",),
}

TRANSACTION_TYPES: Mapping[str, str] = {
    "CustInvc": "Invoice",
    "CustCred": "Credit Memo",
    "SalesOrd": "Sales Order",
    "CustPymt": "Payment",
    "Journal": "Journal",
    "CashSale": "Cash Sale",
    "RevArrng": "Revenue Arrangement",
}

STATUSES: Mapping[str, Mapping[str, str]] = {
    "CustInvc": {"A": "Open", "B": "Paid In Full", "D": "Pending Approval", "E": "Rejected", "V": "Voided"},
    "CustCred": {"A": "Open", "B": "Fully Applied", "V": "Voided"},
    "SalesOrd": {
        "A": "Pending Approval",
        "B": "Pending Fulfillment",
        "C": "Cancelled",
        "D": "Partially Fulfilled",
        "E": "Pending Billing/Partially Fulfilled",
        "F": "Pending Billing",
        "G": "Billed",
        "H": "Closed",
    },
}


def target_of(table: str, column: str) -> str | None:
    """The table whose record the column names, where there is one."""
    if column in _SELF_REFERENCES and table in NAMES:
        return table
    return _TARGETS_OF_TABLE.get((table, column), _TARGETS.get(column))


def display_sql(table: str, column: str, value: str, type_column: str, targets: Mapping[str, Mapping[str, str]]) -> str:
    """DuckDB SQL for the display value of `value`, a column of `table`.

    `type_column` is the SQL of the same row's transaction type; `targets` are the tables that can be read,
    with their columns.
    """
    if table == "transaction" and column == "status":
        return _status(value, type_column)
    if table == "transaction" and column == "type":
        return _choice(value, TRANSACTION_TYPES)
    target = target_of(table, column)
    if target is None or target not in targets:
        return f"CAST({value} AS VARCHAR)"
    names = [f"{_SHOWN}.{quoted(name)}" for name in NAMES[target] if name in targets[target]]
    shown = f"coalesce({', '.join([*names, f'CAST({_SHOWN}.id AS VARCHAR)'])})"
    if target == "transaction" and "type" in targets[target]:
        shown = f"concat({_choice(f'{_SHOWN}.type', TRANSACTION_TYPES)}, ' #', {shown})"
    return f"(SELECT any_value({shown}) FROM {quoted(target)} AS {_SHOWN} WHERE {_SHOWN}.id = {value})"


def _choice(value: str, meanings: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN {literal(code)} THEN {literal(text)}" for code, text in meanings.items())
    return f"CASE {value} {cases} ELSE {value} END"


def _status(value: str, type_column: str) -> str:
    meanings = {
        kind + code: f"{TRANSACTION_TYPES[kind]} : {text}"
        for kind, texts in STATUSES.items()
        for code, text in texts.items()
    }
    cases = " ".join(f"WHEN {literal(code)} THEN {literal(text)}" for code, text in meanings.items())
    return f"CASE concat({type_column}, {value}) {cases} ELSE {value} END"
