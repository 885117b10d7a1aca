"""Let the server end whoever holds an advisory lock, in this test's database alone: other tests share the server."""

from sqlalchemy import text

from gateway.db.session import Database

_HOLDERS = text(
    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objid = :number AND d.datname = current_database()"
)


def end_holders(database: Database, number: int) -> int:
    """End the sessions that hold the lock; returns how many there were."""
    with database.engine.connect() as connection:
        return len(connection.execute(_HOLDERS, {"number": number}).all())
