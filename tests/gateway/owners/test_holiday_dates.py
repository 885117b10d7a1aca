"""Public holidays become dates in the file, and the rest of the file stays to the letter."""

from datetime import date

import pytest
import yaml

from gateway.owners.errors import OwnersError
from gateway.owners.holiday_dates import holiday_dates, with_holidays
from gateway.owners.model import Owners
from tests.gateway.exceptions.queue_world import owners, said

TEXT = "# who owns what\nversion: 1   # the shape\n\nroutes: []\n"


def world(*regions: str, **holidays: dict[date, str]) -> Owners:
    whole = said(holidays=holidays)
    whole["calendars"]["east"][0]["holidays"] = list(regions)
    return owners(**whole)


def dates(text: str) -> dict[str, dict[date, str]]:
    found: dict[str, dict[date, str]] = yaml.safe_load(text)["holidays"]
    return found


def test_the_dates_of_a_region() -> None:
    assert holiday_dates("US", 2026)[date(2026, 11, 26)] == "Thanksgiving Day"
    assert date(2026, 3, 8) in holiday_dates("DE-BE", 2026)
    assert date(2026, 3, 8) not in holiday_dates("DE-BY", 2026)
    assert {day.year for day in holiday_dates("US", 2027)} == {2027}


@pytest.mark.parametrize("region", ["XX", "DE-ZZ", "us", "Germany"])
def test_a_region_that_is_not_known(region: str) -> None:
    with pytest.raises(OwnersError, match=region):
        holiday_dates(region, 2026)


def test_what_is_outside_the_block_stays() -> None:
    written = with_holidays(TEXT, world("US"), [2026])
    assert written.startswith(TEXT)
    assert dates(written)["US"][date(2026, 12, 25)] == "Christmas Day"
    later = "teams: {}  # after it\n"
    again = with_holidays(written + later, world("US", US=dates(written)["US"]), [2027])
    assert again.startswith(TEXT)
    assert again.endswith(later)
    assert {day.year for day in dates(again)["US"]} == {2026, 2027}


def test_a_year_that_is_there_is_left_as_it_is() -> None:
    ours = {date(2026, 7, 3): "Our own long weekend"}
    assert dates(with_holidays(TEXT, world("US", US=ours), [2026]))["US"] == ours
    replaced = dates(with_holidays(TEXT, world("US", US=ours), [2026], replace=True))["US"]
    assert replaced == holiday_dates("US", 2026)


def test_a_companys_own_list_is_kept_and_never_filled() -> None:
    ours = {date(2026, 8, 14): "Summer party"}
    written = with_holidays(TEXT, world("US", "company", company=ours), [2026])
    assert dates(written)["company"] == ours
