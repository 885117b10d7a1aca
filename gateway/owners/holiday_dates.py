"""Writes public holidays into owners.yaml as dates. The only place that asks the `holidays` package.

Due dates follow the dates in the file, so that a newer package moves none: a year that is already there is left
as it is unless it is asked for again by `replace`.
"""

import re
from collections.abc import Iterable
from datetime import date

import holidays
import yaml

from gateway.owners.errors import OwnersError
from gateway.owners.model import Owners

_REGION = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
_BLOCK = re.compile(r"^holidays:.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)

Dates = dict[date, str]


def holiday_dates(region: str, year: int) -> Dates:
    """The public holidays of "DE" or "DE-BY" in a year. OwnersError for a region that is not known."""
    found = _REGION.fullmatch(region)
    if found is None:
        raise OwnersError(f"{region!r} is no region; write DE, DE-BY or US-NY.")
    try:
        listed = holidays.country_holidays(found[1], subdiv=found[2], years=year)
    except NotImplementedError:
        raise OwnersError(f"The public holidays of {region} are not known; list them by hand.") from None
    return dict(sorted((day, name) for day, name in listed.items() if day.year == year))


def with_holidays(text: str, owners: Owners, years: Iterable[int], *, replace: bool = False) -> str:
    """The text of owners.yaml with the dates that are missing; everything outside `holidays:` stays to the letter.

    Lists that are named like no region (a company's own closing days) are kept and never filled.
    """
    listed = {name: dict(dates) for name, dates in owners.holidays.items()}
    for region in _regions(owners):
        dates = listed.setdefault(region, {})
        for year in years:
            present = [day for day in dates if day.year == year]
            if present and not replace:
                continue
            for day in present:
                del dates[day]
            dates.update(holiday_dates(region, year))
    ordered = {name: dict(sorted(dates.items())) for name, dates in sorted(listed.items())}
    block = yaml.safe_dump({"holidays": ordered}, allow_unicode=True, sort_keys=False)
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: block, text, count=1)
    return f"{text.rstrip()}\n\n{block}"


def _regions(owners: Owners) -> list[str]:
    named = {name for versions in owners.calendars.values() for version in versions for name in version.holidays}
    return sorted(name for name in named if _REGION.fullmatch(name))
