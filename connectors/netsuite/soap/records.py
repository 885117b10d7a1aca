"""SuiteTalk's typed records as records of a mapping: nested tables of texts, and nothing that was not understood.

zeep leaves an element that it does not expect, be it new or out of order, beside the typed fields, and the field
that it stood for empty (vendors.md section 0, fact 8). Such a record is handed over as unreadable, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree
from zeep.xsd.valueobjects import CompoundValue

from connectors.contract import Record
from connectors.mapping import ERROR

KEY = "internalId"
CUSTOM = "customFieldList"
OWNER = "record"
_LEFT_OVER = "_raw_elements"


def record_of(value: CompoundValue, kind: str) -> dict[str, Any]:
    """One record: its fields, references as {internalId, name}, and custom fields under their script ids."""
    record: dict[str, Any] = _table(value)
    odd = list(dict.fromkeys(_left_over(value)))
    name = type(value).__name__
    if name != kind:
        record[ERROR] = f"The record {record.get(KEY, '')} is a {name}, where a {kind} was asked for."
    elif odd:
        record[ERROR] = (
            f"{kind} {record.get(KEY, '')} holds {', '.join(odd)} where the WSDL has no such element: what follows it "
            "cannot be read for sure. Use the `wsdl` of the version that the account answers in."
        )
    return record


def lines_of(record: Mapping[str, Any], path: Sequence[str]) -> list[Record]:
    """The lines of a record, each with the record that it belongs to under `record`.

    Those of an unreadable record are unreadable, every one; where it shows none, one stands for them.
    """
    owner = {name: value for name, value in record.items() if name not in (path[0], ERROR)}
    lines: Any = record
    for step in path:
        lines = lines.get(step) if isinstance(lines, Mapping) else None
    unread = {ERROR: record[ERROR]} if ERROR in record else {}
    found: list[Record] = [{**line, OWNER: owner, **unread} for line in lines or ()]
    return found or ([{OWNER: owner, **unread}] if unread else [])


def _table(value: CompoundValue) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, item in value.__values__.items():
        if item is None or name == _LEFT_OVER:
            continue
        table[name] = _custom(item) if name == CUSTOM else _plain(item)
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, CompoundValue):
        return _table(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _custom(value: CompoundValue) -> dict[str, Any]:
    fields = value.__values__.get("customField") or ()
    return {str(f.scriptId or f.internalId): _plain(f.__values__.get("value")) for f in fields if f is not None}


def _left_over(value: Any) -> Iterator[str]:
    """The name of the first element, at every depth, that no field holds: those after it are not placed either."""
    if isinstance(value, list):
        for item in value:
            yield from _left_over(item)
    if isinstance(value, CompoundValue):
        for name, item in value.__values__.items():
            if name == _LEFT_OVER:
                yield from (etree.QName(node).localname for node in list(item or ())[:1])
            else:
                yield from _left_over(item)
