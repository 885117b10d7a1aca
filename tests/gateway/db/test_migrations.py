"""The migrations make the tables that the code declares, and going back leaves nothing behind."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from gateway.db.metadata import metadata
from gateway.db.migrate import alembic_config, upgrade
from gateway.db.session import Database


@pytest.mark.filterwarnings("ignore:Did not recognize type .xid8.")
def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert differences == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = sorted(inspect(database.engine).get_table_names())
    upgrade(database.engine)
    assert sorted(inspect(database.engine).get_table_names()) == before


def test_going_back_to_the_beginning_leaves_no_table(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(alembic_config(connection), "base")
        connection.commit()
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
