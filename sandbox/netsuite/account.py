"""One NetSuite account in memory: its tables, their rows, and what its role may see."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.netsuite.columns import Value
from sandbox.netsuite.masks import DISPLAY_FORMATS
from sandbox.netsuite.mirror import Mirror, Snapshot
from sandbox.netsuite.standard_tables import LINES_OF, NOT_RECORDS, RECORD_TYPES, STANDARD_TABLES
from sandbox.netsuite.table import Key, Row, Table

PACIFIC = ZoneInfo("America/Los_Angeles")
"""The zone of NetSuite's own servers."""

_NAME_COLUMNS = ("tranid", "companyname", "entityid", "itemid", "periodname", "recordnumber", "name")


class NetSuiteAccount:
    """Thread-safe. Starts with STANDARD_TABLES, empty.

    `clock` gives the moment (aware) that stamps `lastmodifieddate`, `deleteddate` and SYSDATE. `session_zone`
    and `date_format` are preferences of the integration user: unconverted dates come back in that format, and
    datetimes are compared with TO_DATE in that zone. Raises ValueError for an unknown format.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        account_id: str = "1234567_SB1",
        session_zone: ZoneInfo = PACIFIC,
        date_format: str = "MM/DD/YYYY",
    ) -> None:
        if date_format not in DISPLAY_FORMATS:
            raise ValueError(f"No date format {date_format!r}; known are {', '.join(DISPLAY_FORMATS)}.")
        self.clock = clock
        self.account_id = account_id
        self.session_zone = session_zone
        self.date_format = date_format
        self._lock = threading.RLock()
        self._mirror = Mirror(session_zone)
        self._forbidden: set[str] = set()
        self._tables = {name: Table(name, columns) for name, columns in STANDARD_TABLES.items()}

    def define(self, table: str, columns: Mapping[str, str]) -> None:
        """Add a table, or give an existing one these columns and no others; its rows stay.

        Column types are integer, text, boolean, number, date and datetime; anything else is a ValueError. A
        column that is left out becomes an unknown identifier, as when a field is removed or hidden, and has
        its values back when it is defined again.
        """
        name = table.lower()
        with self._lock:
            if name in self._tables:
                self._tables[name].redefine(columns)
            else:
                self._tables[name] = Table(name, columns)

    def put(self, table: str, row: Mapping[str, object]) -> Key:
        """Insert a row, or update the columns given of the row with that key; return the key.

        The key is `id`, of `transactionline` `uniquekey`; without one the next free number is taken. Tables
        that have no key column take every row as a new one. Raises ValueError for an unknown table or
        column, and for a value that does not fit its column.
        """
        with self._lock:
            target = self._table(table)
            values = target.values(row)
            if target.stamp is not None and target.stamp not in values:
                values[target.stamp] = self.clock()
            return target.upsert(values)

    def remove(self, table: str, key: Key, *, listed: bool = True) -> None:
        """Delete for good. A record goes with its lines and leaves a row in `deletedrecord`, unless that is not
        `listed`; a line leaves none, but stamps the record that it belonged to, as saving the record without it does.

        Raises ValueError when there is no such row.
        """
        with self._lock:
            target = self._table(table)
            row = target.pop(key)
            own_key = row.get(target.key_column or "", key)
            for lines, parent in LINES_OF.get(target.name, ()):
                self._remove_lines(lines, parent, own_key)
            if listed and target.name not in NOT_RECORDS:
                self._bury(target.name, own_key, row)
            self._touch_parent(target.name, row)

    def rows(self, table: str) -> list[dict[str, Value]]:
        """Copies of the rows in the order of their insertion, without null columns."""
        with self._lock:
            return self._table(table).visible_rows()

    def forbid(self, table: str) -> None:
        """Take the table from the role: to every request it is "not found" (vendors.md B7)."""
        with self._lock:
            self._forbidden.add(self._table(table).name)

    def permit(self, table: str) -> None:
        """Give a forbidden table back to the role."""
        with self._lock:
            self._forbidden.discard(self._table(table).name)

    def schema(self) -> dict[str, Mapping[str, str]]:
        """The tables that the role sees, each with its columns and their types."""
        with self._lock:
            return {name: t.columns for name, t in self._tables.items() if name not in self._forbidden}

    def find(self, table: str, key: Key) -> dict[str, Value] | None:
        """One row without its null columns, or None."""
        with self._lock:
            return self._table(table).find(key)

    @contextmanager
    def reading(self) -> Iterator["Reading"]:
        """Hold the account still while a query is prepared; the snapshot it takes outlives the hold."""
        with self._lock:
            yield Reading(self._tables, self._mirror, self.schema())

    def _table(self, name: str) -> Table:
        table = self._tables.get(name.lower())
        if table is None:
            raise ValueError(f"The account has no table {name!r}; define it first.")
        return table

    def _remove_lines(self, lines: str, parent: str, key: Value) -> None:
        table = self._tables.get(lines)
        if table is not None and parent in table.columns:
            table.discard_where(parent, key)

    def _bury(self, table: str, key: Value, row: Row) -> None:
        kind = row.get("recordtype") or RECORD_TYPES.get(str(row.get("type")), table)
        name = next((row[column] for column in _NAME_COLUMNS if column in row), str(key))
        grave = {
            "deleteddate": self.clock(),
            "type": kind,
            "recordid": key if isinstance(key, int) else None,
            "name": name,
            "context": "RESTWEBSERVICES",
            "iscustomlist": table.startswith("customlist"),
            "iscustomrecord": table.startswith("customrecord"),
        }
        self.put("deletedrecord", grave)

    def _touch_parent(self, lines: str, row: Row) -> None:
        for record, children in LINES_OF.items():
            for table, parent in children:
                owner = row.get(parent)
                if table == lines and isinstance(owner, int) and self._tables[record].find(owner):
                    self.put(record, {self._tables[record].key_column or "id": owner})


class Reading:
    """The account held still: what a query may name, and the way to a snapshot of the rows."""

    def __init__(self, tables: Mapping[str, Table], mirror: Mirror, schema: Mapping[str, Mapping[str, str]]) -> None:
        self._tables = tables
        self._mirror = mirror
        self.schema = schema

    def snapshot(self, names: set[str]) -> Snapshot:
        """The rows of these tables as they are now; later changes do not show in it."""
        return self._mirror.snapshot([self._tables[name] for name in sorted(names) if name in self._tables])
