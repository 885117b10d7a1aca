"""Fixtures over the small company: its books are written once and copied for every test."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from books.store import Store
from checks.contract import Check
from gateway.api.v1 import create_api
from gateway.db.session import Database
from tests.gateway.prebill.prebill_world import BASE, WRONG_PRICE, Caller, World, served, write

Worlds = Callable[..., World]
Serve = Callable[..., Caller]


@pytest.fixture(scope="session")
def base_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    write(Store(str(folder)), BASE)
    return folder


@pytest.fixture
def unpublished(tmp_path: Path, base_books: Path, database: Database) -> Worlds:
    """Makes a world over the base books, with these checks and settings, before anything is published."""

    def make(*rules: Check, **said: Any) -> World:
        shutil.copytree(base_books, tmp_path / "books")
        return World(tmp_path, database, rules or (WRONG_PRICE,), **said)

    return make


@pytest.fixture
def worlds(unpublished: Worlds) -> Worlds:
    """The same with the base books published."""

    def make(*rules: Check, **said: Any) -> World:
        world = unpublished(*rules, **said)
        world.publish()
        return world

    return make


@pytest.fixture
def world(worlds: Worlds) -> World:
    return worlds()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a world on a socket, for a caller with these scopes, or all."""
    with ExitStack() as servers:

        def start(world: World, *scopes: str) -> Caller:
            return servers.enter_context(served(create_api(world.installed), world.key(*scopes)))

        yield start


@pytest.fixture
def caller(world: World, serve: Serve) -> Caller:
    """Somebody who may do everything, over a socket, in the world of the one check WRONG_PRICE."""
    return serve(world)
