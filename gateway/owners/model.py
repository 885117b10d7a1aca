"""owners.yaml: who is responsible for what, when they work, what was promised, and how they are reached."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from checks.contract import Owner, Severity
from gateway.exceptions.calendar import Calendar
from gateway.exceptions.span import Span, Unit
from gateway.exceptions.terms import PAUSE_BUDGET, Ladder, Policy, Rung, Terms
from gateway.owners.hours import CalendarVersion, Part, Zone, calendar

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_TARGET = re.compile(r"owner|technical_owner|lead|technical_lead|(role|person):[a-z0-9_-]+")


def _is_email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"{text!r} is not an e-mail address")
    return text


def _is_target(text: str) -> str:
    if not _TARGET.fullmatch(text):
        raise ValueError(
            f"{text!r} names nobody; write owner, technical_owner, lead, technical_lead, role:it or person:dana"
        )
    return text


def _span(said: object) -> object:
    return Span.parse(said) if isinstance(said, str) else said


Email = Annotated[str, AfterValidator(_is_email)]
Length = Annotated[Span, BeforeValidator(_span)]


class Away(Part):
    """Days on which somebody else stands in; `until` is the first day back, in the person's own zone."""

    start: date
    until: date
    deputy: str

    @model_validator(mode="after")
    def _in_order(self) -> "Away":
        if self.until <= self.start:
            raise ValueError(f"the absence from {self.start} ends before it begins")
        return self


class Person(Part):
    name: str
    email: Email
    slack: str | None = None
    timezone: Zone
    away: tuple[Away, ...] = ()


class Rota(Part):
    """Members take turns of `days` each from `start` on, in this order, in the zone of the team's calendar."""

    start: date
    days: Annotated[int, Field(gt=0)] = 7
    order: tuple[str, ...] = Field(min_length=1)


class Team(Part):
    """`channels` name entries of `channels:`. Without a rota the lead is on duty."""

    name: str
    lead: str
    members: tuple[str, ...]
    channels: tuple[str, ...]
    calendar: str
    rota: Rota | None = None


class SlackSetting(Part):
    kind: Literal["slack"]
    url_env: str


class EmailSetting(Part):
    kind: Literal["email"]
    address: Email


class WebhookSetting(Part):
    """`secret_env` names the variable with the secret that signs the messages."""

    kind: Literal["webhook"]
    url_env: str
    secret_env: str


ChannelSetting = Annotated[SlackSetting | EmailSetting | WebhookSetting, Field(discriminator="kind")]


class Sla(Part):
    """The deadlines of one severity, in business time of the owner's calendar."""

    ack: Length | None = None
    resolve: Length
    ack_timeout: Length | None = None
    ladder: str
    before_cut_off: bool = False


class SlaChange(Part):
    """What one check has otherwise than its severity says; what is not given stays."""

    ack: Length | None = None
    resolve: Length | None = None
    before_cut_off: bool | None = None


class Slas(Part):
    """One policy per severity; `pause_budget` is how long waiting may stop the clock in one cycle."""

    S1: Sla
    S2: Sla
    S3: Sla
    S4: Sla
    checks: dict[str, SlaChange] = Field(default_factory=dict)
    pause_budget: Length = PAUSE_BUDGET

    @model_validator(mode="after")
    def _budget_in_days(self) -> "Slas":
        if self.pause_budget.unit is not Unit.DAY:
            raise ValueError("pause_budget is counted in business days, such as 10bd")
        return self


class RungSetting(Part):
    to: Annotated[str, AfterValidator(_is_target)]
    after: Length


class LadderSetting(Part):
    """`wall_clock`: nights and holidays count, so steps are given in minutes or hours."""

    steps: tuple[RungSetting, ...] = Field(min_length=1)
    loops: Annotated[int, Field(ge=1, le=5)] = 1
    wall_clock: bool = False

    @model_validator(mode="after")
    def _measurable(self) -> "LadderSetting":
        if self.wall_clock and any(step.after.unit is Unit.DAY for step in self.steps):
            raise ValueError("a wall-clock ladder counts minutes and hours; a business day has no length by the wall")
        if all(step.after.count == 0 for step in self.steps):
            raise ValueError("a ladder needs time between its steps")
        return self


class Match(Part):
    """What a route takes. Each list that is given must hold the finding's value; none given takes everything."""

    check: tuple[str, ...] = ()
    pattern: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    severity: tuple[Severity, ...] = ()
    account: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()

    @property
    def takes_everything(self) -> bool:
        return not any(getattr(self, name) for name in type(self).model_fields)


class Responsible(Part):
    """A team, of which whoever is on duty answers, or one person of it."""

    team: str
    person: str | None = None


class Route(Part):
    """`business` and `technical` replace the teams that the check's roles would give."""

    match: Match = Match()
    business: Responsible | None = None
    technical: Responsible | None = None


class _Calendars(dict[str, Calendar]):
    def __init__(self, known: Mapping[str, Calendar], otherwise: Calendar) -> None:
        super().__init__(known)
        self._otherwise = otherwise

    def __missing__(self, name: str) -> Calendar:
        return self._otherwise


class Owners(Part):
    """The whole file."""

    version: Literal[1]
    people: dict[str, Person]
    teams: dict[str, Team]
    roles: dict[Owner, str]
    channels: dict[str, ChannelSetting]
    calendars: dict[str, tuple[CalendarVersion, ...]]
    sla: Slas
    ladders: dict[str, LadderSetting]
    routes: tuple[Route, ...] = Field(min_length=1)
    holidays: dict[str, dict[date, str]] = Field(default_factory=dict)

    @cached_property
    def business_calendars(self) -> Mapping[str, Calendar]:
        """By name. A name that the file has lost while cases still run on it leads to IT's calendar: a deadline
        that cannot be worked out would be worse than one by other hours."""
        known = {name: calendar(versions, self.holidays) for name, versions in self.calendars.items()}
        return _Calendars(known, known[self.teams[self.roles[Owner.IT]].calendar])

    def terms(self, check: str) -> Terms:
        """What a case of this check is promised now, for every severity."""
        change = self.sla.checks.get(check, SlaChange())
        return Terms({severity: self._policy(getattr(self.sla, severity), change) for severity in Severity})

    def _policy(self, sla: Sla, change: SlaChange) -> Policy:
        ladder = self.ladders[sla.ladder]
        return Policy(
            ack=change.ack or sla.ack,
            resolve=change.resolve or sla.resolve,
            ack_timeout=sla.ack_timeout,
            ladder=Ladder(tuple(Rung(step.to, step.after) for step in ladder.steps), ladder.loops, ladder.wall_clock),
            before_cut_off=sla.before_cut_off if change.before_cut_off is None else change.before_cut_off,
            pause_budget=self.sla.pause_budget,
        )

    def teams_of(self, person: str) -> tuple[str, ...]:
        """The teams that a person belongs to, in the order of the file."""
        return tuple(name for name, team in self.teams.items() if person in (team.lead, *team.members))
