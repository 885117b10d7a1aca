"""Sessions commit at the end of their block, and only PostgreSQL is an address."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from gateway.db.errors import AddressError
from gateway.db.session import Database, engine_for


def count(database: Database) -> int:
    with database.session() as session:
        return int(session.scalar(text("SELECT count(*) FROM kept")) or 0)


def test_a_block_commits_at_its_end_and_rolls_back_when_it_raises(database: Database) -> None:
    with database.session() as session:
        session.execute(text("CREATE TABLE kept (n int)"))
        session.execute(text("INSERT INTO kept VALUES (1)"))

    def interrupted() -> None:
        with database.session() as session:
            session.execute(text("INSERT INTO kept VALUES (2)"))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        interrupted()
    assert count(database) == 1


def test_instants_come_back_in_utc(database: Database) -> None:
    with database.session() as session:
        session.execute(text("SET timezone TO 'Asia/Tokyo'"))
    with database.session() as session:
        at = session.scalar(text("SELECT timestamptz '2026-12-01 14:30+00'"))
    assert at == datetime(2026, 12, 1, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses_of_postgresql(scheme: str) -> None:
    engine = engine_for(f"{scheme}://user@host/name")
    assert engine.url.drivername == "postgresql+psycopg"
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://host/x", "not an address", "postgresql+psycopg2://h/x"])
def test_other_addresses_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(AddressError, match="postgresql://user@host/name"):
        engine_for(url)
    with pytest.raises(AddressError) as refused:
        engine_for(url.replace("://", "://me:secret@"))
    assert "secret" not in str(refused.value)
