"""Record ids: 15 case-sensitive characters, and 3 more that keep them apart where case is ignored."""

import re
from functools import lru_cache

ID_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _CHUNK = 15, 5
_PREFIX = re.compile(r"[0-9A-Za-z]{3}")
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Z]{3})?")


def make_id(prefix: str, n: int) -> str:
    """The 18-character id number `n` of the object with this key prefix, e.g. make_id("001", 7).

    Ids of one prefix sort as their numbers do. ValueError for a prefix that is not three letters or digits.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"A key prefix is three letters or digits, not {prefix!r}.")
    body = prefix + base62(n).rjust(_SHORT - len(prefix), "0")
    if n < 0 or len(body) != _SHORT:
        raise ValueError(f"The number {n} does not fit into an id.")
    return body + _suffix(body)


@lru_cache(maxsize=65_536)
def normal_id(text: str) -> str | None:
    """The 18-character form of an id given with 15 or 18 characters; None where it is not an id."""
    if not _SHAPE.fullmatch(text):
        return None
    full = text[:_SHORT] + _suffix(text[:_SHORT])
    return full if len(text) == _SHORT or full == text else None


def base62(n: int) -> str:
    digits = ""
    while n > 0:
        n, rest = divmod(n, len(ID_DIGITS))
        digits = ID_DIGITS[rest] + digits
    return digits or "0"


def _suffix(body: str) -> str:
    """One letter per five characters, whose bits say which of the five are capitals."""
    chunks = (body[start : start + _CHUNK] for start in range(0, _SHORT, _CHUNK))
    return "".join(_CHECK_DIGITS[sum(1 << i for i, c in enumerate(chunk) if "A" <= c <= "Z")] for chunk in chunks)
