"""The rows of one table, and which of them changed since they were last copied."""

from collections.abc import Mapping

from sandbox.netsuite.columns import TYPES, Value, stored

Key = int | str
Row = dict[str, Value]

_KEY_COLUMNS = {"transactionline": "uniquekey", "deletedrecord": None}
_STAMPS = ("lastmodifieddate", "linelastmodifieddate")


class Table:
    """Rows under a number of their own, which they keep for life; `index` leads from a key to it."""

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        self.name = _require_name(name)
        self.rows: dict[int, Row] = {}
        self.changed: set[int] = set()
        self.redefined = True
        self._index: dict[Key, int] = {}
        self._last_number = 0
        self._last_key = 0
        self._define(columns)

    def redefine(self, columns: Mapping[str, str]) -> None:
        """Take other columns; values whose column changed its type are read again as the new one."""
        before = dict(self.columns)
        self._define(columns)
        for column, kind in self.columns.items():
            if before.get(column, kind) != kind:
                for row in self.rows.values():
                    if column in row:
                        self._set(row, column, row[column])
        self.redefined = True

    def values(self, row: Mapping[str, object]) -> dict[str, object]:
        """The row under lower-case names; ValueError names the columns that do not exist."""
        values = {name.lower(): value for name, value in row.items()}
        unknown = sorted(values.keys() - self.columns.keys())
        if unknown:
            raise ValueError(f"The table {self.name} has no column {', '.join(unknown)}; define it first.")
        return values

    def upsert(self, values: Mapping[str, object]) -> Key:
        changes: dict[str, Value | None] = {}
        for column, value in values.items():
            changes[column] = self._stored(column, value)
        key = self._key_of(changes)
        number = self._index.get(key)
        if number is None:
            self._last_number = number = self._last_number + 1
            self._index[key] = number
            self.rows[number] = {}
        row = self.rows[number]
        row.update((column, value) for column, value in changes.items() if value is not None)
        for column in [column for column, value in changes.items() if value is None]:
            row.pop(column, None)
        self.changed.add(number)
        return key

    def find(self, key: Key) -> Row | None:
        number = self._index.get(self._same_kind(key))
        return None if number is None else self._visible(self.rows[number])

    def pop(self, key: Key) -> Row:
        number = self._index.pop(self._same_kind(key), None)
        if number is None:
            raise ValueError(f"The table {self.name} has no row {key!r}.")
        self.changed.add(number)
        return self.rows.pop(number)

    def discard_where(self, column: str, value: Value) -> None:
        """Drop the rows whose column has this value."""
        doomed = [key for key, number in self._index.items() if self.rows[number].get(column) == value]
        for key in doomed:
            self.pop(key)

    def visible_rows(self) -> list[Row]:
        return [self._visible(row) for row in self.rows.values()]

    def _visible(self, row: Row) -> Row:
        return {column: value for column, value in row.items() if column in self.columns}

    def _define(self, columns: Mapping[str, str]) -> None:
        self.columns = {name.lower(): kind for name, kind in columns.items()}
        for column, kind in self.columns.items():
            _require_name(column)
            if kind not in TYPES:
                raise ValueError(f"{self.name}.{column} has the type {kind!r}; known are {', '.join(TYPES)}.")
        wanted = _KEY_COLUMNS.get(self.name, "id")
        self.key_column = wanted if wanted in self.columns else None
        self.stamp = next((stamp for stamp in _STAMPS if stamp in self.columns), None)

    def _stored(self, column: str, value: object) -> Value | None:
        try:
            return stored(self.columns[column], value)
        except ValueError as error:
            raise ValueError(f"{self.name}.{column}: {error}.") from None

    def _same_kind(self, key: Key) -> Key:
        """The key as the table keeps it: "5" finds 5 where the keys are integers."""
        kind = self.columns[self.key_column] if self.key_column is not None else "integer"
        try:
            kept = stored(kind, key)
        except ValueError:
            return key
        return kept if isinstance(kept, int | str) else key

    def _set(self, row: Row, column: str, value: object) -> None:
        kept = self._stored(column, value)
        if kept is not None:
            row[column] = kept

    def _key_of(self, changes: dict[str, Value | None]) -> Key:
        if self.key_column is None:
            return self._last_number + 1
        key = changes.get(self.key_column)
        if key is None:
            key = self._last_key + 1
            changes[self.key_column] = self._stored(self.key_column, key)
        if not isinstance(key, int | str):
            raise ValueError(f"{self.name}.{self.key_column} cannot be a key: {key!r}.")
        if isinstance(key, int):
            self._last_key = max(self._last_key, key)
        return key


def _require_name(name: str) -> str:
    """Names that start with two underscores are the simulator's own."""
    if not name.isidentifier() or name.startswith("__"):
        raise ValueError(f"{name!r} cannot be the name of a table or column.")
    return name
