"""The migrations make the tables that the code declares, and going back leaves nothing behind."""

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from connectors.contract import Position
from gateway.db.metadata import metadata
from gateway.db.migrate import alembic_config, upgrade
from gateway.db.session import Database
from gateway.sync.ledger import Ledger

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BEFORE = """
    INSERT INTO sync_objects
        (system, object, mapping_hash, stamp, record_id, token, watermark, deletions_from, polled_at)
    SELECT 'crm', 'Account', 'm1', at, '001', 't', at, at, at FROM (SELECT timestamptz '2026-11-20 09:30Z' AS at) now;
    INSERT INTO snapshots (id, published_at, versions, readings, mappings)
    SELECT 'snap_1', watermark, '{"accounts": 3}', jsonb_build_array(jsonb_build_object(
        'system', system, 'entity', 'accounts', 'watermark', '2026-11-20T09:30:00+00:00', 'failure', NULL)), '{}'
    FROM sync_objects
"""


@pytest.mark.filterwarnings("ignore:Did not recognize type .xid8.")
def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert differences == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = sorted(inspect(database.engine).get_table_names())
    upgrade(database.engine)
    assert sorted(inspect(database.engine).get_table_names()) == before


def test_what_the_version_before_kept_is_still_known(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(alembic_config(connection), "2026_11_21_initial")
        connection.exec_driver_sql(BEFORE)
        connection.commit()
    upgrade(database.engine)
    ledger = Ledger(database, dict, dict)
    assert ledger.begin("crm", "Account", "m1", AT, AT).position == Position(AT, "001", "t")
    snapshot = ledger.latest()
    assert snapshot is not None
    assert (snapshot.versions, snapshot.readings["crm", "accounts"].watermark) == ({"accounts": 3}, AT)


def test_going_back_to_the_beginning_leaves_no_table(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(alembic_config(connection), "base")
        connection.commit()
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
