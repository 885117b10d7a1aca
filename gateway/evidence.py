"""The rows behind a finding, as named values that a person reads; and the names of customers."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from books.engine import Engine
from books.entities import COMMON, ENTITIES
from checks.findings import Record
from checks.formula import plain

# Common columns that mean something to the reader of a case; the others are the books' own.
SHOWN_COMMON = ("modified_at", "deleted")


def evidence_of(engine: Engine) -> Callable[[Collection[Record]], Mapping[Record, Mapping[str, str]]]:
    """Looks records up in whatever the engine holds; a record that is not there has no values."""

    def values(records: Collection[Record]) -> Mapping[Record, Mapping[str, str]]:
        found: dict[Record, Mapping[str, str]] = {record: {} for record in records}
        for entity in sorted({record.entity for record in records if record.entity in ENTITIES}):
            found |= _rows(engine, entity, [record for record in records if record.entity == entity])
        return found

    return values


def _rows(engine: Engine, entity: str, records: list[Record]) -> dict[Record, Mapping[str, str]]:
    _want(engine, system=[record.system for record in records], key=[record.key for record in records])
    hidden = ", ".join(sorted({column.name for column in COMMON} - {"system", "key", *SHOWN_COMMON}))
    found: dict[Record, Mapping[str, str]] = {}
    for row in engine.rows(f'SELECT * EXCLUDE ({hidden}) FROM "{entity}" SEMI JOIN wanted USING (system, key)'):
        record = Record(row.pop("system"), entity, row.pop("key"))
        found[record] = {name: said(value) for name, value in row.items() if _tells(name, value)}
    return found


def _want(engine: Engine, **columns: list[str]) -> None:
    engine.hold("wanted", pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}))


def _tells(name: str, value: object) -> bool:
    return value is not None and (name != "deleted" or value is True)


def said(value: object) -> str:
    """A value of the books as text: dates as dates, instants in UTC, numbers with separators."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case Decimal():
            return plain(value)
    return str(value)


def account_names(engine: Engine, accounts: Collection[str] | None = None) -> dict[str, str]:
    """The name of every customer, or of those named: the CRM's where it has one, else any system's."""
    among = ""
    if accounts is not None:
        _want(engine, account_key=sorted(accounts))
        among = "SEMI JOIN wanted USING (account_key) "
    rows = engine.rows(
        "SELECT account_key, coalesce(max(name) FILTER (key = account_key), max(name)) AS name "
        f"FROM accounts {among}WHERE account_key IS NOT NULL AND name IS NOT NULL GROUP BY account_key"
    )
    return {row["account_key"]: row["name"] for row in rows}
