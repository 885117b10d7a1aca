"""The console over a database of its own, asked over a real socket."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.db.session import Database
from tests.gateway.console.console_world import World, browsing


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """An open console; Ann acts."""
    return World(database, tmp_path)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with browsing(world) as opened:
        yield opened


@pytest.fixture
def locked(database: Database, tmp_path: Path) -> World:
    """A console that asks for a key."""
    return World(database, tmp_path, access="key")
