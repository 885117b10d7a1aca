"""Lines of a file, none of which takes more memory than it may."""

import csv
from collections.abc import Callable, Iterator
from typing import AnyStr, Generic

LONGEST = 16 * 1024 * 1024


class TooLong(csv.Error):
    """The line is longer than 16 MiB. A csv.Error, so that it passes through `csv.reader` as what it is there."""


class Lines(Iterator[AnyStr], Generic[AnyStr]):
    """The lines that `readline` gives, text or bytes, with their ends. `number` is that of the last one, from 1.

    Raises TooLong in place of a line that is too long, and goes on with the next.
    """

    def __init__(self, readline: Callable[[int], AnyStr]) -> None:
        self._readline: Callable[[int], AnyStr] = readline
        self.number = 0

    def __next__(self) -> AnyStr:
        line = self._readline(LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) < LONGEST or _ended(line):
            return line
        while line and not _ended(line):
            line = self._readline(LONGEST)
        raise TooLong("the line is longer than 16 MiB")


def _ended(line: str | bytes) -> bool:
    return line.endswith(("\n", "\r")) if isinstance(line, str) else line.endswith(b"\n")
