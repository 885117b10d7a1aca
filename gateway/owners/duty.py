"""Which person answers at an instant: rota, absences, deputies. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from checks.contract import Owner
from gateway.owners.model import Away, Owners, Person


def on_duty(owners: Owners, team: str, now: datetime) -> str:
    """The team's person whose turn it is, its lead where it has no rota; or who stands in for them."""
    setting = owners.teams[team]
    if setting.rota is None:
        return standing_in(owners, setting.lead, now)
    zone = owners.business_calendars[setting.calendar].zone_at(now)
    days = (now.astimezone(zone).date() - setting.rota.start).days
    turn = days // setting.rota.days % len(setting.rota.order)
    return standing_in(owners, setting.rota.order[turn], now)


def standing_in(owners: Owners, person: str, now: datetime) -> str:
    """The person, or the deputy while they are away, and so on. The person again where all deputies are away."""
    asked, seen = person, {person}
    while (absence := _absence(owners.people[asked], now)) is not None:
        asked = absence.deputy
        if asked in seen:
            return person
        seen.add(asked)
    return asked


def is_away(owners: Owners, person: str, now: datetime) -> bool:
    """Whether a person is absent today, in their own zone."""
    return _absence(owners.people[person], now) is not None


def reached(owners: Owners, to: str, business: tuple[str, str], technical: tuple[str, str], now: datetime) -> str:
    """The person that a rung of a ladder names, seen from a case with these (team, owner) pairs.

    Names that owners.yaml has lost since the case opened lead to the lead of the business team, or to whoever is
    on duty for IT where that team is gone too: a frozen ladder never ends in nobody.
    """
    kind, _, name = to.partition(":")
    team = technical[0] if kind.startswith("technical") else business[0]
    if kind == "person" and name in owners.people:
        return standing_in(owners, name, now)
    if kind == "role" and name in owners.roles:
        return on_duty(owners, owners.roles[Owner(name)], now)
    owner = {"owner": business[1], "technical_owner": technical[1]}.get(kind)
    if owner in owners.people:
        return standing_in(owners, owner, now)
    if team in owners.teams:
        return standing_in(owners, owners.teams[team].lead, now)
    return on_duty(owners, owners.roles[Owner.IT], now)


def _absence(person: Person, now: datetime) -> Away | None:
    today = now.astimezone(ZoneInfo(person.timezone)).date()
    return next((away for away in person.away if away.start <= today < away.until), None)
