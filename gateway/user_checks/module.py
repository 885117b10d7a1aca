"""A check written in Python: the module form of a shipped one, read from a file."""

import re
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from hashlib import md5
from pathlib import Path
from types import ModuleType

import ibis.expr.types as ir

from checks.contract import Check
from gateway.user_checks.mistake import Mistake


def from_module(path: Path) -> Check:
    """What the module calls CHECK. Raises Mistake for a module that does not run, or holds none."""
    check = getattr(_run(path), "CHECK", None)
    if not isinstance(check, Check):
        raise Mistake(path, None, "It declares no check. Write CHECK = Check(...), as docs/new-check.md shows.")
    return check


def _run(path: Path) -> ModuleType:
    module = ModuleType(f"tieout_user_check_{md5(str(path).encode(), usedforsecurity=False).hexdigest()}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where the digest of a check finds its code
    try:
        exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
    except SyntaxError as error:
        raise Mistake(path, error.lineno, f"This is not Python: {error.msg}.") from error
    except Exception as error:
        raise told(path, error) from error
    return module


def told(path: Path, error: Exception) -> Mistake:
    """What a module's code raised, with the last line of the file that was being run."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return Mistake(path, frames[-1].lineno if frames else None, _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, AttributeError) and error.name and isinstance(error.obj, ir.Table):
        return no_column(error.name, error.obj.columns)
    lacking = re.fullmatch(r"Check\.__init__\(\) missing .*?: (.*)", str(error))
    if lacking:
        return f"The check lacks {lacking[1]}."
    text = str(error) or type(error).__name__
    return f"{text} ({type(error).__name__})." if not text.endswith(".") else text


def no_column(name: str, known: Sequence[str]) -> str:
    """The sentence about a column that a table does not have."""
    near = get_close_matches(name, known, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(known)}."
    return f"There is no column {name}. {hint}"
