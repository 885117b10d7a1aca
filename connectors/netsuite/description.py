"""Which fields an object has: by the account's catalogue of records, by a look at some rows, and by asking for them.

The catalogue knows records, and not the tables of lines; it lists summary fields that no query can read. So what the
mapping asks for is tried as well: the account's own answer is the only one that counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.contract import SourceField
from connectors.errors import SchemaChanged
from connectors.mapping import ObjectMapping
from connectors.netsuite.session import Session
from connectors.netsuite.suiteql import Select, Statement, SuiteQL

CATALOGUE = "/services/rest/record/v1/metadata-catalog"
SAMPLE = 20
UNKNOWN, ASKED = "unknown", "expression"


def described(catalogued: Iterable[SourceField], suiteql: SuiteQL, mapped: ObjectMapping) -> list[SourceField]:
    """The fields, under the names that a query knows them by; mapped expressions that can be read are among them.

    `catalogued` is what the catalogue says of the object.

    Raises SchemaChanged where the object itself is not visible.
    """
    found = {field.name: field for field in (*catalogued, *_sampled(suiteql, mapped.name))}
    for name in _readable(suiteql, mapped):
        found.setdefault(name, SourceField(name, ASKED))
    return list(found.values())


def catalogue(session: Session, name: str) -> list[SourceField]:
    """The fields of a record by the account's catalogue; none where it does not know the record."""
    answer = session.send("GET", f"{CATALOGUE}/{name}", headers={"Accept": "application/schema+json"})
    body = answer.body if answer.ok and isinstance(answer.body, dict) else {}
    properties = body.get("properties")
    listed = properties.items() if isinstance(properties, dict) else ()
    return [
        SourceField(field.lower(), _type(said), values=tuple(map(str, said.get("enum") or ())))
        for field, said in listed
        if field != "links" and isinstance(said, dict)
    ]


def _type(said: Mapping[str, Any]) -> str:
    return str(said.get("format") or said.get("type") or UNKNOWN)


def _sampled(suiteql: SuiteQL, name: str) -> Iterator[SourceField]:
    """Columns that some rows have a value in."""
    sample = Statement(f"SELECT * FROM {name} WHERE ROWNUM <= {SAMPLE}", "links")
    return (SourceField(column, UNKNOWN) for row in suiteql.page(sample).rows for column in row if column != "links")


def _readable(suiteql: SuiteQL, mapped: ObjectMapping) -> Iterable[str]:
    """Those of the mapped fields that a query can read: all at once, and one by one where that fails."""
    if _answers(suiteql, mapped, mapped.fields):
        return mapped.fields
    return [name for name in mapped.fields if _answers(suiteql, mapped, (name,))]


def _answers(suiteql: SuiteQL, mapped: ObjectMapping, names: tuple[str, ...]) -> bool:
    try:
        suiteql.page(Select(mapped, names).probe())
    except SchemaChanged:
        return False
    return True
