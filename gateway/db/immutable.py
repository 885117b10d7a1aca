"""Tables that writers may only add to: the database itself refuses to change or delete their rows."""

from sqlalchemy import DDL, Table, event

FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The rows of %% are a record: they are added and never changed.', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""
TRIGGER = """
CREATE TRIGGER {table}_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def make_immutable(table: Table) -> None:
    """Have `create_all` add the trigger. A migration executes `statements` for the same."""
    for statement in (FUNCTION, TRIGGER.format(table=table.name)):
        event.listen(table, "after_create", DDL(statement))


def statements(table: str) -> tuple[str, str]:
    """The two statements as a migration executes them, without the escapes of DDL."""
    return FUNCTION.replace("%%", "%"), TRIGGER.format(table=table)
