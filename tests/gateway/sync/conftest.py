"""Systems that are up, and readers over them."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from gateway.db.session import Database
from tests.gateway.sync.systems import MAPPINGS, Reader, Systems

MakeReader = Callable[..., Reader]


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """All four, empty."""
    with Systems(tmp_path) as up:
        for name, value in up.environment().items():
            monkeypatch.setenv(name, value)
        yield up


@pytest.fixture
def live_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """All four, in the machine's time, for commands that run in processes of their own."""
    with Systems(tmp_path, page_size=10, live=True) as up:
        for name, value in up.environment().items():
            monkeypatch.setenv(name, value)
        yield up


@pytest.fixture
def reading(systems: Systems, database: Database) -> MakeReader:
    """Makes a reader of the named sources, or of all."""

    def make(*names: str, **more: object) -> Reader:
        chosen: Iterable[str] = names or MAPPINGS
        return Reader(systems, database, systems.settings(chosen, **more))

    return make
