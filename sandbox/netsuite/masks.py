"""Oracle's date masks, and the account's display formats, as formats of strftime and strptime."""

import re
from collections.abc import Mapping

DISPLAY_FORMATS: Mapping[str, str] = {
    "MM/DD/YYYY": "%m/%d/%Y",
    "M/D/YYYY": "%-m/%-d/%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "D/M/YYYY": "%-d/%-m/%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD-Mon-YYYY": "%d-%b-%Y",
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYY/MM/DD": "%Y/%m/%d",
}
"""The date formats that a user can choose, as strftime writes them."""

_ELEMENTS: Mapping[str, str] = {
    "YYYY": "%Y",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MONTH": "%B",
    "MON": "%b",
    "MM": "%m",
    "MI": "%M",
    "DDD": "%j",
    "DAY": "%A",
    "DY": "%a",
    "DD": "%d",
    "SS": "%S",
    "FF": "%f",
    "YY": "%y",
    "AM": "%p",
    "PM": "%p",
}
_LITERAL = re.compile(r'"([^"]*)"|([^A-Za-z0-9"])')


def strftime_of(mask: str) -> str:
    """The strftime format of an Oracle mask, for instance of 'YYYY-MM-DD"T"HH24:MI:SS"Z"'.

    Raises ValueError for an element that the simulator does not know.
    """
    parts: list[str] = []
    position = 0
    while position < len(mask):
        text = _LITERAL.match(mask, position)
        if text is None:
            code, position = _element(mask, position)
            parts.append(code)
        else:
            parts.append((text[1] or text[2] or "").replace("%", "%%"))
            position = text.end()
    return "".join(parts)


def _element(mask: str, position: int) -> tuple[str, int]:
    rest = mask[position:].upper()
    for element, code in _ELEMENTS.items():
        if rest.startswith(element):
            digits = 1 if element == "FF" and rest[2:3].isdigit() else 0
            return code, position + len(element) + digits
    raise ValueError(f"The date mask {mask!r} has no known element at {mask[position:]!r}.")
