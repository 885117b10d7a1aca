"""Tables that writers may only add to: the database itself refuses to change or delete their rows."""

from typing import Any

from sqlalchemy import Connection, Table, event, text

_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The rows of % are a record: they are added and never changed.', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""
_TRIGGER = """
CREATE TRIGGER {table}_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def immutable_sql(table: str) -> tuple[str, str]:
    """The statements, for a migration to execute after it has created the table."""
    return _FUNCTION, _TRIGGER.format(table=table)


def make_immutable(table: Table) -> None:
    """Have `create_all` execute them too."""

    def protect(created: Table, connection: Connection, **_: Any) -> None:
        for statement in immutable_sql(created.name):
            connection.execute(text(statement))

    event.listen(table, "after_create", protect)
