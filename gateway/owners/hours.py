"""The calendars of owners.yaml, and the business calendar that comes of one."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway.exceptions.calendar import Calendar, CloseWeek, Hours, Window, Windows

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_WINDOW = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class Part(BaseModel):
    """A part of owners.yaml: unknown words are mistakes, and are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone {name!r}; write one such as Europe/Berlin") from None
    return name


def _windows(said: Sequence[str]) -> tuple[str, ...]:
    windows = sorted(window(text) for text in said)
    for before, after in pairwise(windows):
        if after[0] < before[1]:
            raise ValueError(f"the hours {', '.join(said)} overlap")
    return tuple(said)


def window(text: str) -> Window:
    """Minutes of the day from "09:00-17:30"; "24:00" is the midnight that ends it."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} are no hours; write 09:00-17:30")
    opens, closes = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if not 0 <= opens < closes <= 24 * 60:
        raise ValueError(f"the hours {text} do not end after they begin, within one day")
    return opens, closes


Zone = Annotated[str, AfterValidator(_known_zone)]
DayHours = Annotated[tuple[str, ...], AfterValidator(_windows)]


class CloseWeekSetting(Part):
    """Other hours around the end of a month; days counted from 1, and −1 is the last. Both ends inclusive."""

    from_day: Annotated[int, Field(ge=-15, le=28)]
    to_day: Annotated[int, Field(ge=1, le=28)]
    hours: dict[Weekday, DayHours]

    @model_validator(mode="after")
    def _in_order(self) -> "CloseWeekSetting":
        if self.from_day == 0 or 0 < self.to_day < self.from_day:
            raise ValueError("a close week runs from a day such as -2 to a day such as 4")
        return self


class CalendarVersion(Part):
    """The hours in force from a date on. `holidays` names lists under `holidays:`; `days` are single dates with
    their own hours, none for closed."""

    effective_from: date
    timezone: Zone
    hours: dict[Weekday, DayHours]
    holidays: tuple[str, ...] = ()
    days: dict[date, DayHours] = Field(default_factory=dict)
    close_week: CloseWeekSetting | None = None


def calendar(versions: Sequence[CalendarVersion], holidays: Mapping[str, Mapping[date, str]]) -> Calendar:
    """The business calendar of these versions; a holiday list that is not there counts as empty."""
    return Calendar([_hours(version, holidays) for version in versions])


def _hours(version: CalendarVersion, holidays: Mapping[str, Mapping[date, str]]) -> Hours:
    close = version.close_week
    return Hours(
        effective_from=version.effective_from,
        zone=version.timezone,
        week=_week(version.hours),
        holidays=frozenset(day for name in version.holidays for day in holidays.get(name, {})),
        days={day: _opened(hours) for day, hours in version.days.items()},
        close_week=CloseWeek(close.from_day, close.to_day, _week(close.hours)) if close else None,
    )


def _week(hours: Mapping[Weekday, Sequence[str]]) -> tuple[Windows, ...]:
    return tuple(_opened(hours.get(day, ())) for day in WEEKDAYS)


def _opened(hours: Sequence[str]) -> Windows:
    return tuple(sorted(window(text) for text in hours))
