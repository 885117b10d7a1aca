"""What lint finds, and that the shipped file has only what it must."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checks.catalogue import CATALOGUE
from gateway.owners.lint import Problem, lint
from gateway.owners.reading import load
from tests.gateway.exceptions.queue_world import SEATS, STALE, owners, said

TODAY = date(2026, 12, 1)
CHECKS = [SEATS, STALE]
SHIPPED = Path(__file__).resolve().parents[3] / "owners.yaml"


def problems(**changes: Any) -> list[str]:
    return [problem.text for problem in lint(owners(**changes), CHECKS, today=TODAY, environment={})]


def test_a_good_file_has_no_problems() -> None:
    assert problems() == []


def test_the_last_route_takes_everything_and_no_other_does() -> None:
    only_one = [{"match": {"check": [SEATS.id]}}]
    assert problems(routes=only_one) == ["The last route must take everything: write `match: {}`."]
    assert "Route 1 takes everything, so the routes after it are never reached." in problems(
        routes=[{"match": {}}, {"match": {}}]
    )


def test_routes_and_deadlines_for_checks_that_are_not_there() -> None:
    routes = [{"match": {"check": ["seat_overage"]}}, {"match": {"pattern": ["seats"]}}, {"match": {}}]
    assert problems(routes=routes) == [
        "Route 1 waits for the check seat_overage, which is not there.",
        "Route 2 waits for the pattern 'seats', which no check has.",
    ]
    world = said()
    world["sla"]["checks"] = {"seat_overage": {"ack": "1h"}}
    assert problems(**world) == ["sla.checks sets deadlines for the check seat_overage, which is not there."]


def test_teams_that_nobody_hears_of() -> None:
    world = said()
    world["teams"]["it"] |= {"members": [], "channels": []}
    world["teams"]["billing"]["rota"] = {"start": "2026-12-01", "order": ["ann", "eve"]}
    assert problems(**world) == [
        "The rota of billing has people who are not in the team: eve.",
        "The team it has no members.",
        "The team it has no channel; only its lead would hear of anything.",
    ]


def test_a_route_to_a_person_outside_the_team() -> None:
    routes = [{"match": {}, "business": {"team": "it", "person": "ann"}}]
    assert problems(routes=routes) == ["Route 1 names ann, who is not in the team it."]


def test_a_ladder_must_end_at_a_person() -> None:
    world = said()
    world["ladders"]["calm"]["steps"] = [{"to": "person:eve", "after": "1h"}, {"to": "lead", "after": "1h"}]
    assert problems(**world) == ["The ladder calm must end at a person, such as person:dana."]


def test_channels_need_their_secrets_unless_offline() -> None:
    world = said()
    world["channels"]["ops"] = {"kind": "webhook", "url_env": "HOOK_URL", "secret_env": "HOOK_SECRET"}
    world["channels"]["it"] = {"kind": "slack", "url_env": "SLACK"}
    found = owners(**world)
    assert [problem.text for problem in lint(found, CHECKS, today=TODAY, environment={"HOOK_URL": "https://x"})] == [
        "The channel ops needs the environment variable HOOK_SECRET.",
        "The channel it needs the environment variable SLACK.",
    ]
    assert lint(found, CHECKS, today=TODAY, environment=None) == []


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        ([{"effective_from": "2027-01-01", "hours": {"mon": ["09:00-17:00"]}}], "begins only after 2026-12-01"),
        ([{"effective_from": "2025-01-01", "hours": {}}], "closed for two weeks from 2026-12-01"),
        (
            [
                {"effective_from": "2025-01-01", "hours": {"mon": ["09:00-17:00"]}},
                {"effective_from": "2027-02-01", "hours": {}},
            ],
            "closed for two weeks from 2027-02-01",
        ),
        ([{"effective_from": "2025-01-01", "hours": {"mon": ["09:00-17:00"]}}] * 2, "two versions from the same day"),
        (
            [{"effective_from": "2025-01-01", "hours": {"mon": ["09:00-17:00"]}, "holidays": ["US"]}],
            "have no dates in 2027",
        ),
    ],
)
def test_gaps_of_calendars(versions: list[dict[str, Any]], sentence: str) -> None:
    calendars = {"east": [{"timezone": "UTC", **version} for version in versions]}
    holidays = {"US": {"2026-12-25": "Christmas Day"}}
    assert any(sentence in found for found in problems(calendars=calendars, holidays=holidays))


def test_the_shipped_file_has_no_problems_but_its_secrets() -> None:
    shipped = load(SHIPPED)
    checks = CATALOGUE.values()
    assert lint(shipped, checks, today=TODAY, environment=None) == []
    needed = lint(shipped, checks, today=TODAY, environment={})
    assert {problem.where for problem in needed} == {"channels"}
    assert Problem("channels", "The channel it-slack needs the environment variable TIEOUT_SLACK_IT.") in needed
