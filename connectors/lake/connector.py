"""Tables of a lakehouse as a Connector: Delta tables and folders of Parquet files, read where they are.

Nothing is exported and no file is copied: a walk reads the columns that the mapping names, of the rows that changed,
batch by batch. An object is a table: `table` is its place below the source's root, `format` is delta (the default) or
parquet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pyarrow as pa

from connectors import telemetry
from connectors.arrow_values import records_of
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import CursorLost, MappingError, SchemaChanged
from connectors.fields import joined
from connectors.lake.delta import DeltaSource
from connectors.lake.keys import among
from connectors.lake.parquet import ParquetSource
from connectors.lake.table import Table
from connectors.mapping import Mapping as SourceMapping
from connectors.mapping import ObjectMapping
from connectors.object_store import Folder
from connectors.transforms import BadValue
from connectors.watermark import look_back

FORMATS = ("delta", "parquet")
# Writers stamp a commit by clocks of their own, and rows of a Parquet folder commit after their stamp.
LOOK_BACK_S = 3_600
# So many keys are looked up in a table at once. For more, all its keys are read.
LOOKED_UP = 1_000
# So many rows that may have been removed are held to be compared. For more, a census is the better way.
MOST_REMOVED = 200_000


@dataclass(frozen=True)
class LakeConfig:
    """`root` is a path or a URL (`s3://`, `gs://`, `abfss://`) below which the tables are; `endpoint_override` and
    `region` are for S3 and what speaks like it. `page_rows`: records of one page."""

    root: Path | str
    system: str = "lake"
    endpoint_override: str = ""
    region: str = ""
    page_rows: int = 2_000


def rewritten_each_time(mapped: ObjectMapping) -> bool:
    """Whether nothing tells what changed in the table: a Delta table has its versions, a Parquet folder has not."""
    return format_of(mapped) == "parquet" and mapped.modified is None


def format_of(mapped: ObjectMapping) -> str:
    return str(mapped.options.get("format", "delta"))


class Lake:
    """A Connector. Decimals and instants reach the mapping as the exact texts that they are."""

    def __init__(self, config: LakeConfig, mapping: SourceMapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._root = Folder(config.system, config.root, config.endpoint_override, config.region)
        # Where the last walk of each object began, for the deletions that are asked for after it.
        self._begun: dict[str, Position | None] = {}
        for mapped in mapping.objects.values():
            _check(mapped)

    def source_time(self) -> datetime:
        return self._clock()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        """Pages of rows. Of a Delta table with a position after every version, of Parquet with one at the end.

        Raises SchemaChanged when the table lacks a mapped column, CursorLost when a version was vacuumed.
        """
        mapped = self._mapping.objects[name]
        table = self._table(mapped)
        columns = self._columns(table, mapped, mapped.fields)
        self._begun[name] = since
        newest = since.stamp if since else None
        for batch, position in table.changes(columns, since, self._newer(mapped, since)):
            for records in self._pages(name, batch):
                newest = _newest(mapped, records, newest, self._clock())
                yield Page(records, None)
            if position is not None:
                yield Page((), position)
        if format_of(mapped) == "parquet" and newest is not None:
            yield Page((), Position(stamp=newest))

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Keys of rows that a Delta table lost since then. A Parquet folder tells of none: a census finds them."""
        if since is None:
            return
        mapped = self._mapping.objects[name]
        table = self._table(mapped)
        margin = timedelta(seconds=LOOK_BACK_S if mapped.look_back_s is None else mapped.look_back_s)
        columns = self._columns(table, mapped, [field.path for field in mapped.key])
        gone: dict[str, None] = {}
        for batch in table.removed(columns, since - margin, self._begun.get(name)):
            gone.update(dict.fromkeys(_keys(mapped, records_of(batch))))
            if len(gone) > MOST_REMOVED:
                raise CursorLost(f"{name} lost too many rows to look each of them up.")
        for key in self._there(mapped, table, list(gone)):
            gone.pop(key, None)
        yield from gone

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        mapped = self._mapping.objects[name]
        table = self._table(mapped)
        for batch in table.rows(self._columns(table, mapped, mapped.census_fields), None):
            yield from self._pages(name, batch)

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        """The rows with these keys; files that cannot hold one are not read, where the key is of texts or numbers."""
        mapped = self._mapping.objects[name]
        table = self._table(mapped)
        columns = self._columns(table, mapped, mapped.fields)
        key_of = joined(mapped.key)
        for start in range(0, len(keys), LOOKED_UP):
            wanted = set(keys[start : start + LOOKED_UP])
            for batch in table.rows(columns, among(table.schema(), mapped.key, sorted(wanted))):
                for records in self._pages(name, batch):
                    found = [record for record in records if key_of(record) in wanted]
                    if found:
                        yield found

    def fields(self, name: str) -> Sequence[SourceField]:
        schema = self._table(self._mapping.objects[name]).schema()
        return [SourceField(field.name, str(field.type), field.nullable) for field in schema]

    def count(self, name: str) -> int | None:
        return self._table(self._mapping.objects[name]).count()

    def limits(self) -> Sequence[Limit]:
        """None: nobody counts who reads a lake."""
        return ()

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _table(self, mapped: ObjectMapping) -> Table:
        """The table as it is now."""
        place = str(mapped.options["table"])
        folder = self._root.below(place)
        if format_of(mapped) == "parquet":
            return ParquetSource(place, folder)
        return DeltaSource(place, folder, self._storage_options())

    def _storage_options(self) -> Mapping[str, str]:
        """The same settings in the words of the library that reads Delta; it takes credentials from the environment."""
        endpoint = self._config.endpoint_override
        said = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": self._config.region}
        said["AWS_ALLOW_HTTP"] = "true" if endpoint.startswith("http://") else ""
        return {name: value for name, value in said.items() if value}

    def _columns(self, table: Table, mapped: ObjectMapping, fields: Sequence[str]) -> list[str]:
        """The table's columns that the fields need. Raises SchemaChanged where one is not there."""
        wanted = list(dict.fromkeys(field.partition(".")[0] for field in fields))
        missing = sorted(set(wanted) - set(table.schema().names))
        if missing:
            raise SchemaChanged(
                f"{self._config.system}: the table {mapped.options['table']} has no column {', '.join(missing)}, which "
                f"the mapping of {mapped.name} reads. Correct the table or the mapping."
            )
        return wanted

    def _newer(self, mapped: ObjectMapping, since: Position | None) -> tuple[str, datetime] | None:
        start = look_back(since, mapped.look_back_s, LOOK_BACK_S)
        return (mapped.modified.path, start) if mapped.modified and start else None

    def _pages(self, name: str, batch: pa.RecordBatch | None) -> Iterator[Sequence[Record]]:
        records = iter(()) if batch is None else records_of(batch)
        size = self._config.page_rows
        while page := telemetry.page(self._config.system, name, lambda: list(islice(records, size))):
            yield page

    def _there(self, mapped: ObjectMapping, table: Table, keys: Sequence[str]) -> Iterator[str]:
        """Those of the keys that the table holds now, among others."""
        if not keys:
            return
        condition = among(table.schema(), mapped.key, keys) if len(keys) <= LOOKED_UP else None
        for batch in table.rows(self._columns(table, mapped, [field.path for field in mapped.key]), condition):
            yield from _keys(mapped, records_of(batch))


def _keys(mapped: ObjectMapping, records: Iterator[Record]) -> Iterator[str]:
    key_of = joined(mapped.key)
    return (key for record in records if (key := key_of(record)))


def _newest(
    mapped: ObjectMapping, records: Sequence[Record], before: datetime | None, now: datetime
) -> datetime | None:
    """The latest stamp of a table that has nothing better, as the mapping reads it.

    At most `now`: behind a row that is stamped in the future by mistake, no other would ever be read again.
    """
    rule = mapped.targets[0].modified
    if format_of(mapped) != "parquet" or rule is None or rule.convert is None:
        return before
    for record in records:
        value = rule.read(record)
        try:
            stamp = rule.convert(value) if value else None
        except BadValue:
            continue
        stamp = min(stamp, now) if stamp else None
        before = max(before, stamp) if before and stamp else before or stamp
    return before


def _check(mapped: ObjectMapping) -> None:
    """Raises MappingError for what this connector would pass over in silence."""
    if format_of(mapped) not in FORMATS:
        raise MappingError(f"{mapped.name} has the format {format_of(mapped)!r}; there are {', '.join(FORMATS)}.")
    if mapped.filter:
        raise MappingError(
            f"{mapped.name} has a 'filter', which a lake does not understand. Use 'where' in its targets."
        )
