"""The company's records straight into books: by the same mappings, without the wire between.

What a connector would ask of a system is answered here from the rows themselves: a relationship of Salesforce, a
look-up of Zuora, a query of NetSuite by its simulator's own engine. A test compares both ways, row for row.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from books.accounts import resolve
from books.snapshots import OWN as SYSTEM
from books.snapshots import Reading, Snapshot
from books.store import table_from
from connectors.contract import Record
from connectors.mapping import Mapping as SourceMapping
from connectors.mapping import ObjectMapping
from connectors.netsuite.suiteql import Select
from connectors.registry import open_connector
from connectors.tables import booked
from gateway.config import Config
from gateway.crosswalk.publishing import declare
from gateway.demo.settings import SYSTEMS, System, settings
from gateway.installation import Installation
from gateway.own_records.bands import put_bands
from gateway.sync.readings import METADATA
from sandbox.company import Company
from sandbox.company.render_salesforce import OBJECTS
from sandbox.netsuite import NetSuiteAccount
from sandbox.netsuite.paging import read_page

NOWHERE = {"salesforce": "http://127.0.0.1:9", "zuora": "http://127.0.0.1:9", "netsuite": "http://127.0.0.1:9"}
FRESH = timedelta(hours=1)
# A query without paging: more rows than an account has.
_EVERY_ROW = 1_000_000_000


def unconnected(folder: Path, now: datetime) -> Installation:
    """The company's installation with books below `folder`, and with no system that would answer."""
    said = settings(folder, NOWHERE, "http://127.0.0.1:9", ("127.0.0.1", 9))
    return Installation(Config.model_validate({**said, "folder": folder}), lambda: now)


class Shortcut:
    """Fills the books of an installation, site by site."""

    def __init__(self, installed: Installation, folder: Path) -> None:
        self._installed = installed
        self._folder = folder
        self._sites = 0

    def load(self, company: Company) -> None:
        """Write what one site of the company has. What belongs to no customer comes with the first."""
        place = self._folder / "files" / f"site-{self._sites}"
        company.write_files(place)
        for system in SYSTEMS:
            mapping = self._installed.mappings[system.name]
            reader = _reader(system, mapping, company, place)
            for name in mapping.walked:
                self._write(system.name, mapping.objects[name], reader.records(name))
        self._put_own(company)
        self._sites += 1

    def publish(self) -> Snapshot:
        """Resolve the owners of all rows; a snapshot in which every source was read just now, and is in order.

        Of the crosswalk, it has the links that fields declare: proposals and decisions are kept in a database.
        """
        installed, now = self._installed, self._installed.clock()
        resolve(installed.store, installed.books, installed.matching, None)
        declare(installed.store, installed.books, now)
        put_bands(installed, installed.store.versions(), now)
        readings = {
            (system, entity): Reading(now, FRESH)
            for system, mapping in installed.mappings.items()
            for entity in mapping.entities | {METADATA}
        }
        return Snapshot("snap_shortcut", now, installed.store.versions(), readings)

    def _put_own(self, company: Company) -> None:
        """Our own records, as the gateway would have written them."""
        common = {"system": SYSTEM, "synced_at": company.now, "deleted": False, "raw": "{}"}
        for entity, rows in company.own.items():
            said = ({**common, "account_id": row.get("account_key"), **row} for row in rows)
            self._installed.store.merge(entity, SYSTEM, table_from(entity, said))

    def _write(self, system: str, mapped: ObjectMapping, records: Iterator[Record]) -> None:
        made = booked(mapped, records, system, self._installed.clock())
        if made.rejects:
            raise ValueError(f"{system} shows a record that its mapping refuses: {made.rejects[0]}")
        for target, rows in made.tables:
            self._installed.store.merge(target.entity.name, system, rows)


class _Salesforce:
    def __init__(self, mapping: SourceMapping, company: Company) -> None:
        self._mapping = mapping
        self._rows = company.salesforce
        self._by_id = {name: {row["Id"]: row for row in rows} for name, rows in company.salesforce.items()}

    def records(self, name: str) -> Iterator[Record]:
        paths = [field.split(".") for field in self._mapping.objects[name].fields if "." in field]
        lookups = {steps[0]: _reference(name, steps[0]) for steps in paths}
        for row in self._rows.get(name, ()):
            record = _shown(name, row)
            for relationship, (field, target) in lookups.items():
                parent = self._by_id[target].get(row.get(field))
                record[relationship] = parent and _shown(target, parent)
            yield record


def _shown(name: str, row: Record) -> dict[str, Any]:
    """A row as Salesforce shows it: a checkbox that nobody ticked is false, not empty."""
    return {**_unticked(name), **{field: _spelt(value) for field, value in row.items() if value is not None}}


@cache
def _unticked(name: str) -> dict[str, bool]:
    return {field: False for field, declared in OBJECTS[name].items() if declared == "boolean"}


def _reference(name: str, relationship: str) -> tuple[str, str]:
    """The field behind a relationship, and the object that it refers to."""
    custom = relationship.endswith("__r")
    field = relationship.removesuffix("__r") + "__c" if custom else relationship + "Id"
    return field, OBJECTS[name][field].removeprefix("reference(").removesuffix(")")


class _Zuora:
    def __init__(self, mapping: SourceMapping, company: Company) -> None:
        self._mapping = mapping
        self._rows = company.zuora

    def records(self, name: str) -> Iterator[Record]:
        look_ups = self._mapping.objects[name].look_ups
        found = {look_up.name: self._matches(look_up.object, look_up.match, look_up.first_by) for look_up in look_ups}
        for row in self._rows.get(name, ()):
            record: dict[str, Any] = {field: _spelt(value) for field, value in row.items()}
            for look_up in look_ups:
                record[look_up.name] = found[look_up.name].get(row.get(look_up.by.path))
            yield record

    def _matches(self, name: str, match: str, first_by: str | None) -> dict[Any, Record]:
        rows = list(self._rows.get(name, ()))
        if first_by:
            rows.sort(key=lambda row: row[first_by], reverse=True)
        return {row.get(match): {field: _spelt(value) for field, value in row.items()} for row in rows}


class _NetSuite:
    def __init__(self, mapping: SourceMapping, company: Company) -> None:
        self._mapping = mapping
        self._account = NetSuiteAccount(lambda: company.now)
        company.load_netsuite(self._account)

    def records(self, name: str) -> Iterator[Record]:
        mapped = self._mapping.objects[name]
        if name not in self._account.schema():
            return
        select = Select(mapped, mapped.fields)
        page = read_page(self._account, select.page((), select.key_order).text, (), _EVERY_ROW, 0)
        yield from map(select.record, page.rows)


class _Files:
    def __init__(self, mapping: SourceMapping, company: Company, folder: Path) -> None:
        settle = company.now + timedelta(days=36_500)
        self._connector = open_connector("files", {"folder": str(folder), "system": "files"}, mapping, lambda: settle)

    def records(self, name: str) -> Iterator[Record]:
        for page in self._connector.changes(name, None):
            yield from page.records


def _reader(system: System, mapping: SourceMapping, company: Company, place: Path) -> Any:
    match system.connector:
        case "salesforce":
            return _Salesforce(mapping, company)
        case "zuora":
            return _Zuora(mapping, company)
        case "netsuite":
            return _NetSuite(mapping, company)
        case _:
            return _Files(mapping, company, place / system.name)


def _spelt(value: Any) -> Any:
    """A value as JSON would bring it, numbers with a fraction as text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else value
