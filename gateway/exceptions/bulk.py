"""Many rows at once, by COPY."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY the rows into the table, inside the session's transaction. JSON goes as text.

    PostgreSQL's text has no NUL, and a source's text may have one: it is left out.
    """
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection), "the state lives in PostgreSQL, through psycopg"
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([value.replace("\0", "") if type(value) is str else value for value in row])
