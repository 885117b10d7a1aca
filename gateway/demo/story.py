"""The demo's course: poll three systems, check the books, put two invoice runs to the gate, tell the owners."""

import json
import secrets
from typing import Any

from gateway.channels import open_channels
from gateway.demo.report import Report, report
from gateway.demo.score import score
from gateway.demo.world import World
from gateway.jobs import escalate, notify, seal_audit
from gateway.keys.keys import SCOPES, create
from gateway.prebill.opening import open_gate
from gateway.sweep import Sweep, sweep
from gateway.sync.cycle import CycleReport, Progress
from gateway.sync.run import sync_now


def poll(world: World, progress: Progress) -> CycleReport:
    """Read every source; the demo's systems all answer."""
    return sync_now(world.installed, progress=progress)


def check(world: World) -> Sweep:
    return sweep(world.installed, world.clock())


def ask_gate(world: World) -> list[dict[str, Any]]:
    """A verdict on each open bill run: the clean one, then the bad one."""
    gate = open_gate(world.installed)
    answers = []
    for run in world.company.bill_runs:
        body = {"run": {"system": "zuora", "id": run.number}, "mode": "enforce"}
        answers.append(gate.ask(json.dumps(body).encode(), "demo", secrets.token_hex(8)))
    return answers


def tell(world: World) -> None:
    """Escalate, send what is due, seal the audit log."""
    installed, now = world.installed, world.clock()
    channels = open_channels(installed.owners, installed.config.mail, installed.clock)
    escalate(installed, now)
    notify(installed, channels, now)
    seal_audit(installed, now)


def finish(world: World, swept: Sweep, answers: list[dict[str, Any]]) -> Report:
    """What was told, beside what is known of the company."""
    company = world.company
    scored = score(company.planted, company.lookalikes, company.disturbed, swept.evaluations)
    return report(world, swept, scored, answers)


def api_key(world: World) -> str:
    """A key for whoever tries the API of the demo."""
    with world.installed.database.session() as session:
        return create(session, "demo", SCOPES, world.clock())
