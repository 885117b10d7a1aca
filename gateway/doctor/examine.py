"""The whole examination: the installation's own state, then every source."""

from collections.abc import Iterator, Sequence

from deltalake.exceptions import DeltaError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from books.errors import BooksError
from gateway.db.errors import StateError
from gateway.demo.clock import AHEAD_VARIABLE, ahead
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.doctor.ledger import known
from gateway.doctor.live import SourceVisit
from gateway.installation import Installation


def examine(installed: Installation, names: Sequence[str] | None = None) -> Iterator[Finding]:
    """Findings as they are made. Writes nothing. Raises ConfigError for a source that is not there."""
    chosen = list(names or installed.config.sources)
    for name in chosen:
        installed.source(name)
    database = _database(installed)
    yield database
    yield _books(installed)
    yield from _clock()
    for name in chosen:
        yield from SourceVisit(installed, name).findings()
        if not database.advice:
            yield from known(installed, name)


def _database(installed: Installation) -> Finding:
    try:
        with installed.database.session() as session:
            session.execute(text("SELECT 1"))
    except (StateError, DBAPIError) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        advice = "Start PostgreSQL, or correct TIEOUT_DATABASE_URL. What the sync remembers was left out here."
        return fail("", "database", f"It does not answer: {said}", advice)
    return ok("", "database", "It answers, and its tables are up to date.")


def _clock() -> Iterator[Finding]:
    if shift := ahead():
        off = f"{shift.total_seconds():+,.0f} s"
        text = f"{AHEAD_VARIABLE} puts it {off} off this machine's: stale may pass for fresh."
        yield warn("", "clock", text, "Only the demo's company lives at another time: unset it everywhere else.")


def _books(installed: Installation) -> Finding:
    try:
        versions = installed.store.versions()
    except (BooksError, DeltaError, OSError) as error:
        return fail("", "books", f"They cannot be read: {error}", "Check `books` in tieout.yaml and its access rights.")
    return ok("", "books", f"{len(versions)} tables can be read." if versions else "Nothing was written yet.")
