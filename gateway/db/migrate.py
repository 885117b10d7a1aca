"""Bring a database to the newest schema. Two processes that start together do it one after the other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

import migrations

# Any number that nothing else in Tieout locks.
MIGRATION_LOCK = 4_701_001


def upgrade(engine: Engine) -> None:
    """Run every migration that is missing."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        try:
            command.upgrade(alembic_config(connection), "head")
            connection.commit()
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()


def alembic_config(connection: object) -> Config:
    """Alembic's configuration without a file: the scripts lie in the package `migrations`."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("file_template", "v%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config
