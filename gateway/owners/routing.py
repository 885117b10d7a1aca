"""From a finding to its two named owners. Pure and deterministic: no load, no chance."""

from dataclasses import dataclass
from datetime import datetime

from checks.contract import Owner
from gateway.owners.duty import on_duty, standing_in
from gateway.owners.model import Match, Owners, Responsible


@dataclass(frozen=True)
class Subject:
    """What routes look at. `owners` are the roles that the check declares, business before technical."""

    check: str
    pattern: str
    system: str
    severity: str
    account: str | None
    currency: str | None
    owners: tuple[Owner, Owner]


@dataclass(frozen=True)
class Assignment:
    """The two named owners, each with the team that they answer for. The calendar is the business team's."""

    business_team: str
    business_owner: str
    technical_team: str
    technical_owner: str
    calendar: str


class Router:
    """The routes as they stand at one instant; remembers what it has answered."""

    def __init__(self, owners: Owners, now: datetime) -> None:
        self._owners = owners
        self._now = now
        self._known: dict[Subject, Assignment] = {}
        self._by_account = any(route.match.account for route in owners.routes)

    def assign(self, subject: Subject) -> Assignment:
        """The first route that takes the subject decides; what it leaves open, the check's roles decide."""
        asked = subject if self._by_account else _without_account(subject)
        if asked not in self._known:
            self._known[asked] = self._assign(asked)
        return self._known[asked]

    def _assign(self, subject: Subject) -> Assignment:
        owners = self._owners
        route = next((route for route in owners.routes if takes(route.match, subject)), None)
        business_role, technical_role = subject.owners
        business = (route.business if route else None) or Responsible(team=owners.roles[business_role])
        technical = (route.technical if route else None) or Responsible(team=owners.roles[technical_role])
        business_owner = self._person(business)
        technical_owner = self._person(technical)
        if technical_owner == business_owner:
            technical_owner = self._second(technical.team, business_owner)
        return Assignment(
            business.team, business_owner, technical.team, technical_owner, owners.teams[business.team].calendar
        )

    def _person(self, responsible: Responsible) -> str:
        if responsible.person is not None:
            return standing_in(self._owners, responsible.person, self._now)
        return on_duty(self._owners, responsible.team, self._now)

    def _second(self, team: str, first: str) -> str:
        """Another person of the team, its lead before its members; the same one where it has nobody else."""
        setting = self._owners.teams[team]
        people = (standing_in(self._owners, person, self._now) for person in (setting.lead, *setting.members))
        return next((person for person in people if person != first), first)


def takes(match: Match, subject: Subject) -> bool:
    """Whether a route's matcher takes the subject."""
    pairs = (
        (match.check, subject.check),
        (match.pattern, subject.pattern),
        (match.system, subject.system),
        (match.severity, subject.severity),
        (match.account, subject.account),
        (match.currency, subject.currency),
    )
    return all(not wanted or value in wanted for wanted, value in pairs)


def _without_account(subject: Subject) -> Subject:
    return Subject(
        subject.check, subject.pattern, subject.system, subject.severity, None, subject.currency, subject.owners
    )
