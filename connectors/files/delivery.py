"""A file that is read for an object, and what its end looks like."""

import io
import os
from dataclasses import dataclass
from pathlib import PurePosixPath

from connectors.mapping import ObjectMapping
from connectors.object_store import Folder, Found

# So much of a file's end is looked at to tell whether somebody is still writing it.
TAIL = 1024 * 1024


class Unfinished(Exception):
    """The file's end does not parse yet: somebody may still be writing it."""


@dataclass(frozen=True)
class Delivery:
    """A file that is read for an object. `mendable`: a broken end may yet be mended, and raises Unfinished."""

    folder: Folder
    file: Found
    mapped: ObjectMapping
    mendable: bool

    @property
    def name(self) -> str:
        return PurePosixPath(self.file.path).name

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.file.path).suffix.lower()

    def stream(self) -> io.BufferedReader:
        return io.BufferedReader(self.folder.stream(self.file.path), 1 << 16)

    def last_line(self) -> bytes:
        """What follows the last line end; empty for a file that ends with one. At most 1 MiB of it."""
        with self.folder.open(self.file.path) as file:
            file.seek(max(0, file.size() - TAIL), os.SEEK_SET)
            tail: bytes = file.read()
        return tail.rpartition(b"\n")[2]
