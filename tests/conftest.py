"""One real PostgreSQL server for the whole run, however many workers it has, and a fresh database per test."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine

from gateway.db.embedded import EmbeddedServer
from gateway.db.migrate import upgrade
from gateway.db.session import Database
from tests.gateway.sync.commands import CommandServer

# What their assertions compare is shown, as in a test.
pytest.register_assert_rewrite("tests.connectors.contract")

# What the checks are compiled to is kept from run to run, and is the same for all workers; never in a person's caches.
CACHES = Path(__file__).parent.parent / ".pytest_cache" / "home"
os.environ["XDG_CACHE_HOME"] = str(CACHES)

TEMPLATE = "tieout_template"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60"}


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run see, and no other run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The server of this run. The last worker out stops it and deletes its data."""
    state = _shared(tmp_path_factory) / "postgres-state"
    # Below the system's folder for temporary files, because the server's user cannot enter pytest's.
    home = Path(tempfile.gettempdir()) / "tieout-tests"
    server = EmbeddedServer(state, home=home, settings=FAST, keep=False)
    server.start()
    with (state / "template.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _ensure_template(server)
    yield server
    server.stop()
    with suppress(OSError):
        home.rmdir()  # where no other run uses it


def _ensure_template(server: EmbeddedServer) -> None:
    with _administration(server) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    engine = create_engine(server.url_of(TEMPLATE))
    upgrade(engine)
    engine.dispose()


def _administration(server: EmbeddedServer) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(f"host={server.socket} port=5432 user=tieout dbname=postgres", autocommit=True)


@pytest.fixture
def database_url(postgres: EmbeddedServer) -> Iterator[str]:
    """The address of a database with all tables and no rows, for this test alone."""
    name = f"test_{secrets.token_hex(6)}"
    with _administration(postgres) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    yield postgres.url_of(name)
    with _administration(postgres) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """The command line, ready to run."""
    with CommandServer(tmp_path_factory.mktemp("commands")) as server:
        yield server
