"""What would leave an exception with nobody who hears of it. Run before start and in CI."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from checks.contract import Check
from gateway.exceptions.calendar import elapsed
from gateway.owners.model import EmailSetting, Owners, SlackSetting
from gateway.owners.names import unknown_names

LOOK_AHEAD = timedelta(days=14)


@dataclass(frozen=True)
class Problem:
    """One mistake: where in owners.yaml, and a sentence that says what to do."""

    where: str
    text: str


def lint(
    owners: Owners, checks: Iterable[Check], *, today: date, environment: Mapping[str, str] | None
) -> list[Problem]:
    """All problems of the file against the shipped checks.

    `environment` None: offline, the variables that channels name need not be set here.
    """
    names = [Problem("names", sentence) for sentence in unknown_names(owners)]
    if names:
        return names  # everything else follows names
    return [
        *_routes(owners, list(checks)),
        *_teams(owners),
        *_ladders(owners),
        *_channels(owners, environment),
        *_calendars(owners, today),
    ]


def _routes(owners: Owners, checks: list[Check]) -> Iterator[Problem]:
    *earlier, last = owners.routes
    if not last.match.takes_everything:
        yield Problem("routes", "The last route must take everything: write `match: {}`.")
    for number, route in enumerate(earlier, start=1):
        if route.match.takes_everything:
            yield Problem("routes", f"Route {number} takes everything, so the routes after it are never reached.")
    ids, patterns = {check.id for check in checks}, {check.pattern for check in checks}
    for number, route in enumerate(owners.routes, start=1):
        for name in sorted(set(route.match.check) - ids):
            yield Problem("routes", f"Route {number} waits for the check {name}, which is not there.")
        for name in sorted(set(route.match.pattern) - patterns):
            yield Problem("routes", f"Route {number} waits for the pattern {name!r}, which no check has.")
    for name in sorted(set(owners.sla.checks) - ids):
        yield Problem("sla", f"sla.checks sets deadlines for the check {name}, which is not there.")


def _teams(owners: Owners) -> Iterator[Problem]:
    for name, team in owners.teams.items():
        if not team.members:
            yield Problem("teams", f"The team {name} has no members.")
        if not team.channels:
            yield Problem("teams", f"The team {name} has no channel; only its lead would hear of anything.")
        outside = sorted(set(team.rota.order) - {team.lead, *team.members}) if team.rota else []
        if outside:
            yield Problem("teams", f"The rota of {name} has people who are not in the team: {', '.join(outside)}.")
    for number, route in enumerate(owners.routes, start=1):
        for responsible in (route.business, route.technical):
            person = responsible.person if responsible else None
            if responsible and person and responsible.team not in owners.teams_of(person):
                yield Problem("routes", f"Route {number} names {person}, who is not in the team {responsible.team}.")


def _ladders(owners: Owners) -> Iterator[Problem]:
    for name, ladder in owners.ladders.items():
        if not ladder.steps[-1].to.startswith("person:"):
            yield Problem("ladders", f"The ladder {name} must end at a person, such as person:dana.")


def _channels(owners: Owners, environment: Mapping[str, str] | None) -> Iterator[Problem]:
    for name, channel in owners.channels.items():
        if isinstance(channel, EmailSetting) or environment is None:
            continue
        needed = [channel.url_env] if isinstance(channel, SlackSetting) else [channel.url_env, channel.secret_env]
        for variable in needed:
            if not environment.get(variable):
                yield Problem("channels", f"The channel {name} needs the environment variable {variable}.")


def _calendars(owners: Owners, today: date) -> Iterator[Problem]:
    start = datetime.combine(today, datetime.min.time(), UTC)
    for name, versions in owners.calendars.items():
        if min(version.effective_from for version in versions) > today:
            yield Problem("calendars", f"The calendar {name} begins only after {today}.")
        begins = [version.effective_from for version in versions]
        if len(set(begins)) < len(begins):
            yield Problem("calendars", f"The calendar {name} has two versions from the same day.")
        starts = [start, *(datetime.combine(day, datetime.min.time(), UTC) for day in begins if day > today)]
        for at in starts:
            if not elapsed(owners.business_calendars[name], at, at + LOOK_AHEAD):
                yield Problem("calendars", f"The calendar {name} is closed for two weeks from {at:%Y-%m-%d}.")
        yield from _holidays(owners, name, today)


def _holidays(owners: Owners, name: str, today: date) -> Iterator[Problem]:
    """Deadlines reach into the next year before it begins."""
    for listed in dict.fromkeys(entry for version in owners.calendars[name] for entry in version.holidays):
        years = {day.year for day in owners.holidays.get(listed, {})}
        for year in (today.year, today.year + 1):
            if year not in years:
                yield Problem(
                    "holidays",
                    f"The holidays {listed} of the calendar {name} have no dates in {year}; "
                    f"write them with `tieout owners holidays --year {year}`.",
                )
