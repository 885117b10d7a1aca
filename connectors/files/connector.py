"""Files in a folder or an object store as a Connector: each object is a glob pattern, and every file is taken once,
or again when it has changed.

A position's token says which files were taken (`taken.py`), and how far into a large one. A file that is still being
written waits: one with the suffix .part or .tmp, one that changed a moment ago, one whose end does not parse. After
`patience` a broken file is taken as it is, and what does not parse becomes a reject, so that nothing waits for ever
unseen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import PermanentError
from connectors.files.columns import columns_of
from connectors.files.formats import Delivery, Unfinished, read
from connectors.files.taken import Taken
from connectors.mapping import FILE, LINE, Mapping, ObjectMapping
from connectors.object_store import Folder, Found

PAGE = 2_000
UNFINISHED_SUFFIXES = (".part", ".tmp")


@dataclass(frozen=True)
class FilesConfig:
    """`folder` is a path or a URL (`s3://`, `gs://`, `abfss://`, `file://`); `endpoint_override` and `region` are for
    S3 and what speaks like it. Seconds: `quiet_s` that a file must have been left alone, `patience_s` that a broken one
    may yet be mended.
    """

    folder: Path | str
    system: str = "files"
    endpoint_override: str = ""
    region: str = ""
    # Above the second to which an object store rounds the time of a change: a later one shows as such.
    quiet_s: float = 5.0
    patience_s: float = 3_600.0


class Files:
    """A Connector. Records come in the order of their files (oldest change first) and lines, with the pseudo-fields
    `_file` (path below the folder) and `_line` (1 for the first line, array element or Parquet row)."""

    def __init__(self, config: FilesConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._folder = Folder(config.system, config.folder, config.endpoint_override, config.region)

    def source_time(self) -> datetime:
        return self._clock()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        """Pages of at most 2,000 records, each with a position. Raises PermanentError when the folder is missing,
        SchemaChanged when a file lacks a mapped column."""
        mapped = self._mapping.objects[name]
        files = self._files(mapped)
        taken = Taken(files, since.token if since else "")
        for file in files:
            if file not in taken and self._age_s(file) >= self._config.quiet_s:
                yield from self._take(mapped, file, taken)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Nothing: a file that is gone was filed away, and what it said still holds."""
        del name, since
        return iter(())

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        raise PermanentError(f"The files of {name} do not say what no longer exists.")

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        del keys
        raise PermanentError(f"The files of {name} cannot be asked for single records: they are read whole.")

    def fields(self, name: str) -> Sequence[SourceField]:
        """The columns of the newest file that can be read, with its format's word for their types; empty without one.

        Of JSON, which has no header, the fields of its first records.
        """
        mapped = self._mapping.objects[name]
        for file in reversed(self._files(mapped)):
            with self._folder.translated(f"the file {file.path}"):
                found = columns_of(Delivery(self._folder, file, mapped, mendable=False))
            if found:
                return found
        return ()

    def count(self, name: str) -> int | None:
        """None: files name a record as often as they bring news of it."""
        del name
        return None

    def limits(self) -> Sequence[Limit]:
        """None: nobody counts who reads a folder."""
        return ()

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _take(self, mapped: ObjectMapping, file: Found, taken: Taken) -> Iterator[Page]:
        """The pages of one file, which then is among `taken`; nothing where it still waits."""
        after = taken.lines(file)
        try:
            for records, last in _with_last(self._read(mapped, file, after)):
                yield Page(records, self._position(file, taken, records, last))
        except Unfinished:
            return

    def _position(self, file: Found, taken: Taken, records: Sequence[Record], last: bool) -> Position | None:
        if not last:
            return Position(id=file.path, token=taken.token(file, records[-1][LINE]))
        # A file that was changed while it was read is read again at the next poll.
        if self._folder.find(file.path) != file:
            return None
        taken.add(file)
        return Position(id=file.path, token=taken.token())

    def _files(self, mapped: ObjectMapping) -> list[Found]:
        """The object's files, oldest change first."""
        found = self._folder.files(mapped.options["pattern"])
        finished = [file for file in found if PurePosixPath(file.path).suffix not in UNFINISHED_SUFFIXES]
        return sorted(finished, key=lambda file: (file.changed_ns, file.path))

    def _age_s(self, file: Found) -> float:
        return self._clock().timestamp() - file.changed_ns / 1e9

    def _read(self, mapped: ObjectMapping, file: Found, after: int) -> Iterator[Sequence[Record]]:
        """The file's records after a line, in pages. Raises Unfinished while a broken file may still be mended."""
        records = read(Delivery(self._folder, file, mapped, self._age_s(file) < self._config.patience_s))

        def page() -> Sequence[Record]:
            batch: list[Record] = []
            for line, record in records:
                if line > after:
                    batch.append({**record, FILE: file.path, LINE: line})
                if len(batch) == PAGE:
                    break
            return batch

        while True:
            with self._folder.translated(f"the file {file.path}"):
                batch = telemetry.page(self._config.system, mapped.name, page)
            if not batch:
                return
            yield batch


def _with_last(pages: Iterator[Sequence[Record]]) -> Iterator[tuple[Sequence[Record], bool]]:
    """The pages, each with whether it is the last; an empty file is one empty page."""
    held = next(pages, ())
    for page in pages:
        yield held, False
        held = page
    yield held, True
