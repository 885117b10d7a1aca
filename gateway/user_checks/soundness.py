"""What must hold of a check before it may be asked: a sound declaration, and rows of the right shape.

Shipped checks are held to this by their tests; an installation's own one has perhaps none, and must not be found out
by the gate in the middle of a run.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from string import Formatter

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from books.entities import ENTITIES
from books.reading import Books
from checks.contract import Check, Mode, MoneyKind, Need, Owner, Params, Pattern, Scope, Severity, Spans
from checks.rule import REQUIRED
from gateway.user_checks.mistake import Mistake
from gateway.user_checks.module import told

_WORDS: dict[str, type[StrEnum]] = {
    "pattern": Pattern,
    "severity": Severity,
    "mode": Mode,
    "scope": Scope,
    "kind": MoneyKind,
    "spans": Spans,
}
_TEXTS = ("system", "entity", "key", "account_key", "subject", "currency", "invoice_key", "line_key")
_PRIMARY = ("system", "entity", "key")
_CLOCK = (ops.TimestampNow, ops.DateNow, ops.RandomScalar, ops.RandomUUID)


def refuse_unsound(path: Path, check: Check, books: Books) -> None:
    """Raises Mistake, with all that is wrong about the declaration or about the rows."""
    _refuse(path, _undeclared(check))
    try:
        rows = check.find(books, Params({setting.name: setting.default for setting in check.settings}))
    except Mistake:
        raise
    except Exception as error:
        raise told(path, error) from error
    _refuse(path, _misread(check, rows))
    _refuse(path, _misshapen(check, rows))


def _refuse(path: Path, sentences: Iterator[str]) -> None:
    said = " ".join(sentences)
    if said:
        raise Mistake(path, None, said)


def _undeclared(check: Check) -> Iterator[str]:
    for name, known in _WORDS.items():
        if not isinstance(getattr(check, name), known):
            yield f"Its {name} is {getattr(check, name)!r}; it must be {known.__name__}.{', '.join(known.__members__)}."
    owners = check.owners
    if not (isinstance(owners, tuple) and len(owners) == 2 and all(isinstance(role, Owner) for role in owners)):
        roles = ", ".join(Owner.__members__)
        yield f"It must name two owners, first the business one, then the technical one, each of Owner.{roles}."
    unknown = sorted({need.entity for need in check.needs} - ENTITIES.keys())
    if unknown:
        yield f"It needs {', '.join(unknown)}, which the books do not have; they have {', '.join(ENTITIES)}."
    if not check.needs:
        yield "It declares no needs, so nobody could tell when what it reads is stale."
    absent = check.absent_from
    if absent is not None and not any(_same(absent, need) for need in check.needs):
        yield f"It claims that something is absent from {absent.entity}, and does not need it."


def _same(one: Need, other: Need) -> bool:
    return (one.entity, one.role) == (other.entity, other.role)


def _misread(check: Check, rows: ir.Table) -> Iterator[str]:
    read = {table.name for table in rows.op().find(ops.UnboundTable)} & ENTITIES.keys()
    undeclared = sorted(read - {need.entity for need in check.needs})
    if undeclared:
        yield f"It reads {', '.join(undeclared)} and does not declare so. Add a Need for each."
    if rows.op().find(_CLOCK):
        yield "It looks at the clock, or at chance. Read the moment from books.request: `now` and `today`."


def _misshapen(check: Check, rows: ir.Table) -> Iterator[str]:
    schema = rows.schema()
    lost = [name for name in _PRIMARY if name not in schema]
    if lost:
        yield f"Its rows name no primary record: they lack {', '.join(lost)}."
        return
    terms = check.arithmetic.names()
    missing = [name for name in (*REQUIRED, *sorted(terms)) if name not in schema]
    if missing:
        yield f"Its rows lack the columns {', '.join(missing)}."
    for name, type_ in schema.items():
        right = _right_type(name, type_, name in terms)
        if right:
            yield f"The column {name} is {type_}; it must be {right}."
    yield from _unsaid(check, frozenset(schema) | {"expected", "actual", "amount"})


def _right_type(name: str, type_: dt.DataType, is_term: bool) -> str | None:
    """What the type of a column must be, where it is another."""
    if is_term and not (type_.is_decimal() or type_.is_integer()):
        return "a whole number or a decimal, for money is never a float: cast it, and multiply instead of dividing"
    if name in _TEXTS and not (type_.is_string() or type_.is_null()):
        return "text"
    if name in ("period_start", "period_end") and not (type_.is_date() or type_.is_null()):
        return "a date"
    if name in ("fails_from", "known_at") and not (type_.is_timestamp() and type_.timezone is not None):
        return "an instant with a time zone"
    if name == "evidence" and not (type_.is_array() and type_.value_type.is_string()):
        return "an array of texts, `system/entity/key`"
    return None


def _unsaid(check: Check, known: frozenset[str]) -> Iterator[str]:
    """What the message names and nobody can fill in."""
    try:
        fields = [(name, form, turn) for _, name, form, turn in Formatter().parse(check.message) if name is not None]
    except ValueError as error:
        yield f"Its message cannot be read: {error}."
        return
    for name, form, turn in fields:
        if name not in known:
            yield f"Its message names {{{name}}}, which is no column of its rows."
        elif form or turn:
            yield f"Its message must say {{{name}}} and no more inside the braces; numbers are made readable anyway."
