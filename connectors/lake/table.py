"""What the lake connector needs of a table, whatever its format."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from connectors.contract import Position
from connectors.lake.keys import Among

Batches = Iterator[pa.RecordBatch]
# Rows, and after them a position up to which everything was handed over. Either may be missing.
Steps = Iterator[tuple[pa.RecordBatch | None, Position | None]]


class Table(Protocol):
    """One table, read in place: only the columns that are asked for, in batches that the memory holds.

    It is opened when it is first asked, and shows that moment from then on.
    """

    def schema(self) -> pa.Schema:
        """The columns. Raises PermanentError where there is no table."""

    def changes(self, columns: Sequence[str], since: Position | None, newer: tuple[str, datetime] | None) -> Steps:
        """Rows that changed after `since`, or all. `newer` is a column of stamps, and from which stamp on rows are
        wanted, for a table that knows nothing better. Raises CursorLost where it does not reach back to `since`."""

    def removed(self, columns: Sequence[str], since: datetime, walked_from: Position | None) -> Batches:
        """Rows that are not there any more, and some that are: their key's columns are enough to tell.

        Of what happened after `since`, or after the position at which the last walk began. Raises CursorLost.
        """

    def rows(self, columns: Sequence[str], condition: Among | None) -> Batches:
        """All rows, or those that meet a condition."""

    def count(self) -> int:
        """How many rows there are."""
