"""A folder of Parquet files read in place as one table. Nothing but a column of stamps tells what changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.dataset as ds

from connectors.contract import Position
from connectors.errors import PermanentError
from connectors.lake.keys import Among, as_arrow
from connectors.lake.table import Batches, Steps
from connectors.object_store import Folder

# A stamp that names no zone is at most so far from UTC.
_FARTHEST_ZONE = timedelta(hours=14)


class ParquetSource:
    """A `Table`. Its columns are those of its newest file, and of folders such as `month=2026-11`."""

    def __init__(self, name: str, folder: Folder) -> None:
        self._name = name
        self._folder = folder

    def schema(self) -> pa.Schema:
        return self._dataset.schema

    def count(self) -> int:
        with self._folder.translated(f"the table {self._name}"):
            return int(self._dataset.count_rows())

    def rows(self, columns: Sequence[str], condition: Among | None) -> Batches:
        return self._scan(columns, as_arrow(condition) if condition else None)

    def changes(self, columns: Sequence[str], since: Position | None, newer: tuple[str, datetime] | None) -> Steps:
        """No position comes: the files are in no order, and only the end of the walk is one."""
        del since
        condition = self._newer(*newer) if newer else None
        yield from ((batch, None) for batch in self._scan(columns, condition))

    def removed(self, columns: Sequence[str], since: datetime, walked_from: Position | None) -> Batches:
        """Nothing: a census tells what is gone."""
        del columns, since, walked_from
        return iter(())

    def _newer(self, column: str, stamp: datetime) -> ds.Expression | None:
        """The condition, where the column holds instants; a text is compared by nobody but the mapping.

        Rows without a stamp are read every time, for nothing tells when they came.
        """
        kind = self.schema().field(column).type
        if not pa.types.is_timestamp(kind):
            return None
        if kind.tz is None:
            stamp = stamp.replace(tzinfo=None) - _FARTHEST_ZONE
        stamped = ds.field(column)
        return stamped.is_null() | (stamped >= pa.scalar(stamp, pa.timestamp("us", kind.tz)))

    def _scan(self, columns: Sequence[str], condition: ds.Expression | None) -> Batches:
        with self._folder.translated(f"the table {self._name}"):
            scanner = self._dataset.scanner(
                columns=list(columns), filter=condition, batch_readahead=2, fragment_readahead=1
            )
            yield from scanner.to_batches()

    @cached_property
    def _dataset(self) -> ds.Dataset:
        found = [file for file in self._folder.files("**/*.parquet") if not _hidden(file.path)]
        if not found:
            raise PermanentError(
                f"{self._folder.system}: there is no Parquet file in {self._name}, or none that may be seen. Correct "
                "`table` in the mapping, or the permission."
            )
        root = self._folder.root
        newest_first = sorted(found, key=lambda file: (file.changed_ns, file.path), reverse=True)
        with self._folder.translated(f"the table {self._name}"):
            return ds.dataset(
                [f"{root}/{file.path}" for file in newest_first],
                filesystem=self._folder.filesystem,
                format="parquet",
                partitioning="hive",
                partition_base_dir=root,
            )


def _hidden(path: str) -> bool:
    """What writers do not mean to be read yet: `_temporary/…`, `.part-0.parquet.crc`."""
    return any(step.startswith(("_", ".")) for step in PurePosixPath(path).parts)
