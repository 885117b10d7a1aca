"""The whole catalogue over a company of any size, and its marks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from books.engine import Engine
from gateway.demo.score import Score, score
from gateway.demo.shortcut import Shortcut, unconnected
from gateway.sweep import evaluate
from sandbox.company import NOW, LookAlike, Planted, sites

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What a company of so many accounts is: `clean` has the same customers, and nothing goes wrong with them.

    `only` names the checks that are asked; none named, all are.
    """

    seed: int
    accounts: int
    clean: bool = False
    only: tuple[str, ...] = ()


def scored(asked: Asked, folder: Path, say: Say = lambda _: None) -> Score:
    """Build the company into books below the folder, ask every check, and compare with what is known."""
    installed = unconnected(folder, NOW)
    shortcut = Shortcut(installed, folder)
    planted: list[Planted] = []
    lookalikes: list[LookAlike] = []
    disturbed: set[str] = set()
    for company in sites(asked.seed, asked.accounts, defects=not asked.clean):
        say(f"Writing {len(company.salesforce['Account']):,} accounts into the books")
        shortcut.load(company)
        lookalikes += company.lookalikes
        planted += [] if asked.clean else company.planted
        disturbed |= set() if asked.clean else company.disturbed
    snapshot = shortcut.publish()
    say("Asking the checks")
    with Engine.over(installed.store, snapshot) as engine:
        evaluations = evaluate(installed, engine, snapshot, NOW, asked.only)
    return score(planted, lookalikes, disturbed, evaluations, asked.only)
