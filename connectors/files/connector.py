"""Files in a folder as a Connector: each object is a glob pattern, and every file is taken once, or again when it
has changed.

A position's token holds a fingerprint of every file that was taken (name, size, time of change). A file that is
still being written waits: one with the suffix .part or .tmp, one that changed a moment ago, one whose end does
not parse. After `patience` a broken file is taken as it is, and what does not parse becomes a reject, so that
nothing waits for ever unseen.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import PermanentError, TransientError
from connectors.files.formats import Unfinished, reader_of
from connectors.mapping import FILE, LINE, Mapping, ObjectMapping

PAGE = 2_000
UNFINISHED_SUFFIXES = (".part", ".tmp")


@dataclass(frozen=True)
class FilesConfig:
    """Seconds: `quiet_s` that a file must have been left alone, `patience_s` that a broken one may yet be mended."""

    folder: Path | str
    system: str = "files"
    quiet_s: float = 5.0
    patience_s: float = 3_600.0


class Files:
    """A Connector. Records come in the order of their files (oldest change first) and lines, with the pseudo-fields
    `_file` (path below the folder) and `_line` (1 for the first line, array element or Parquet row)."""

    def __init__(self, config: FilesConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._folder = Path(config.folder)

    def source_time(self) -> datetime:
        return self._clock()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        """Pages of at most 2,000 records; the last of each file has a position. Raises PermanentError when the
        folder is missing, SchemaChanged when a file lacks a mapped column."""
        mapped = self._mapping.objects[name]
        taken = set(since.token.split()) if since else set()
        files = self._files(mapped)
        taken &= {fingerprint for _, fingerprint in files}
        for path, fingerprint in files:
            if fingerprint not in taken and self._age_s(path) >= self._config.quiet_s:
                yield from self._take(mapped, path, fingerprint, taken)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Nothing: a file that is gone was filed away, and what it said still holds."""
        del name, since
        return iter(())

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        raise PermanentError(f"The files of {name} do not say what no longer exists.")

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        raise NotImplementedError

    def fields(self, name: str) -> Sequence[SourceField]:
        raise NotImplementedError

    def count(self, name: str) -> int | None:
        raise NotImplementedError

    def limits(self) -> Sequence[Limit]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _take(self, mapped: ObjectMapping, path: Path, fingerprint: str, taken: set[str]) -> Iterator[Page]:
        """The pages of one file, which then is among `taken`; nothing where it still waits."""
        try:
            for records, last in _with_last(self._read(mapped, path)):
                position = None
                # A file that was changed while it was read is read again at the next poll.
                if last and self._fingerprint(path) == fingerprint:
                    taken.add(fingerprint)
                    position = Position(id=self._named(path), token=" ".join(sorted(taken)))
                yield Page(records, position)
        except Unfinished:
            return

    def _files(self, mapped: ObjectMapping) -> list[tuple[Path, str]]:
        """The object's files, oldest change first, each with its fingerprint."""
        if not self._folder.is_dir():
            raise PermanentError(f"The folder of {self._config.system} does not exist or cannot be read.")
        found = [path for path in self._folder.glob(mapped.options["pattern"]) if path.is_file()]
        finished = [path for path in found if path.suffix not in UNFINISHED_SUFFIXES]
        stamped = sorted((self._stat(path).st_mtime_ns, self._named(path), path) for path in finished)
        return [(path, self._fingerprint(path)) for _, _, path in stamped]

    def _fingerprint(self, path: Path) -> str:
        stat = self._stat(path)
        return hashlib.sha256(f"{self._named(path)}\n{stat.st_size}\n{stat.st_mtime_ns}".encode()).hexdigest()[:16]

    def _age_s(self, path: Path) -> float:
        return self._clock().timestamp() - self._stat(path).st_mtime

    def _stat(self, path: Path) -> os.stat_result:
        try:
            return path.stat()
        except OSError as error:
            raise TransientError(f"The file {self._named(path)} went away while it was looked at.") from error

    def _read(self, mapped: ObjectMapping, path: Path) -> Iterator[Sequence[Record]]:
        """The file's records in pages. Raises Unfinished while a broken file may still be mended."""
        read = reader_of(path, mapped)
        records = read(path, self._age_s(path) < self._config.patience_s)
        name = self._named(path)

        def page() -> Sequence[Record]:
            batch: list[Record] = []
            for line, record in records:
                batch.append({**record, FILE: name, LINE: line})
                if len(batch) == PAGE:
                    break
            return batch

        while True:
            try:
                batch = telemetry.page(self._config.system, mapped.name, page)
            except OSError as error:
                raise TransientError(f"The file {name} could not be read ({type(error).__name__}).") from error
            if not batch:
                return
            yield batch

    def _named(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def _with_last(pages: Iterator[Sequence[Record]]) -> Iterator[tuple[Sequence[Record], bool]]:
    """The pages, each with whether it is the last; an empty file is one empty page."""
    held = next(pages, ())
    for page in pages:
        yield held, False
        held = page
    yield held, True
