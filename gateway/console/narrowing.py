"""A session that shows only some of the cases.

The search knows no standing, age, currency or business team. Rather than repeat its conditions, orders and totals,
the console lets it search within what these filters leave.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, and_, event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from gateway.exceptions.tables import Case


@contextmanager
def narrowed(session: Session, conditions: Sequence[ColumnElement[bool]]) -> Iterator[Session]:
    """Within the block, every SELECT of this session sees only the cases that fulfil all conditions."""
    if not conditions:
        yield session
        return
    only = with_loader_criteria(Case, and_(*conditions), include_aliases=True)

    def narrow(state: ORMExecuteState) -> None:
        if state.is_select:
            state.statement = state.statement.options(only)

    event.listen(session, "do_orm_execute", narrow)
    try:
        yield session
    finally:
        event.remove(session, "do_orm_execute", narrow)
