"""What a check declares. A check is one module in this package, named after the broken state that it finds."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any

import ibis.expr.types as ir

from books.entities import ENTITIES
from books.reading import ROLES, Books
from checks.errors import DeclarationError
from checks.formula import Formula, Worked


class Severity(StrEnum):
    """How much it matters; S1 matters most."""

    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    S4 = "S4"


class Mode(StrEnum):
    """What comes of a finding."""

    BLOCK = "block"  # the gate holds back what the scope says
    WARN = "warn"  # the gate says so
    MONITOR = "monitor"  # a case for its owners; the gate does not ask
    SHADOW = "shadow"  # evaluated and recorded, and nobody acts: how a check that was added begins

    @property
    def acts_at_gate(self) -> bool:
        return self in (Mode.BLOCK, Mode.WARN)


class Scope(StrEnum):
    """What a finding holds back: one line, its invoice, the credit memo, the account's invoices, the run."""

    LINE = "line"
    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    ACCOUNT = "account"
    RUN = "run"


class MoneyKind(StrEnum):
    """What the amount of a finding is. Kinds are never netted and never added together."""

    LEAK = "leak"  # never billed
    OVERBILL = "overbill"
    TIMING = "timing"  # heals itself
    EXPOSURE = "exposure"  # a control gap, no loss yet


class Spans(StrEnum):
    """How far a change reaches: re-evaluating the changed unit is enough."""

    ACCOUNT = "account"
    SYSTEM = "system"
    EVERYTHING = "everything"


class Owner(StrEnum):
    """The roles that owners.yaml turns into named people."""

    BILLING_OPS = "billing_ops"
    REVOPS = "revops"
    FINANCE_OPS = "finance_ops"
    REVENUE_ACCOUNTING = "revenue_accounting"
    IT = "it"


class Pattern(StrEnum):
    """The family of a broken state, by how it comes about. A check lies in the folder of the same name."""

    INCOMPLETE_WRITES = "incomplete_writes"  # a hand-over that stopped half-way
    BROKEN_LINKS = "broken_links"  # a record points at none, or at the wrong one
    MAPPING_DRIFT = "mapping_drift"  # a field has come to mean something else
    SEQUENCING = "sequencing"  # right steps in the wrong order
    DUPLICATES = "duplicates"  # once too often, or replayed
    SILENT_FAILURES = "silent_failures"  # nothing arrived, and nobody said so
    TIME_BOUNDARIES = "time_boundaries"  # the right thing on the wrong day
    MIGRATION = "migration"  # carried over from an old system, wrongly
    MASTER_DATA = "master_data"  # customers, entities, hierarchies
    CREDITS = "credits"
    REVENUE = "revenue"  # the hand-over to revenue recognition
    DELIVERED_NOT_BILLED = "delivered_not_billed"
    AGREED_TERMS = "agreed_terms"  # contract, price, discount
    DRAFT_INTEGRITY = "draft_integrity"  # the invoice in itself
    CASH = "cash"
    TIE_OUTS = "tie_outs"  # two sums that must agree
    CONTROL_HEALTH = "control_health"  # our own controls

    @property
    def words(self) -> str:
        """For people: `Incomplete writes`."""
        return "Tie-outs" if self is Pattern.TIE_OUTS else self.value.replace("_", " ").capitalize()


class Outcome(StrEnum):
    """What came of asking. No data is not a pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not_evaluated"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Need:
    """An entity that a check reads, of the systems in a role.

    `may_be_empty`: an empty table is an answer (nobody was cancelled); otherwise it is a failed read.
    `optional`: where no source fills the entity, the check does without; where one does, it must be fresh.
    """

    entity: str
    role: str
    may_be_empty: bool = False
    optional: bool = False

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise DeclarationError(
                f"A need on {self.entity} names the role {self.role!r}; roles are {', '.join(ROLES)}."
            )

    def where_filled(self) -> "Need":
        """The same need for a check that can do without."""
        return replace(self, optional=True, may_be_empty=True)


@dataclass(frozen=True)
class Setting:
    """A default that a finance person might dispute, with its reason. tieout.yaml may say otherwise."""

    name: str
    default: "int | Decimal | str | tuple[str, ...]"
    reason: str


@dataclass(frozen=True)
class Tolerance:
    """max(absolute, relative × base), in the finding's currency; exactly at the tolerance is not a finding."""

    absolute: Decimal = Decimal("0")
    relative: Decimal = Decimal("0")

    def allows(self, amount: Decimal, base: Decimal) -> bool:
        return abs(amount) <= max(self.absolute, self.relative * abs(base))


@dataclass(frozen=True)
class Arithmetic:
    """How a finding's three amounts follow from its terms. `amount` is what the finding is about.

    The formula of the amount may also name `expected` and `actual`, as they are before rounding.
    """

    expected: Formula
    actual: Formula
    amount: Formula

    @classmethod
    def of(cls, expected: str, actual: str, amount: str = "expected - actual") -> "Arithmetic":
        """From three texts; the amount is expected − actual unless it is given."""
        return cls(Formula(expected), Formula(actual), Formula(amount))

    def names(self) -> frozenset[str]:
        """The terms that a row must bring."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        of_amount = self.amount.names() - {"expected", "actual"}
        return self.expected.names() | self.actual.names() | of_amount


class Basis(StrEnum):
    """What an amount of a contract covers."""

    TCV = "tcv"  # the whole term
    ACV = "acv"  # a year
    MRR = "mrr"  # a month
    INVOICED = "invoiced"  # the period of one invoice line


class Compared(StrEnum):
    """When two copies of an attribute are the same."""

    EXACT = "exact"
    FOLDED = "folded"  # capitals, blanks and punctuation do not count


@dataclass(frozen=True)
class Copy:
    """Where the systems of one role hold an attribute, and what they mean by it."""

    role: str
    entity: str
    column: str
    means: str = ""
    basis: Basis | None = None

    @classmethod
    def at(cls, role: str, place: str, means: str = "", basis: Basis | None = None) -> "Copy":
        """From `entity.column`. Raises DeclarationError for a role, entity or column that the books do not know."""
        name, _, column = place.partition(".")
        known = {one.name for one in ENTITIES[name].columns} if name in ENTITIES else set()
        if role not in ROLES or column not in known:
            raise DeclarationError(f"The books hold no {place} in the role {role}: no such role, entity or column.")
        return cls(role, name, column, means, basis)


@dataclass(frozen=True)
class Attribute:
    """Something that several systems hold a copy of (checks/system_of_record.py).

    `copies` begin with the one that is right; the others follow in the order in which they would be, where it is not
    connected. `owner` answers for the attribute. `severity` and `mode` are those of a copy that differs.
    """

    name: str
    about: str
    copies: tuple[Copy, ...]
    owner: Owner
    severity: Severity = Severity.S3
    mode: Mode = Mode.WARN
    compared: Compared = Compared.EXACT

    @classmethod
    def of(
        cls,
        name: str,
        about: str,
        owner: Owner,
        *copies: Copy,
        severity: Severity = Severity.S3,
        mode: Mode = Mode.WARN,
        compared: Compared = Compared.EXACT,
    ) -> "Attribute":
        """With the copies in their order."""
        return cls(name, about, copies, owner, severity, mode, compared)

    @property
    def right(self) -> Copy:
        return self.copies[0]

    @property
    def others(self) -> tuple[Copy, ...]:
        return self.copies[1:]

    def held(self, books: Books) -> tuple[Copy, ...]:
        """The copies that a source of this installation fills, the one that is right there first."""
        return tuple(copy for copy in self.copies if books.systems(copy.entity, copy.role))


@dataclass(frozen=True)
class Attributes:
    """All attributes by name: which system is right about what, in one installation."""

    by_name: Mapping[str, Attribute] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Attribute:
        """Raises DeclarationError for one that is not declared."""
        if name not in self.by_name:
            known = ", ".join(self.by_name) or "none"
            raise DeclarationError(f"There is no attribute {name!r} that several systems hold; known: {known}.")
        return self.by_name[name]

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(repr(sorted(self.by_name.items())).encode()).hexdigest()


class Params:
    """What is in force for one check: its settings, and which system is right about what."""

    def __init__(
        self,
        values: Mapping[str, "int | Decimal | str | tuple[str, ...]"],
        attributes: Attributes | None = None,
    ) -> None:
        self._values = dict(values)
        self._attributes = attributes or Attributes()

    def attribute(self, name: str) -> Attribute:
        """An attribute as the registry has it. Raises DeclarationError for one that is not declared."""
        return self._attributes[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Params) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        shown = {name: list(value) if isinstance(value, tuple) else str(value) for name, value in self._values.items()}
        return f"{sorted(shown.items())} {self._attributes.digest}"

    def whole(self, name: str) -> int:
        """Raises DeclarationError for anything but a whole number."""
        try:
            return int(str(self._values[name]))
        except ValueError:
            raise DeclarationError(f"{name} is set to {self._values[name]!r}; it is a whole number.") from None

    def decimal(self, name: str) -> Decimal:
        """Raises DeclarationError for anything but a number."""
        try:
            return Decimal(str(self._values[name]))
        except InvalidOperation:
            raise DeclarationError(f"{name} is set to {self._values[name]!r}; it is a number.") from None

    def text(self, name: str) -> str:
        return str(self._values[name])

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values[name]
        return value if isinstance(value, tuple) else (str(value),)


@dataclass(frozen=True)
class Check:
    """One check.

    `doc` is the module's docstring: first, in a paragraph of its own, the broken state in words; then a paragraph for
    each heading of `Advice`. Owners read them, and docs/checks/ is made from them.

    `find` builds an Ibis table of candidate rows from the books; it never executes anything. Its columns:

    - `system`, `entity`, `key`: the one primary record; `account_key`: the customer, null where nobody owns it
    - `subject`: the keys that make the fingerprint, joined by `/`; never a draft's id, an amount or a stamp
    - `period_start`, `period_end`: dates, half-open; null where the state has no period
    - `currency`; and one column per term of the arithmetic, a number. Null leaves the row unjudged, with a
      sentence that says so: never a finding, never a pass
    - `invoice_key`, `line_key`: the invoice and line concerned; null where there is none
    - `fails_from`: the instant from which the row is a finding; a later one makes it a wake-up
    - `known_at`: when absence is claimed, the source's stamp of what should have a counterpart; else null
    - `evidence`: array of `system/entity/key`, the rows a person should see
    - optionally `confidence` (0 to 1) and `confidence_reason`, where the row rests on less than declared keys
      (checks/confidence.py makes them); null is certain
    - optionally `mode`, `kind` and `severity`, which override the check's for this row where they are not null;
      and any column that the message names

    `worked`: terms of the arithmetic that are sums of their own, with as many parts as a price has tiers: each is made
    from a row, with Decimal, and brings its formula and numbers. It may raise ArithmeticFault, which leaves the row
    unjudged. All other terms are columns.
    `needs`: each entity and role once, the strictest of those that are given.
    `one_of`: entities among the needs of which at least one must be filled by a source.
    `absent_from`: whose watermark must be past `known_at` plus `lag_minutes` before absence may be claimed.
    `negative_kind`: the kind of a finding whose amount comes out negative; its size is then reported.
    `may_block`: rows may block although the check's own mode does not. `mode_is_set`: tieout.yaml says the mode, and
    no row overrides it.
    """

    id: str
    doc: str
    pattern: Pattern
    severity: Severity
    owners: tuple[Owner, Owner]
    mode: Mode
    scope: Scope
    kind: MoneyKind
    spans: Spans
    needs: tuple[Need, ...]
    arithmetic: Arithmetic
    message: str
    find: Callable[[Books, Params], ir.Table]
    version: int = 1
    settings: tuple[Setting, ...] = ()
    tolerance: Tolerance | None = None
    worked: Mapping[str, Callable[[Mapping[str, Any]], Worked]] = field(default_factory=dict)
    negative_kind: MoneyKind | None = None
    one_of: tuple[str, ...] = ()
    absent_from: Need | None = None
    lag_minutes: int = 0
    may_block: bool = False
    mode_is_set: bool = False
    condition: str = field(init=False)
    advice: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", _each_once(self.needs))
        paragraphs = [" ".join(part.split()) for part in (self.doc or "").split("\n\n")]
        object.__setattr__(self, "condition", _condition(self.id, paragraphs))
        object.__setattr__(self, "advice", _advice(self.id, paragraphs))

    @property
    def gravest_mode(self) -> Mode:
        """The mode of what could not be judged: as grave as a row could have been."""
        return Mode.BLOCK if self.may_block and not self.mode_is_set else self.mode


class Advice(Enum):
    """The paragraphs of a check's docstring, after the first one, which is the broken state in words."""

    WHY = "Why it matters"
    CAUSE = "Usual cause"
    FIX = "How to fix"
    NOT_A_CASE = "What it is not"  # what looks like a case and must not be reported


def _each_once(needs: Sequence[Need]) -> tuple[Need, ...]:
    """One need per entity and role: what two facts read must be there where one of them cannot do without."""
    strictest: dict[tuple[str, str], Need] = {}
    for need in needs:
        known = strictest.setdefault((need.entity, need.role), need)
        strictest[need.entity, need.role] = replace(
            need, may_be_empty=known.may_be_empty and need.may_be_empty, optional=known.optional and need.optional
        )
    return tuple(strictest.values())


def _condition(check: str, paragraphs: Sequence[str]) -> str:
    first = paragraphs[0]
    if not first or any(first.startswith(heading.value + ":") for heading in Advice):
        raise DeclarationError(f"The docstring of {check} does not begin with the broken state, in a sentence.")
    return first


def _advice(check: str, paragraphs: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for heading in Advice:
        text = next((p for p in paragraphs if p.startswith(heading.value + ":")), None)
        if text is None:
            raise DeclarationError(f"The docstring of {check} has no paragraph «{heading.value}: …».")
        said = text.removeprefix(heading.value + ":").strip()
        found[heading.name.lower()] = said[:1].upper() + said[1:]
    return found
