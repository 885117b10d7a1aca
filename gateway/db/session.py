"""One engine, and sessions that commit where they were opened and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

from gateway.db.errors import AddressError

_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")


def engine_for(url: str) -> Engine:
    """An engine on psycopg 3, its sessions in UTC. AddressError where the address is no PostgreSQL database."""
    return create_engine(
        _address(url),
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "tieout"},
    )


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        # The text may hold a password: it is not repeated.
        raise AddressError("TIEOUT_DATABASE_URL is not an address; write postgresql://user@host/name.") from None
    if address.drivername not in _SCHEMES:
        raise AddressError(
            f"TIEOUT_DATABASE_URL names {address.drivername}; the operational state lives in PostgreSQL only. "
            "Write postgresql://user@host/name."
        )
    return address.set(drivername="postgresql+psycopg")


class Database:
    """The operational state. Whoever opens a session owns its transaction; nothing below it commits."""

    def __init__(self, url: str) -> None:
        self.engine = engine_for(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Commits at the end of the block, rolls back when the block raises."""
        with self._sessions() as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
