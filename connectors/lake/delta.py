"""A Delta table read in place. Its versions are the cursor: a position is the last version that was handed over.

Between two versions, a commit with a change data feed says row by row what changed. One without names the files that it
added, and their rows are read, also those that only moved with a changed neighbour: reading a row again changes
nothing. A commit that merely compacts is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, DeltaProtocolError, TableNotFoundError

from connectors.contract import Position
from connectors.errors import CursorLost, PermanentError
from connectors.lake.keys import Among, as_sql
from connectors.lake.log import Commit, read_commit
from connectors.lake.table import Batches, Steps
from connectors.object_store import Folder

CHANGE = "_change_type"
_THERE_NOW = ("insert", "update_postimage")
_GONE = ("delete", "update_preimage")
# Words by which the library says that a file or a version is not there; it gives them no class of their own.
_MISSING = ("not found", "No such file", "No files in log segment", "LogSegment", "404")


class DeltaSource:
    """A `Table`."""

    def __init__(self, name: str, folder: Folder, options: Mapping[str, str]) -> None:
        self._name = name
        self._folder = folder
        self._options = dict(options)

    def schema(self) -> pa.Schema:
        return pa.schema(self._now.schema().to_arrow())

    def count(self) -> int:
        with self._translated():
            return int(self._now.count())

    def rows(self, columns: Sequence[str], condition: Among | None) -> Batches:
        with self._translated():
            scan = self._now.scan(list(columns), as_sql(condition) if condition else None)
            yield from pa.RecordBatchReader.from_stream(scan)

    def changes(self, columns: Sequence[str], since: Position | None, newer: tuple[str, datetime] | None) -> Steps:
        """Everything comes with its version at the end; what changed, with a position after each version."""
        del newer
        if since is None:
            yield from ((batch, None) for batch in self.rows(columns, None))
            yield None, self._position(self._now.version())
            return
        for version in range(self._version_of(since) + 1, self._now.version() + 1):
            try:
                yield from ((batch, None) for batch in self._added(read_commit(self._folder, version), columns))
            except DeltaProtocolError:
                # With column mapping or deletion vectors a file means nothing by itself, and all is read instead.
                yield from self.changes(columns, None, None)
                return
            yield None, self._position(version)

    def removed(self, columns: Sequence[str], since: datetime, walked_from: Position | None) -> Batches:
        begun = self._version_of(walked_from) if walked_from else self._now.version()
        for version in range(self._now.version(), 0, -1):
            commit = read_commit(self._folder, version)
            if commit.at <= since and version <= begun:
                return
            try:
                yield from self._removed(commit, columns)
            except DeltaProtocolError as error:
                raise CursorLost(f"{self._name}: its files do not tell which rows were removed.") from error

    def _added(self, commit: Commit, columns: Sequence[str]) -> Batches:
        if commit.tells_rows:
            return self._feed(commit.version, columns, _THERE_NOW)
        return self._files(commit.version, commit.added, columns)

    def _removed(self, commit: Commit, columns: Sequence[str]) -> Batches:
        if commit.tells_rows:
            return self._feed(commit.version, columns, _GONE)
        return self._files(commit.version - 1, commit.removed, columns)

    def _feed(self, version: int, columns: Sequence[str], kinds: Sequence[str]) -> Batches:
        """What the change data feed says of one version, with the columns that it knows."""
        wanted = ", ".join(f"'{kind}'" for kind in kinds)
        with self._translated(reaching_back=True):
            feed = self._now.load_cdf(version, version, columns=[*columns, CHANGE], predicate=f"{CHANGE} IN ({wanted})")
            for batch in pa.RecordBatchReader.from_stream(feed):
                yield batch.select(list(columns))

    def _files(self, version: int, paths: frozenset[str], columns: Sequence[str]) -> Batches:
        """The rows of some files of a version, with the columns that the table has now.

        Raises DeltaProtocolError for a table whose files cannot be read one by one.
        """
        if not paths:
            return
        with self._translated(reaching_back=True):
            whole = self._at(version).to_pyarrow_dataset()
            fragments = [fragment for fragment in whole.get_fragments() if fragment.path in paths]
            some = ds.FileSystemDataset(fragments, self.schema(), whole.format, whole.filesystem)
            yield from some.scanner(columns=list(columns), batch_readahead=2, fragment_readahead=1).to_batches()

    def _version_of(self, position: Position) -> int:
        identity, _, version = position.token.rpartition(":")
        if identity != str(self._now.metadata().id) or int(version) > self._now.version():
            raise CursorLost(f"{self._name}: the table was made anew, and its versions began again.")
        return int(version)

    def _position(self, version: int) -> Position:
        return Position(token=f"{self._now.metadata().id}:{version}")

    @cached_property
    def _now(self) -> DeltaTable:
        with self._translated():
            return DeltaTable(self._folder.url, storage_options=self._options)

    def _at(self, version: int) -> DeltaTable:
        return DeltaTable(self._folder.url, version=version, storage_options=self._options)

    @contextmanager
    def _translated(self, *, reaching_back: bool = False) -> Iterator[None]:
        """Errors of the library as ours. `reaching_back`: what is missing was vacuumed, and may be."""
        try:
            yield
        except DeltaProtocolError:
            raise
        except (DeltaError, OSError, pa.ArrowException) as error:
            if reaching_back and any(word in str(error) for word in _MISSING):
                raise CursorLost(f"{self._name}: files of an older version were vacuumed unread.") from None
            if isinstance(error, TableNotFoundError):
                raise PermanentError(
                    f"{self._folder.system}: there is no Delta table {self._name} below the root, or none that may be "
                    "seen. Correct `table` in the mapping, or the permission."
                ) from None
            raise self._folder.failure(f"the table {self._name}", error) from None
