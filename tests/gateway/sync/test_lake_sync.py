"""A lake through whole sync cycles: the books equal the tables, whatever is deleted, vacuumed or compacted."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sync.run import sync_now
from tests.connectors.conftest import NOON
from tests.connectors.contract.lake_source import ENTITIES, LakeSource
from tests.connectors.contract.source import ContractSource


class Moved:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
def lake(clock: Moved) -> Iterator[ContractSource]:
    source = LakeSource(clock)
    yield source
    source.close()


@pytest.fixture
def installed(lake: ContractSource, clock: Moved, tmp_path: Path, database: Database) -> Installation:
    (tmp_path / "lake.yaml").write_text(lake.mapping)
    source = {"connector": "lake", "roles": ["crm"], "mapping": "lake.yaml", "settings": lake.settings()}
    installation = Installation(parse({"sources": {"lake": source}, "books": "books"}, tmp_path), clock)
    installation.database = database
    return installation


def _books(installed: Installation) -> dict[tuple[str, str], dict[str, Any]]:
    store = installed.store
    found = {}
    for entity in ENTITIES:
        version = store.version(entity)
        rows = [] if version is None else pq.read_table(store.files(entity, version)).to_pylist()
        found.update({(entity, row["key"]): {"name": row["name"]} for row in rows if not row["deleted"]})
    return found


@pytest.mark.parametrize("mishap", ["vacuumed", "compacted", "log cleaned", "uncommitted file"])
def test_the_books_equal_the_lake(lake: ContractSource, installed: Installation, clock: Moved, mishap: str) -> None:
    for number in range(9):
        lake.put(number, f"first {number}")
    assert sync_now(installed).sources["lake"].failure is None
    assert _books(installed) == lake.truth()
    lake.put(1, "changed", late=timedelta(minutes=5))
    lake.put(2, "changed too", late=timedelta(minutes=5))
    lake.put(9, "new")
    for number in (0, 4):
        lake.remove(number)
    lake.mishaps()[mishap]()
    lake.put(10, "after it")
    clock.now += timedelta(minutes=1)
    assert sync_now(installed).sources["lake"].failure is None
    assert _books(installed) == lake.truth()


def test_a_parquet_record_that_is_gone_is_found_by_the_census(
    lake: ContractSource, installed: Installation, clock: Moved
) -> None:
    for number in (2, 5, 8):
        lake.put(number, "text")
    sync_now(installed)
    lake.remove(5)
    clock.now += timedelta(hours=25)
    sync_now(installed)
    assert _books(installed) == lake.truth()


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history(lake: ContractSource, installed: Installation, clock: Moved, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        for _ in range(chance.randrange(1, 6)):
            number = chance.randrange(8)
            if chance.random() < 0.7:
                lake.put(number, chance.choice("xyz"), late=timedelta(minutes=chance.randrange(30)))
            else:
                lake.remove(number)
        if chance.random() < 0.5:
            chance.choice(list(lake.mishaps().values()))()
        clock.now += timedelta(hours=25)
        assert sync_now(installed).sources["lake"].failure is None
        assert _books(installed) == lake.truth()
