"""The score fills its books without a wire. It may, because they are the same books."""

from pathlib import Path

import pytest

from books.engine import Engine
from books.entities import ENTITIES
from books.entities.controls import PUBLISHED
from gateway.db.session import Database
from gateway.demo.shortcut import Shortcut, unconnected
from gateway.demo.world import World
from gateway.sync.run import sync_now

pytestmark = pytest.mark.timeout(600)
# When a row was read is another matter, and its raw fields are spelt as each wire spells them.
_OWN = {"synced_at", "raw"}
# Proposals of the crosswalk are numbered and kept in a database, which the score does without.
_PROPOSED = "system = 'tieout' AND basis = 'matched'"


def test_the_shortcut_fills_the_books_as_the_systems_do(tmp_path: Path, database: Database) -> None:
    with World(tmp_path / "world", seed=7, accounts=200, public_url="http://127.0.0.1:1") as world:
        world.installed.database = database
        report = sync_now(world.installed)
        assert report.snapshot is not None
        company = world.company
        installed = unconnected(tmp_path / "short", company.now)
        shortcut = Shortcut(installed, tmp_path / "short")
        shortcut.load(company)
        published = shortcut.publish()
        with (
            Engine.over(world.installed.store, report.snapshot) as read,
            Engine.over(installed.store, published) as direct,
        ):
            for entity in (known for known in ENTITIES.values() if known.name not in PUBLISHED):
                names = ", ".join(f'"{c.name}"' for c in entity.columns if c.name not in _OWN)
                rows = f"NOT deleted AND NOT ({_PROPOSED})" if entity.name == "links" else "NOT deleted"
                sql = f'SELECT {names} FROM "{entity.name}" WHERE {rows} ORDER BY system, key'
                assert direct.arrow(sql).equals(read.arrow(sql)), entity.name
