"""A length of business time with its unit: "30m", "1h", "2bd"."""

import re
from dataclasses import dataclass
from enum import StrEnum

_TEXT = re.compile(r"(\d{1,5})(m|h|bd)")


class Unit(StrEnum):
    """Minutes and hours are open time; a business day is all the open hours of that day, however many."""

    MINUTE = "m"
    HOUR = "h"
    DAY = "bd"


@dataclass(frozen=True)
class Span:
    """So many minutes, hours or business days."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> "Span":
        """From "30m", "1h" or "2bd"; ValueError otherwise."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a length of business time; write 30m, 1h or 2bd.")
        return cls(int(found[1]), Unit(found[2]))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def minutes(self) -> int:
        """Of open time. Business days have none of their own: how long a day is, its calendar says."""
        if self.unit is Unit.DAY:
            raise ValueError(f"{self} is counted in business days, not in minutes.")
        return self.count * (60 if self.unit is Unit.HOUR else 1)
