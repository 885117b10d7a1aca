"""A PostgreSQL advisory lock on a connection of its own: it goes when the process or the connection does."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gateway.db.session import Database


class Held:
    """A lock that was got. Whoever does something that only its holder may do asks first whether it still is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def still(self) -> bool:
        """Whether the connection, and with it the lock, is still there."""
        try:
            if not self._connection.invalidated:
                self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self._connection.invalidate()
        return not self._connection.invalidated


@contextmanager
def advisory_lock(database: Database, number: int) -> Iterator[Held | None]:
    """The lock, or None where somebody else has it. Nobody waits."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Never back into the pool: there it would keep the lock.
        connection.detach()
        got = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar_one()
        try:
            yield Held(connection) if got else None
        finally:
            if got:
                _let_go(connection, number)


def _let_go(connection: Connection, number: int) -> None:
    """At once: the server notices only a moment later that a connection was closed. A dead one holds nothing."""
    if connection.invalidated:
        return
    try:
        connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
    except DBAPIError:
        connection.invalidate()
