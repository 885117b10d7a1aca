"""Who answers: rota, absence, deputies, and the rungs of a ladder."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.owners.channels import channels_of, every_channel, name_of
from gateway.owners.duty import on_duty, reached, standing_in
from gateway.owners.model import EmailSetting, Owners
from tests.gateway.exceptions.queue_world import NOW, OWNERS, owners, said

NEW_YORK = ZoneInfo("America/New_York")


def away(**who: tuple[str, str, str]) -> Owners:
    """The sample with people away: who=(start, until, deputy)."""
    world = said()
    for person, (start, until, deputy) in who.items():
        world["people"][person]["away"] = [{"start": start, "until": until, "deputy": deputy}]
    return owners(**world)


def test_without_a_rota_the_lead_is_on_duty() -> None:
    assert on_duty(OWNERS, "it", NOW) == "ida"


@pytest.mark.parametrize(
    ("local", "person"),
    [
        (datetime(2026, 11, 30, 0, 0, tzinfo=NEW_YORK), "bob"),
        (datetime(2026, 12, 6, 23, 59, tzinfo=NEW_YORK), "bob"),
        (datetime(2026, 12, 7, 0, 0, tzinfo=NEW_YORK), "ann"),
        (datetime(2026, 11, 29, 23, 59, tzinfo=NEW_YORK), "ann"),
    ],
)
def test_turns_change_at_the_teams_midnight(local: datetime, person: str) -> None:
    world = said()
    world["teams"]["billing"]["rota"] = {"start": "2026-11-30", "days": 7, "order": ["bob", "ann"]}
    assert on_duty(owners(**world), "billing", local) == person


def test_the_deputy_stands_in_until_the_first_day_back() -> None:
    found = away(ann=("2026-12-01", "2026-12-03", "bob"))
    days = {day: datetime(2026, 12, day, 9, tzinfo=NEW_YORK) for day in (1, 2, 3)}
    assert [standing_in(found, "ann", at) for at in days.values()] == ["bob", "bob", "ann"]
    assert standing_in(found, "ann", datetime(2026, 11, 30, 23, 59, tzinfo=NEW_YORK)) == "ann"


def test_a_deputy_who_is_away_has_a_deputy_and_a_circle_ends_where_it_began() -> None:
    span = ("2026-12-01", "2026-12-09")
    assert standing_in(away(ann=(*span, "bob"), bob=(*span, "eve")), "ann", NOW) == "eve"
    assert standing_in(away(ann=(*span, "bob"), bob=(*span, "ann")), "ann", NOW) == "ann"


@pytest.mark.parametrize(
    ("to", "person"),
    [
        ("owner", "bob"),
        ("technical_owner", "joe"),
        ("lead", "ann"),
        ("technical_lead", "ida"),
        ("role:revops", "ann"),
        ("person:eve", "eve"),
    ],
)
def test_a_rung_reaches_a_person(to: str, person: str) -> None:
    assert reached(OWNERS, to, ("billing", "bob"), ("it", "joe"), NOW) == person


@pytest.mark.parametrize("to", ["owner", "lead", "person:gone", "role:gone", "technical_lead"])
def test_a_frozen_ladder_never_ends_in_nobody(to: str) -> None:
    assert reached(OWNERS, to, ("gone", "gone"), ("gone", "gone"), NOW) == "ida"


def test_channels_of_teams_people_and_the_lost() -> None:
    assert channels_of(OWNERS, "team:billing") == ("ops",)
    assert channels_of(OWNERS, "person:ann") == ("person:ann",)
    assert channels_of(OWNERS, "team:gone") == channels_of(OWNERS, "person:gone") == ("it",)
    assert every_channel(OWNERS)["person:ann"] == EmailSetting(kind="email", address="ann@example.com")
    assert [name_of(OWNERS, who) for who in ("team:billing", "person:ann", "person:gone")] == ["Billing", "Ann", "gone"]


def test_a_team_without_channels_is_reached_through_its_lead() -> None:
    world = said()
    world["teams"]["it"]["channels"] = []
    assert channels_of(owners(**world), "team:it") == ("person:ida",)
