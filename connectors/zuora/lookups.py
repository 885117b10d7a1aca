"""Records of other objects that the mapping looks up: ZOQL has no joins, so they are asked for by their values."""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from typing import Any

from connectors.contract import Record
from connectors.mapping import LookUp, ObjectMapping
from connectors.zuora.zoql import Zoql


def looked_up(zoql: Zoql, mapped: ObjectMapping, records: Sequence[Record]) -> Sequence[Record]:
    """The records, each with those of other objects that the mapping looks up, as nested records."""
    for look_up in mapped.look_ups:
        found = _found(zoql, look_up, mapped, records)
        records = [{**r, look_up.name: found.get(r.get(look_up.by.path))} for r in records]
    return records


def own_fields(mapped: ObjectMapping, fields: Sequence[str]) -> Sequence[str]:
    """Those of the fields that the object itself has, not one that is looked up."""
    return [name for name in fields if name.partition(".")[0] not in {up.name for up in mapped.look_ups}]


def _found(zoql: Zoql, look_up: LookUp, mapped: ObjectMapping, records: Sequence[Record]) -> Table[Any, Record]:
    """The looked-up records by the value that they are looked up by; the first where there are several."""
    wanted = {str(value) for r in records if (value := r.get(look_up.by.path))}
    prefix = f"{look_up.name}."
    fields = [name.removeprefix(prefix) for name in mapped.fields if name.startswith(prefix)]
    fields = list(dict.fromkeys([look_up.match, *fields, *([look_up.first_by] if look_up.first_by else [])]))
    found: dict[Any, Record] = {}
    for other in zoql.matching(look_up.object, fields, look_up.match, wanted):
        key, first_by = other.get(look_up.match), look_up.first_by
        if key not in found or (first_by and _number(other, first_by) < _number(found[key], first_by)):
            found[key] = other
    return found


def _number(record: Record, name: str) -> float:
    value = record.get(name)
    return float("inf") if value is None else float(value)
