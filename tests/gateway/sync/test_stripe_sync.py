"""A whole installation that reads Stripe: the published books say what the account holds, at every poll."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from books.engine import Engine
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sync.run import sync_now
from tests.connectors.conftest import Clock
from tests.connectors.contract.source import Place, Said
from tests.connectors.contract.stripe_source import StripeSource


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(clock: Clock) -> Iterator[StripeSource]:
    with closing(StripeSource(clock)) as running:
        yield running


@pytest.fixture
def installed(
    source: StripeSource, clock: Clock, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    (tmp_path / "stripe.yaml").write_text(source.mapping, encoding="utf-8")
    for name, value in source.secrets().items():
        monkeypatch.setenv(f"TIEOUT_STRIPE_{name.upper()}", value)
    said = {"connector": "stripe", "roles": ["billing"], "mapping": "./stripe.yaml", "settings": source.settings()}
    opened = Installation(parse({"sources": {"stripe": said}}, tmp_path), clock)
    opened.database = database
    return opened


def _synced(installed: Installation, truth: dict[Place, Said]) -> tuple[dict[Place, Said], set[Place]]:
    """The live rows after a sync, with the columns of the truth, and the tombstones."""
    report = sync_now(installed)
    assert report.sources["stripe"].failure is None
    snapshot = installed.ledger.latest()
    assert snapshot is not None
    live: dict[Place, Said] = {}
    buried: set[Place] = set()
    with Engine.over(installed.store, snapshot) as engine:
        for entity in sorted({entity for entity, _ in truth}):
            for row in engine.rows(f'SELECT * FROM "{entity}"'):
                columns: Any = next(said for place, said in truth.items() if place[0] == entity)
                if row["deleted"]:
                    buried.add((entity, row["key"]))
                else:
                    live[entity, row["key"]] = {name: row[name] for name in columns}
    return live, buried


def test_the_books_follow_the_account(installed: Installation, source: StripeSource, clock: Clock) -> None:
    for number in range(12):
        source.put(number, f"first {number}")
    assert _synced(installed, dict(source.truth())) == (source.truth(), set())
    clock.forward(hours=1)
    for number in (0, 1, 2, 15):
        source.put(number, f"second {number}", late=timedelta(minutes=9))
    for number in (3, 4, 5):
        source.remove(number)
    buried = {("accounts", "cus_3"), ("invoice_lines", "il_4"), ("products", "prod_5")}
    assert _synced(installed, dict(source.truth())) == (source.truth(), buried)
    # What vanishes without a trace is found when all keys are compared; what no event tells any more, by reading all.
    source.purge(6)
    source.purge(7)
    source.put(0, "third")
    clock.forward(days=31)
    buried |= {("accounts", "cus_6"), ("invoice_lines", "il_7")}
    assert _synced(installed, dict(source.truth())) == (source.truth(), buried)
    assert source.over_limit() == 0
