"""What the demo saw, as one JSON document and as a summary for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from books.engine import Engine
from books.entities import ENTITIES
from gateway.demo.score import Score
from gateway.demo.world import World
from gateway.exceptions.states import ACTIVE
from gateway.exceptions.tables import Case
from gateway.sweep import Sweep


@dataclass(frozen=True)
class Report:
    """See the README's table for the meaning of each part; counts but for `missed`, `false_alarms`, `validations`."""

    now: str
    records: dict[str, dict[str, int]]
    findings: dict[str, int]
    outcomes: dict[str, str]
    planted: int
    found: int
    missed: tuple[Mapping[str, str], ...]
    false_alarms: tuple[Mapping[str, str], ...]
    validations: list[dict[str, Any]]
    notifications: dict[str, int]
    exceptions: dict[str, int]

    def document(self) -> dict[str, Any]:
        return asdict(self)


def report(world: World, swept: Sweep, scored: Score, validations: Sequence[dict[str, Any]]) -> Report:
    """Count what there is now."""
    return Report(
        now=world.clock().isoformat(timespec="seconds"),
        records=_records(world, swept),
        findings={e.check.id: len(e.findings) for e in swept.evaluations},
        outcomes={e.check.id: e.outcome.value for e in swept.evaluations},
        planted=scored.total.planted,
        found=scored.total.found,
        missed=scored.total.missed,
        false_alarms=scored.total.false_alarms,
        validations=list(validations),
        notifications={
            "slack": len(world.slack.messages),
            "email": len(world.mail.messages),
            "webhook": len(world.webhook.deliveries),
        },
        exceptions=_by_owner(world),
    )


def _records(world: World, swept: Sweep) -> dict[str, dict[str, int]]:
    counted: dict[str, dict[str, int]] = {}
    with Engine.over(world.installed.store, swept.snapshot) as engine:
        for entity in ENTITIES:
            for row in engine.rows(f'SELECT system, count(*) AS n FROM "{entity}" WHERE NOT deleted GROUP BY system'):
                counted.setdefault(row["system"], {})[entity] = row["n"]
    return {system: dict(sorted(entities.items())) for system, entities in sorted(counted.items())}


def _by_owner(world: World) -> dict[str, int]:
    owners = world.installed.owners
    statement = select(Case.business_owner, func.count()).where(Case.state.in_(ACTIVE)).group_by(Case.business_owner)
    with world.installed.database.session() as session:
        counted: Counter[str] = Counter()
        for person, count in session.execute(statement):
            counted[owners.people[person].name if person in owners.people else person] += count
    return dict(counted.most_common())


def summarise(found: Report, console: Console) -> None:
    """The same in a screenful."""
    records = sum(count for entities in found.records.values() for count in entities.values())
    console.print(f"\n[bold]{records:,} records[/] of {len(found.records)} sources side by side in the books")
    table = Table(box=None, pad_edge=False)
    for heading in ("check", "outcome", "findings"):
        table.add_column(heading, justify="right" if heading == "findings" else "left")
    for check, count in sorted(found.findings.items(), key=lambda item: -item[1]):
        table.add_row(check, found.outcomes[check], str(count or ""))
    console.print(table)
    colour = "green" if not found.missed and not found.false_alarms else "red"
    console.print(
        f"[bold {colour}]{found.found} of {found.planted} planted defects found[/], "
        f"{len(found.missed)} missed, {len(found.false_alarms)} false alarms"
    )
    for validation in found.validations:
        proceed = "[green]proceed: true[/]" if validation["proceed"] else "[red]proceed: false[/]"
        counts = validation["counts"]
        console.print(
            f"run {validation['run']['id']}: [bold]{validation['verdict']}[/], {proceed} "
            f"({counts['invoices']} invoices, {counts['block']} blocked)"
        )
    console.print("told: " + ", ".join(f"{count} by {channel}" for channel, count in found.notifications.items()))
    console.print("owned: " + ", ".join(f"{count} by {name}" for name, count in found.exceptions.items()))
