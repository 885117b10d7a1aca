"""Names in owners.yaml that lead nowhere. A file with such a name is not used at all."""

from collections.abc import Iterable, Iterator

from checks.contract import Owner
from gateway.owners.model import Owners, Team


def unknown_names(owners: Owners) -> list[str]:
    """A sentence for each name that is used and not defined, and for each role that no team has."""
    return [
        *_of_people(owners),
        *(sentence for name, team in owners.teams.items() for sentence in _of_team(owners, name, team)),
        *_of_roles(owners),
        *_of_promises(owners),
        *_of_routes(owners),
        *_of_calendars(owners),
    ]


def _missing(where: str, kind: str, names: Iterable[str | None], known: Iterable[str]) -> Iterator[str]:
    defined = set(known)
    for name in names:
        if name is not None and name not in defined:
            yield f"{where} names the {kind} {name!r}, which is not defined."


def _of_people(owners: Owners) -> Iterator[str]:
    for name, person in owners.people.items():
        yield from _missing(f"The absence of {name}", "person", [away.deputy for away in person.away], owners.people)


def _of_team(owners: Owners, name: str, team: Team) -> Iterator[str]:
    where = f"The team {name}"
    people = [team.lead, *team.members, *(team.rota.order if team.rota else ())]
    yield from _missing(where, "person", dict.fromkeys(people), owners.people)
    yield from _missing(where, "channel", team.channels, owners.channels)
    yield from _missing(where, "calendar", [team.calendar], owners.calendars)


def _of_roles(owners: Owners) -> Iterator[str]:
    for role in Owner:
        if role not in owners.roles:
            yield f"The role {role} is given to no team under roles:."
    yield from _missing("roles:", "team", owners.roles.values(), owners.teams)


def _of_promises(owners: Owners) -> Iterator[str]:
    sla = owners.sla
    for severity, policy in (("S1", sla.S1), ("S2", sla.S2), ("S3", sla.S3), ("S4", sla.S4)):
        yield from _missing(f"The policy of {severity}", "ladder", [policy.ladder], owners.ladders)
    for name, ladder in owners.ladders.items():
        people = [step.to.removeprefix("person:") for step in ladder.steps if step.to.startswith("person:")]
        roles = [step.to.removeprefix("role:") for step in ladder.steps if step.to.startswith("role:")]
        yield from _missing(f"The ladder {name}", "person", people, owners.people)
        yield from _missing(f"The ladder {name}", "role", roles, owners.roles)


def _of_routes(owners: Owners) -> Iterator[str]:
    for number, route in enumerate(owners.routes, start=1):
        for responsible in (route.business, route.technical):
            if responsible is not None:
                yield from _missing(f"Route {number}", "team", [responsible.team], owners.teams)
                yield from _missing(f"Route {number}", "person", [responsible.person], owners.people)


def _of_calendars(owners: Owners) -> Iterator[str]:
    for name, versions in owners.calendars.items():
        if not versions:
            yield f"The calendar {name} has no hours at all."
