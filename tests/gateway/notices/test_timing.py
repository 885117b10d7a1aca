"""When somebody is told, and what confidence has to do with it."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.exceptions.calendar import Calendar, Hours
from gateway.notices.tiers import Route, Tier, Tiers
from gateway.notices.timing import WAIT, deadline_ready, ready
from tests.gateway.exceptions.queue_world import DAY, HOUR, NOW

CALENDAR = Calendar([Hours(date(2020, 1, 1), "America/New_York", (((540, 1020),),) * 5 + ((),) * 2)])
OPENING = NOW - HOUR / 2
SMALL, LARGE = Decimal("999.9999"), Decimal(1000)


def test_the_limits_belong_to_the_digest() -> None:
    tiers = Tiers()
    of = {text: tiers.tier(Decimal(text)) for text in ("1", "0.9001", "0.90", "0.70", "0.6999", "0")}
    assert of == {
        "1": Tier.ALERT,
        "0.9001": Tier.ALERT,
        "0.90": Tier.DIGEST,
        "0.70": Tier.DIGEST,
        "0.6999": Tier.REVIEW,
        "0": Tier.REVIEW,
    }


@pytest.mark.parametrize("confidence", ["1", "0.90", "0.70", "0.10"])
@pytest.mark.parametrize("severity", ["S1", "S2"])
def test_s1_and_s2_at_once_at_any_confidence(severity: str, confidence: str) -> None:
    route = Tiers().route(severity, Decimal(confidence), Decimal(1))
    assert ready(route, CALENDAR, NOW) == (NOW, "")


@pytest.mark.parametrize(
    ("severity", "confidence", "amount", "route"),
    [
        ("S3", "0.9001", SMALL, Route.DAILY),
        ("S3", "0.90", SMALL, Route.WEEKLY),
        ("S3", "0.70", LARGE, Route.WEEKLY),
        ("S3", "0.6999", SMALL, Route.REVIEW),
        ("S3", "0.6999", LARGE, Route.DAILY),
        ("S3", "0.6999", None, Route.DAILY),
        ("S4", "1", LARGE, Route.WEEKLY),
        ("S4", "0.70", SMALL, Route.WEEKLY),
        ("S4", "0.6999", SMALL, Route.REVIEW),
        ("S4", "0", LARGE, Route.DAILY),
    ],
)
def test_confidence_steers_s3_and_s4(severity: str, confidence: str, amount: Decimal | None, route: Route) -> None:
    assert Tiers().route(severity, Decimal(confidence), amount) is route


def test_the_limits_are_settings() -> None:
    tiers = Tiers(alert_above=Decimal("0.5"), digest_from=Decimal("0.4"), review_limit=Decimal(10))
    assert tiers.route("S3", Decimal("0.51"), SMALL) is Route.DAILY
    assert tiers.route("S3", Decimal("0.39"), Decimal(10)) is Route.DAILY


def test_the_digests_go_at_the_next_days_opening_and_at_the_next_mondays() -> None:
    assert ready(Route.DAILY, CALENDAR, NOW) == (OPENING + DAY, "daily")
    assert ready(Route.WEEKLY, CALENDAR, NOW) == (OPENING + 6 * DAY, "weekly")
    assert ready(Route.REVIEW, CALENDAR, NOW) is None


def test_a_friday_afternoon_waits_for_monday() -> None:
    friday = NOW + 3 * DAY + 5 * HOUR
    assert ready(Route.DAILY, CALENDAR, friday) == (OPENING + 6 * DAY, "daily")


def test_a_deadline_does_not_wait_for_a_digest() -> None:
    assert deadline_ready("S4", NOW) == (NOW + WAIT, "")
    assert deadline_ready("S2", NOW) == (NOW, "")
