"""From a finding to its two owners."""

from dataclasses import replace

import pytest

from checks.contract import Owner, Severity
from gateway.owners.model import Match
from gateway.owners.routing import Assignment, Router, Subject, takes
from tests.gateway.exceptions.queue_world import NOW, OWNERS, owners, said

SUBJECT = Subject(
    check="seat_overage_unbilled",
    pattern="delivered-not-billed",
    system="salesforce",
    severity="S2",
    account="A-1",
    currency="USD",
    owners=(Owner.BILLING_OPS, Owner.IT),
)


def test_the_catch_all_gives_the_teams_of_the_checks_roles() -> None:
    assert Router(OWNERS, NOW).assign(SUBJECT) == Assignment("billing", "ann", "it", "ida", "east")


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        (Match(), True),
        (Match(check=("seat_overage_unbilled", "other")), True),
        (Match(check=("other",)), False),
        (Match(pattern=("delivered-not-billed",)), True),
        (Match(system=("netsuite",)), False),
        (Match(severity=(Severity.S2,)), True),
        (Match(severity=(Severity.S1,)), False),
        (Match(account=("A-1",)), True),
        (Match(account=("A-2",)), False),
        (Match(currency=("EUR",)), False),
        (Match(check=("seat_overage_unbilled",), currency=("EUR",)), False),
    ],
)
def test_matchers(match: Match, taken: bool) -> None:
    assert takes(match, SUBJECT) is taken


def test_the_first_route_wins_and_replaces_only_what_it_names() -> None:
    found = owners(
        routes=[
            {"match": {"account": ["A-1"]}, "technical": {"team": "it", "person": "joe"}},
            {"match": {"check": ["seat_overage_unbilled"]}, "business": {"team": "it"}},
            {"match": {}},
        ]
    )
    router = Router(found, NOW)
    assert router.assign(SUBJECT) == Assignment("billing", "ann", "it", "joe", "east")
    assert router.assign(replace(SUBJECT, account="A-2")).business_team == "it"
    assert router.assign(replace(SUBJECT, account=None, check="other")).business_team == "billing"


def test_one_team_for_both_still_names_two_people() -> None:
    both = replace(SUBJECT, owners=(Owner.IT, Owner.IT))
    assert Router(OWNERS, NOW).assign(both) == Assignment("it", "ida", "it", "joe", "east")


def test_a_team_of_one_owns_both_sides() -> None:
    world = said()
    world["teams"]["it"]["members"] = ["ida"]
    both = replace(SUBJECT, owners=(Owner.IT, Owner.IT))
    assert Router(owners(**world), NOW).assign(both).technical_owner == "ida"


def test_the_deputy_owns_what_comes_while_somebody_is_away() -> None:
    world = said()
    world["people"]["ann"]["away"] = [{"start": "2026-12-01", "until": "2026-12-09", "deputy": "bob"}]
    assert Router(owners(**world), NOW).assign(SUBJECT).business_owner == "bob"
