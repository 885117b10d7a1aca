"""One check as it is in force: its settings applied, and its SQL, which is made when it is first asked for.

Making the SQL of a check takes a fifth of a second, so it is made once per process for all rulesets over the same
books and settings, a command that asks no check makes none, and a shelf may keep it between processes.
"""

import gc
import hashlib
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Protocol

import ibis
import ibis.expr.types as ir

import books
import checks
from books.dialects import DUCKDB
from books.reading import Books
from checks.contract import Check, Params
from checks.errors import DeclarationError
from checks.relation import Workings, compiled

Find = Callable[[Books, Params], ir.Table]

REQUIRED = (
    "system",
    "entity",
    "key",
    "account_key",
    "subject",
    "period_start",
    "period_end",
    "currency",
    "invoice_key",
    "line_key",
    "fails_from",
    "known_at",
    "evidence",
)
_RULES_KEPT = 1024  # compiled checks of one process: a dozen installations with the whole catalogue
_BOOKS_KEPT = 32
_making = threading.RLock()


@dataclass(frozen=True)
class Compiled:
    """A check's SQL; `relations` are the shared ones that it reads, each after those that it is made from.

    `reads` are the tables of the books that all of it is made from, with `request` and `sources`. `momentary` are the
    relations that depend on the request.
    """

    sql: str
    relations: Mapping[str, str]
    reads: frozenset[str]
    columns: frozenset[str]
    momentary: frozenset[str]


class Shelf(Protocol):
    """Keeps what was compiled. A key is `code/rest`, and stands for all that a shipped check's SQL is made from."""

    def __hash__(self) -> int: ...

    def find(self, key: str) -> Compiled | None:
        """None where nothing, or nothing sound, is kept."""

    def keep(self, key: str, made: Compiled) -> None:
        """Never raises: where nothing can be kept, it is made again."""


@dataclass(frozen=True)
class Rule:
    """A check with its settings in force, over the books of one installation."""

    check: Check
    params: Params
    books: Books
    shelf: Shelf | None = None

    @property
    def compiled(self) -> Compiled:
        """For the embedded engine."""
        return self.compiled_for(DUCKDB)

    def compiled_for(self, dialect: str) -> Compiled:
        """Raises DeclarationError where the check's rows lack a column."""
        made = self.compiled_beside(self.check.id, self.check.find, dialect)
        terms = sorted(self.check.arithmetic.names() - set(self.check.worked))
        missing = [name for name in (*REQUIRED, *terms) if name not in made.columns]
        if missing:
            raise DeclarationError(f"The rows of {self.check.id} lack the columns {', '.join(missing)}.")
        return made

    def compiled_beside(self, name: str, find: Find, dialect: str = DUCKDB) -> Compiled:
        """Other rows than the check's own, from the same books and settings; `name` is theirs alone."""
        with _making, _without_collecting():
            return _made(name, find, self.params, self.books, dialect, self.shelf)

    def rows(self) -> ir.Table:
        """The check's candidate rows as an expression."""
        return self.check.find(self.books, self.params)

    @property
    def digest(self) -> str:
        """Changes with whatever the SQL and the judgement are made from: declaration, settings, books, code."""
        check = self.check
        parts = (
            *(check.id, check.version, check.severity, check.mode, check.mode_is_set, check.scope, check.kind),
            *(check.negative_kind, check.may_block, check.lag_minutes, check.tolerance, check.arithmetic),
            *sorted(check.worked),
            *(str(self.params), str(self.books), _code_of(check.find)),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Ibis makes many small objects that all live on: looking for garbage among them takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@lru_cache(_RULES_KEPT)
def _made(name: str, find: Find, params: Params, of: Books, dialect: str, shelf: Shelf | None) -> Compiled:
    module = inspect.getmodule(find)
    if shelf is None or module is None or not _is_ours(module):
        return _make(find, params, of, dialect)
    key = _key(name, module.__name__, params, of, dialect)
    kept = shelf.find(key)
    if kept is None:
        kept = _make(find, params, of, dialect)
        # Where the files have changed since they were imported, nobody can tell what this was made from.
        if _code_on_disk() == _CODE:
            shelf.keep(key, kept)
    return kept


def _key(*made_from: object) -> str:
    return f"{_CODE[:16]}/{hashlib.sha256(repr([str(part) for part in made_from]).encode()).hexdigest()}"


def _make(find: Find, params: Params, of: Books, dialect: str) -> Compiled:
    rows, workings = find(of, params), _workings(of, dialect)
    relations = workings.behind(rows)
    momentary = frozenset(name for name in relations if workings.is_momentary(name))
    return Compiled(compiled(rows, dialect), relations, workings.reads(rows), frozenset(rows.columns), momentary)


@lru_cache(_BOOKS_KEPT)
def _workings(of: Books, dialect: str) -> Workings:
    return Workings(of, dialect)


@cache
def _code_of(find: Find) -> str:
    """A hash of the code that makes a check's SQL: the shared one, and the check's module where it is not ours.

    A `find` that is no function says in `source` what else it is made from: the statement of a check in SQL.
    """
    module = inspect.getmodule(find)
    own = "" if module is None or _is_ours(module) else inspect.getsource(module)
    own += getattr(find, "source", "")
    return hashlib.sha256((_CODE + own).encode()).hexdigest()


def _is_ours(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] in (books.__name__, checks.__name__)


def _code_on_disk() -> str:
    hashed = hashlib.sha256(f"{ibis.__version__} {version('sqlglot')}".encode())
    for package in (books, checks):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            hashed.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()


# That of this process: its modules are imported once.
_CODE = _code_on_disk()
