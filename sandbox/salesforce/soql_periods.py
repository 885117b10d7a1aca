"""Date literals: TODAY, LAST_N_DAYS:7, THIS_QUARTER. Each is a half-open range of days in UTC; weeks start on Sunday.

As Salesforce has it, LAST_N_DAYS:n takes in today, NEXT_N_DAYS:n starts tomorrow, and LAST_N_WEEKS:n and the like
leave the current week, month, quarter or year out.
"""

import re
from datetime import date, timedelta

Days = tuple[date, date]

_FIXED_DAYS = {
    "YESTERDAY": (-1, 0),
    "TODAY": (0, 1),
    "TOMORROW": (1, 2),
    "LAST_90_DAYS": (-90, 1),
    "NEXT_90_DAYS": (1, 91),
}
_NUMBERED = re.compile(r"(LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S|N_(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO")
_NAMED = re.compile(r"(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def is_period(name: str, n: int | None) -> bool:
    """Whether this is a date literal, with `n` given exactly where it takes a number."""
    if n is None:
        return name in _FIXED_DAYS or _NAMED.fullmatch(name) is not None
    return _NUMBERED.fullmatch(name) is not None


def days(name: str, n: int | None, today: date) -> Days:
    """The range [first day, day after the last) of a literal for which `is_period` holds."""
    if name in _FIXED_DAYS:
        first, after = _FIXED_DAYS[name]
        return today + timedelta(days=first), today + timedelta(days=after)
    if named := _NAMED.fullmatch(name):
        step = {"LAST": -1, "THIS": 0, "NEXT": 1}[named[1]]
        return _units(named[2], step, step + 1, today)
    numbered = _NUMBERED.fullmatch(name)
    assert numbered is not None
    return _counted(numbered[1], numbered[2] or numbered[3], n or 0, today)


def _counted(direction: str | None, unit: str, n: int, today: date) -> Days:
    if direction is None:
        return _units(unit, -n, -n + 1, today)
    if direction == "NEXT":
        return _units(unit, 1, n + 1, today)
    return _units(unit, -n, 1 if unit == "DAY" else 0, today)


def _units(unit: str, first: int, after: int, today: date) -> Days:
    return _start_of(unit, first, today), _start_of(unit, after, today)


def _start_of(unit: str, step: int, today: date) -> date:
    """The first day of the unit `step` units after the one that holds today."""
    if unit == "DAY":
        return today + timedelta(days=step)
    if unit == "WEEK":
        return today - timedelta(days=today.isoweekday() % 7) + timedelta(weeks=step)
    length = _MONTHS[unit]
    month = (today.year * 12 + today.month - 1) // length * length + step * length
    return date(month // 12, month % 12 + 1, 1)
