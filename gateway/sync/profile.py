"""How the values of one field look, and whether they still look so. Pure.

A field that changes its meaning keeps its name and its type: cents instead of dollars, a code instead of a word, empty
where it used to be filled. No schema tells; the values do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any


@dataclass(frozen=True)
class Bands:
    """How far values may move before it is told. Every limit needs so many records that chance alone seldom meets it.

    `rows`: with fewer records nothing is said. `null_rate`: an allowed difference of shares, beside three standard
    errors. `shape`: the same for the shares of numbers, words and dates. `most_values`: a field with more distinct
    values is no set. `new_rows`: a new value must be seen in so many records. `expected`: a value that vanished must
    have been expected so often. `scale`: how many times larger or smaller the typical number may become.
    """

    rows: int = 50
    null_rate: float = 0.1
    shape: float = 0.2
    most_values: int = 20
    new_rows: int = 5
    expected: int = 10
    scale: float = 20.0


@dataclass(frozen=True)
class Profile:
    """The values of one field in a number of records.

    `shapes` counts filled values by what they look like: number, date, flag, text. `values` counts each distinct one,
    and is empty where there are more than a set has. `typical` is the median size of the numbers, None without any;
    `digits` is the longest fraction.
    """

    rows: int
    filled: int
    shapes: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    typical: float | None = None
    digits: int = 0

    @property
    def null_rate(self) -> float:
        return 1 - self.filled / self.rows if self.rows else 0.0

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "rows": self.rows,
            "filled": self.filled,
            "shapes": dict(self.shapes),
            "values": dict(self.values),
            "typical": self.typical,
            "digits": self.digits,
        }


def moved(before: Profile, now: Profile, bands: Bands) -> Iterator[str]:
    """What is different, a sentence each that follows the field's name; nothing where there are too few records."""
    if min(before.rows, now.rows) < bands.rows:
        return
    if _apart(before.null_rate, before.rows, now.null_rate, now.rows, bands.null_rate):
        yield f"is empty in {now.null_rate:.0%} of the records; it was in {before.null_rate:.0%}"
    if min(before.filled, now.filled) < bands.rows:
        return
    yield from _shapes(before, now, bands)
    yield from _values(before, now, bands)
    yield from _size(before, now, bands)


def _shapes(before: Profile, now: Profile, bands: Bands) -> Iterator[str]:
    for shape in sorted({*before.shapes, *now.shapes}):
        was, is_now = before.shapes.get(shape, 0) / before.filled, now.shapes.get(shape, 0) / now.filled
        if is_now > was and _apart(was, before.filled, is_now, now.filled, bands.shape):
            yield f"looks like a {shape} in {is_now:.0%} of the records; it did in {was:.0%}"


def _values(before: Profile, now: Profile, bands: Bands) -> Iterator[str]:
    if not before.values:
        return
    new = [value for value, count in now.values.items() if value not in before.values and count >= bands.new_rows]
    if new:
        yield f"has the new values {_listed(new)}"
    if not now.values:
        yield f"has more than {bands.most_values} values; it had {len(before.values)}"
        return
    lost = [
        value
        for value, count in before.values.items()
        if value not in now.values and count * now.filled >= bands.expected * before.filled
    ]
    if lost:
        yield f"has the values {_listed(lost)} no more"


def _size(before: Profile, now: Profile, bands: Bands) -> Iterator[str]:
    if before.typical and now.typical:
        ratio = now.typical / before.typical
        if ratio >= bands.scale or ratio * bands.scale <= 1:
            yield f"is typically {now.typical:,.4g}; it was {before.typical:,.4g}: perhaps the unit changed"
    if now.digits > before.digits and before.shapes.get("number"):
        yield f"has {now.digits} digits after the point; it had at most {before.digits}"


def _apart(was: float, was_of: int, is_now: float, now_of: int, band: float) -> bool:
    """Whether two shares differ by more than the band, and by more than chance would."""
    whole = (was * was_of + is_now * now_of) / (was_of + now_of)
    error = sqrt(whole * (1 - whole) * (1 / was_of + 1 / now_of))
    return abs(is_now - was) > max(band, 3 * error)


def _listed(values: list[str]) -> str:
    return ", ".join(repr(value) for value in sorted(values))
