"""The header of a statement: what a check declares, in the comment with which the file begins.

/*
The broken state, in a sentence.

Why it matters: …   Usual cause: …   How to fix: …   What it is not: …   (a paragraph each)

---
pattern: master_data
…
*/
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from books.entities import ENTITIES
from books.reading import ROLES
from checks.contract import Mode, MoneyKind, Owner, Pattern, Scope, Severity, Spans
from gateway import yaml_file
from gateway.config import Part, ToleranceSetting
from gateway.user_checks.mistake import Mistake

_COMMENT = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)
_RULE = re.compile(r"^---[ \t]*$", re.MULTILINE)


class Sums(Part):
    """The formulas of a finding's amounts, over columns of the statement."""

    expected: str
    actual: str = "0"
    amount: str = "expected - actual"


class Tunable(Part):
    """A default that somebody may dispute; the statement says `:name`."""

    default: int | Decimal | str
    reason: str = Field(min_length=1)


class Header(Part):
    """The words of a header. They mean what `checks.contract.Check` says of them; `record` is the primary entity.

    What the statement needs is read from it. `may_be_empty` and `optional` say more about some of that, as
    `role.entity`, and so does `absent_from`.
    """

    pattern: Pattern
    severity: Severity
    owners: tuple[Owner, Owner]
    mode: Mode
    scope: Scope
    kind: MoneyKind
    record: str
    arithmetic: Sums
    message: str
    version: int = 1
    negative_kind: MoneyKind | None = None
    spans: Spans = Spans.EVERYTHING
    tolerance: ToleranceSetting | None = None
    settings: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Tunable] = Field(default_factory=dict)
    may_be_empty: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    absent_from: str | None = None
    lag_minutes: Annotated[int, Field(ge=0)] = 0
    may_block: bool = False

    @field_validator("record")
    @classmethod
    def _is_an_entity(cls, name: str) -> str:
        if name not in ENTITIES:
            raise ValueError(f"the books have no {name}; they have {', '.join(ENTITIES)}")
        return name

    @field_validator("may_be_empty", "optional", "absent_from")
    @classmethod
    def _are_tables(cls, said: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        for name in (said,) if isinstance(said, str) else said or ():
            role, _, entity = name.partition(".")
            if role not in ROLES or entity not in ENTITIES:
                raise ValueError(f"{name!r} is no table; write role.entity, such as billing.invoices")
        return said


@dataclass(frozen=True)
class Parts:
    """A file taken apart. `statement` keeps the file's line numbers: blank lines stand for the header."""

    doc: str
    header: Header
    statement: str


def taken_apart(path: Path, text: str) -> Parts:
    """Raises Mistake for a file without header, or one that lacks a word or has one too many."""
    comment = _COMMENT.match(text)
    doc, *said = _RULE.split(comment[1], maxsplit=1) if comment else [""]
    if comment is None or not said:
        raise Mistake(
            path,
            1,
            "It has no header. Begin the file with a comment /* … */ that says what is broken and why it matters, "
            "then ---, then the declaration, as docs/new-check.md shows.",
        )
    lines_before = text[: comment.start(1) + len(comment[1]) - len(said[0])].count("\n")
    header = _header(path, said[0], lines_before)
    blank = re.sub(r"[^\n]", " ", text[: comment.end()])
    return Parts(doc.strip(), header, blank + text[comment.end() :])


def _header(path: Path, said: str, lines_before: int) -> Header:
    try:
        words = yaml_file.parse(said)
    except yaml.MarkedYAMLError as error:
        line = lines_before + error.problem_mark.line + 1 if error.problem_mark else None
        raise Mistake(path, line, f"The header is not YAML: {error.problem}.") from error
    if not isinstance(words, dict):
        raise Mistake(path, lines_before + 1, "The header must hold words with values, such as `severity: S3`.")
    try:
        return Header.model_validate(words)
    except ValidationError as error:
        lines = said.splitlines()
        first = error.errors()[0]["loc"][0]
        at = next((n for n, line in enumerate(lines) if line.startswith(f"{first}:")), 0)
        raise Mistake(path, lines_before + at + 1, " ".join(map(_sentence, error.errors()))) from error


def _sentence(said: ErrorDetails) -> str:
    place = ".".join(str(step) for step in said["loc"])
    if said["loc"][0] == "owners":
        return (
            f"owners: name two roles, first the business one, such as [billing_ops, it]; roles are {', '.join(Owner)}."
        )
    if said["type"] == "missing":
        return f"The header lacks {place}."
    if said["type"] == "extra_forbidden":
        return f"The header knows no word {place}; it knows {', '.join(Header.model_fields)}."
    return f"{place}: {said['msg'].removeprefix('Value error, ')}."
