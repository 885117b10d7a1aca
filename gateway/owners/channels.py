"""Every address that owners.yaml can reach, by the name that the outbox uses for it."""

from collections.abc import Mapping

from checks.contract import Owner
from gateway.owners.model import ChannelSetting, EmailSetting, Owners

PERSON = "person:"
TEAM = "team:"


def every_channel(owners: Owners) -> Mapping[str, ChannelSetting]:
    """The named channels, and `person:<id>` for each person: their own e-mail."""
    people = {
        f"{PERSON}{name}": EmailSetting(kind="email", address=person.email) for name, person in owners.people.items()
    }
    return {**owners.channels, **people}


def channels_of(owners: Owners, recipient: str) -> tuple[str, ...]:
    """Channel names of `team:<id>` or `person:<id>`. Whoever owners.yaml has lost is reached through IT."""
    if recipient.startswith(PERSON) and recipient.removeprefix(PERSON) in owners.people:
        return (recipient,)
    team = owners.teams.get(recipient.removeprefix(TEAM)) or owners.teams[owners.roles[Owner.IT]]
    return team.channels or (f"{PERSON}{team.lead}",)


def name_of(owners: Owners, recipient: str) -> str:
    """The recipient as a person reads it."""
    kind, _, name = recipient.partition(":")
    known = owners.people.get(name) if kind == "person" else owners.teams.get(name)
    return known.name if known is not None else name
