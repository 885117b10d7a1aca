"""The folder of own checks: one file per check, named after its id."""

from collections.abc import Collection, Iterator
from pathlib import Path

from books.reading import Books
from checks.contract import Check
from gateway.errors import ConfigError
from gateway.user_checks.mistake import Mistake
from gateway.user_checks.module import from_module
from gateway.user_checks.soundness import refuse_unsound
from gateway.user_checks.statement import from_statement

READERS = {".py": from_module, ".sql": from_statement}


def read(folder: Path, books: Books, taken: Collection[str]) -> dict[str, Check]:
    """The checks of a folder by id; files that begin with `_` or `.` are none, nor are those of another kind.

    `taken` are the ids of shipped checks. Raises ConfigError that names every file with a mistake.
    """
    found: dict[str, Check] = {}
    mistakes = []
    for path in _files(folder):
        try:
            found[path.stem] = _check(path, books, {*taken, *found})
        except Mistake as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return found


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise ConfigError(f"user_checks: {folder} is not a folder. Make it, or take the setting out of tieout.yaml.")
    for path in sorted(folder.iterdir()):
        if path.suffix in READERS and not path.name.startswith(("_", ".")):
            yield path


def _check(path: Path, books: Books, taken: Collection[str]) -> Check:
    check = READERS[path.suffix](path)
    if check.id != path.stem:
        raise Mistake(path, None, f"Its id is {check.id}. Name the file {check.id}{path.suffix}, or change the id.")
    if check.id in taken:
        raise Mistake(path, None, f"There is a check {check.id} already. Give this one another id and file name.")
    refuse_unsound(path, check, books)
    return check
