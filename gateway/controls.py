"""The control matrix: which failure pattern is covered in which system, by which check, and who owns that.

A check covers a pattern in every role that it reads, as it declares; one that declares no needs looks at all sources.
Where no check does, the cell is empty, and is shown as that.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from books.reading import ROLES
from checks.contract import Check, Mode, Need, Owner, Pattern
from gateway.installation import Installation


@dataclass(frozen=True)
class Control:
    """A check as this installation has it in force. `idle`: why it is never asked here; None where it is."""

    check: Check
    roles: tuple[str, ...]
    own: bool
    idle: str | None

    @property
    def acts(self) -> bool:
        return self.idle is None and self.check.mode is not Mode.SHADOW


@dataclass(frozen=True)
class Matrix:
    """Patterns by roles. `systems` are the sources that play each role; empty for a role that none plays."""

    systems: Mapping[str, tuple[str, ...]]
    controls: Sequence[Control]

    def of(self, pattern: Pattern, role: str | None = None) -> list[Control]:
        """The controls of one pattern, in one role or in any."""
        return [c for c in self.controls if c.check.pattern is pattern and (role is None or role in c.roles)]

    def lines(self) -> Iterator["Line"]:
        """The matrix cell by cell: a line per check, and one without for a cell that is empty."""
        for pattern in Pattern:
            for role, systems in self.systems.items():
                found = self.of(pattern, role)
                for control in found:
                    yield Line(pattern, role, systems, control)
                if not found:
                    yield Line(pattern, role, systems, None)

    def as_text(self, teams: Mapping[Owner, str]) -> str:
        """The matrix as CSV, with a heading line; `teams` are those of owners.yaml by role."""
        text = io.StringIO()
        writer = csv.DictWriter(text, Line.HEADINGS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(line.cells(teams) for line in self.lines())
        return text.getvalue()


@dataclass(frozen=True)
class Line:
    """One check in one cell."""

    pattern: Pattern
    role: str
    systems: tuple[str, ...]
    control: Control | None

    HEADINGS = (
        *("pattern", "role", "systems", "check", "state", "mode", "severity"),
        *("business_owner", "business_team", "technical_owner", "technical_team"),
    )

    def cells(self, teams: Mapping[Owner, str]) -> dict[str, str]:
        """For a table: a word under each heading; `teams` are those of owners.yaml by role."""
        where = {"pattern": self.pattern.value, "role": self.role, "systems": " ".join(self.systems)}
        if self.control is None:
            return {**dict.fromkeys(self.HEADINGS, ""), **where, "state": "no check"}
        check = self.control.check
        business, technical = check.owners
        return {
            **where,
            "check": check.id,
            "state": state(self.control),
            "mode": check.mode.value,
            "severity": check.severity.value,
            "business_owner": business.value,
            "business_team": teams[business],
            "technical_owner": technical.value,
            "technical_team": teams[technical],
        }


def state(control: Control) -> str:
    """`covered`, `in shadow` or `not applicable`."""
    if control.idle is not None:
        return "not applicable"
    return "covered" if control.acts else "in shadow"


def matrix(installed: Installation) -> Matrix:
    """The controls of an installation, in the order of the catalogue, its own ones last."""
    played = installed.config.roles()
    controls = [
        Control(rule.check, _roles(installed, rule.check), id_ in installed.own_checks, installed.ruleset.idle(id_))
        for id_, rule in installed.ruleset.rules.items()
    ]
    return Matrix({role: tuple(played.get(role, ())) for role in ROLES}, controls)


def _roles(installed: Installation, check: Check) -> tuple[str, ...]:
    if not check.needs:
        return tuple(role for role, systems in installed.config.roles().items() if systems)
    read = {need.role for need in check.needs if _reads(installed, need)}
    return tuple(role for role in ROLES if role in read)


def _reads(installed: Installation, need: Need) -> bool:
    return not need.optional or bool(installed.books.systems(need.entity, need.role))
