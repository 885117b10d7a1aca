"""When somebody is told."""

from datetime import date

import pytest

from gateway.exceptions.calendar import Calendar, Hours
from gateway.notices.timing import WAIT, ready
from tests.gateway.exceptions.queue_world import DAY, HOUR, NOW

CALENDAR = Calendar([Hours(date(2020, 1, 1), "America/New_York", (((540, 1020),),) * 5 + ((),) * 2)])
OPENING = NOW - HOUR / 2


@pytest.mark.parametrize("severity", ["S1", "S2"])
@pytest.mark.parametrize("kind", ["opened", "resolved", "regressed", "reminder", "escalated", "breached"])
def test_s1_and_s2_at_once(kind: str, severity: str) -> None:
    assert ready(kind, severity, CALENDAR, NOW) == (NOW, "")


def test_s3_at_the_next_days_opening_and_s4_at_the_next_mondays() -> None:
    assert ready("opened", "S3", CALENDAR, NOW) == (OPENING + DAY, "daily")
    assert ready("opened", "S4", CALENDAR, NOW) == (OPENING + 6 * DAY, "weekly")


def test_a_friday_afternoon_waits_for_monday() -> None:
    friday = NOW + 3 * DAY + 5 * HOUR
    assert ready("resolved", "S3", CALENDAR, friday) == (OPENING + 6 * DAY, "daily")


@pytest.mark.parametrize("kind", ["reminder", "escalated", "breached"])
def test_a_deadline_does_not_wait_for_a_digest(kind: str) -> None:
    assert ready(kind, "S4", CALENDAR, NOW) == (NOW + WAIT, "")
