"""The REST record service: one record by its id, and the catalogue of a record type's fields."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.columns import Value
from sandbox.netsuite.displays import target_of
from sandbox.netsuite.refusals import MissingRecord
from sandbox.netsuite.standard_tables import NOT_RECORDS, RECORD_TYPES, SUMMARY_FIELDS

_SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "integer": {"type": "integer", "format": "int64"},
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "number": {"type": "number", "format": "double"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}


def catalogue(account: NetSuiteAccount, kind: str) -> dict[str, object]:
    """JSON schema of a record type. It lists summary fields that no query knows (vendors.md B7).

    Raises MissingRecord when the role sees no such type.
    """
    table, _ = _table_of(account, kind)
    columns = account.schema()[table]
    properties = {name: {"title": name, **_SCHEMAS[column]} for name, column in columns.items()}
    for name in SUMMARY_FIELDS.get(table, ()):
        properties.setdefault(name, {"title": name, **_SCHEMAS["number"]})
    return {"type": "object", "properties": properties}


def record(account: NetSuiteAccount, kind: str, key: str, url: str) -> dict[str, object]:
    """One record with typed values: `true`, numbers, ISO dates, UTC moments, references as {"id": ...}.

    Fields keep their SuiteQL names; the real service writes them in camel case. Raises MissingRecord.
    """
    table, transaction_type = _table_of(account, kind)
    row = account.find(table, key)
    if row is None or (transaction_type is not None and row.get("type") != transaction_type):
        raise MissingRecord(f"The record instance does not exist. Provide a valid record instance ID: {key}.")
    columns = account.schema()[table]
    fields = {name: _field(table, name, columns[name], value) for name, value in row.items()}
    return {"links": [{"rel": "self", "href": url}], **fields, "id": key}


def _table_of(account: NetSuiteAccount, kind: str) -> tuple[str, str | None]:
    """The table of a record type, and the transaction type where the record is a transaction."""
    name = kind.lower()
    transaction_type = next((code for code, record in RECORD_TYPES.items() if record == name), None)
    table = "transaction" if transaction_type is not None else name
    if table not in account.schema() or name in NOT_RECORDS:
        raise MissingRecord(f"Record type '{kind}' does not exist.")
    return table, transaction_type


def _field(table: str, name: str, kind: str, value: Value) -> object:
    if kind == "boolean":
        return value == "T"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if name != "id" and target_of(table, name) is not None:
        return {"id": str(value)}
    return value
