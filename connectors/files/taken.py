"""Which files of an object were taken: what a position's token says, in a text that does not grow with the years.

The token names the fingerprints of files that changed lately, and of older days that still miss a file. An older day
of which every file was taken is one word: the day, how many files it has, and the sum of their fingerprints. A file
that arrives late with an old time of change makes that word wrong, and then the files of that day are read again,
which changes nothing in the books; so nothing is lost, whatever time a file claims. The last word may say how far
into a file, in lines, everything was handed over.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from connectors.object_store import Found

# At least so many of the newest files are named one by one.
RECENT = 1_000
_DAY_NS = 86_400 * 1_000_000_000


def fingerprint(file: Found) -> str:
    """What tells a file from the same file after a change: sixteen hexadecimal digits."""
    return hashlib.sha256(f"{file.path}\n{file.size}\n{file.changed_ns}".encode()).hexdigest()[:16]


@dataclass
class _Day:
    """The files that changed on one day, by fingerprint."""

    listed: list[str] = field(default_factory=list)
    taken: dict[str, None] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return len(self.taken) == len(self.listed)


class Taken:
    """The files that are listed now, and which of them were taken as an earlier token says."""

    def __init__(self, listed: Iterable[Found], token: str) -> None:
        self._day_of: dict[str, int] = {}
        self._days: dict[int, _Day] = {}
        for file in listed:
            mark, day = fingerprint(file), file.changed_ns // _DAY_NS
            self._day_of[mark] = day
            self._days.setdefault(day, _Day()).listed.append(mark)
        self._newest_first = sorted(self._days, reverse=True)
        self._lines: dict[str, int] = {}
        self._recall(token.split())

    def __contains__(self, file: Found) -> bool:
        mark = fingerprint(file)
        return mark in self._days[self._day_of[mark]].taken

    def lines(self, file: Found) -> int:
        """Up to which line a file that is not taken yet was handed over; 0 for none of it."""
        return self._lines.get(fingerprint(file), 0)

    def add(self, file: Found) -> None:
        mark = fingerprint(file)
        self._days[self._day_of[mark]].taken[mark] = None

    def token(self, within: Found | None = None, line: int = 0) -> str:
        """What was taken, and up to which line the file is read that is being taken."""
        words: list[str] = []
        named = 0
        for number in self._newest_first:
            day = self._days[number]
            if day.whole and named >= RECENT:
                words.append(_summed(number, day.listed))
            else:
                words.extend(day.taken)
            named += len(day.taken)
        if within is not None:
            words.append(f"{fingerprint(within)}@{line}")
        return " ".join(words)

    def _recall(self, words: Sequence[str]) -> None:
        known = set(words)
        for number, day in self._days.items():
            marks = day.listed if _summed(number, day.listed) in known else [m for m in day.listed if m in known]
            day.taken.update(dict.fromkeys(marks))
        for word in words:
            mark, at, line = word.partition("@")
            if at:
                self._lines[mark] = int(line)


def _summed(number: int, marks: Sequence[str]) -> str:
    total = sum(int(mark, 16) for mark in marks) % (1 << 64)
    return f"{number}:{len(marks)}:{total:x}"
