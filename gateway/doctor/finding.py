"""One line of the doctor's report."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`fail`: something does not work. `warn`: it works, and will not for long, or not for every record."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What was looked at (`topic`, of a source or of the installation where `source` is ""), and what to do about it.

    Neither text ever holds a secret: only the names of the variables that should.
    """

    source: str
    topic: str
    level: Level
    text: str
    advice: str = ""


def ok(source: str, topic: str, text: str) -> Finding:
    return Finding(source, topic, Level.OK, text)


def warn(source: str, topic: str, text: str, advice: str) -> Finding:
    return Finding(source, topic, Level.WARN, text, advice)


def fail(source: str, topic: str, text: str, advice: str) -> Finding:
    return Finding(source, topic, Level.FAIL, text, advice)
