"""What was planted against what was found, per check and over all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from checks.contract import Outcome
from checks.findings import Evaluation, Finding, Record
from sandbox.company.labels import SUMMING, Consequence, LookAlike, Planted


@dataclass(frozen=True)
class Marks:
    """Of one check, of a family of them, or of all.

    `missed` was planted and not found; of `findings`, `false_alarms` are those that nothing planted explains.
    `money_error` is the largest difference between a finding's amount and its label's, in the label's currency.
    """

    planted: int
    findings: int
    missed: tuple[Mapping[str, str], ...]
    false_alarms: tuple[Mapping[str, str], ...]
    money_error: Decimal

    @property
    def found(self) -> int:
        return self.planted - len(self.missed)

    @property
    def recall(self) -> Decimal:
        """The share of what was planted that was found; 1 where nothing was."""
        return _share(self.found, self.planted)

    @property
    def precision(self) -> Decimal:
        """The share of the findings that something planted explains; 1 where there are none."""
        return _share(self.findings - len(self.false_alarms), self.findings)

    def document(self) -> dict[str, Any]:
        return {
            "planted": self.planted,
            "found": self.found,
            "findings": self.findings,
            "missed": list(self.missed),
            "false_alarms": list(self.false_alarms),
            "recall": float(self.recall),
            "precision": float(self.precision),
            "money_error": str(self.money_error),
        }


@dataclass(frozen=True)
class Score:
    """`checks` holds every check that was asked, `unjudged` those that could not be, with their reasons.

    A check that only waits for a system to catch up with a few rows has been asked.
    """

    checks: Mapping[str, Marks]
    unjudged: Mapping[str, str]

    @property
    def total(self) -> Marks:
        return added(self.checks.values())

    def families(self, pattern_of: Mapping[str, str]) -> dict[str, Marks]:
        """The marks of the checks of each pattern together."""
        shelves: dict[str, list[Marks]] = defaultdict(list)
        for check, marks in self.checks.items():
            shelves[pattern_of[check]].append(marks)
        return {pattern: added(shelf) for pattern, shelf in shelves.items()}


def added(several: Iterable[Marks]) -> Marks:
    """The marks of several checks as those of one."""
    marks = list(several)
    return Marks(
        sum(m.planted for m in marks),
        sum(m.findings for m in marks),
        tuple(missed for m in marks for missed in m.missed),
        tuple(alarm for m in marks for alarm in m.false_alarms),
        max((m.money_error for m in marks), default=Decimal(0)),
    )


def score(
    planted: Iterable[Planted],
    lookalikes: Iterable[LookAlike],
    disturbed: Collection[str],
    evaluations: Iterable[Evaluation],
    only: Collection[str] = (),
) -> Score:
    """Match findings with labels: by check, primary record and, where the label says one, the period's start.

    A check that sums may also find a `disturbed` customer, one with any defect, but no look-alike. Where `only` some
    checks were asked, what was planted for others is not missed; it still explains what they find of it.
    """
    asked = {e.check.id: e for e in evaluations}
    findings = {check: e.findings for check, e in asked.items()}
    unjudged = {
        check: e.reason or "" for check, e in asked.items() if e.outcome is Outcome.NOT_EVALUATED and not e.waiting
    }
    labels = list(planted)
    innocent = {(label.check, Record(label.system, label.entity, label.key)): label.note for label in lookalikes}
    wanted = _shelved([label for label in labels if not only or label.check in only])
    allowed = _shelved([*labels, *(other for label in labels for other in label.also)])
    checks = sorted({*findings, *wanted})
    marks = {
        check: _marks(
            wanted[check],
            allowed[check],
            findings.get(check, ()),
            innocent,
            disturbed if check in SUMMING else (),
        )
        for check in checks
    }
    return Score(marks, unjudged)


def _shelved(labels: Sequence[Planted | Consequence]) -> dict[str, dict[Record, list[Planted | Consequence]]]:
    """Labels by check and record."""
    shelves: dict[str, dict[Record, list[Planted | Consequence]]] = defaultdict(lambda: defaultdict(list))
    for label in labels:
        shelves[label.check][Record(label.system, label.entity, label.key)].append(label)
    return shelves


def _marks(
    wanted: Mapping[Record, Sequence[Planted | Consequence]],
    allowed: Mapping[Record, Sequence[Planted | Consequence]],
    findings: Sequence[Finding],
    innocent: Mapping[tuple[str, Record], str],
    disturbed: Collection[str],
) -> Marks:
    found: dict[Record, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.record].append(finding)
    labels = [label for shelf in wanted.values() for label in shelf if isinstance(label, Planted)]
    matches = [(label, _matching(label, found)) for label in labels]
    truths = {_truth(label): label for label in labels}
    told = {_truth(label) for label, match in matches if match}
    return Marks(
        planted=len(truths),
        findings=len(findings),
        missed=tuple(
            {"check": label.check, "record": f"{label.system}/{label.entity}/{label.key}", "note": label.note}
            for truth, label in truths.items()
            if truth not in told
        ),
        false_alarms=tuple(
            {
                "check": finding.check,
                "record": str(finding.record),
                "message": finding.message,
                "looks_like": innocent.get((finding.check, finding.record), ""),
            }
            for finding in findings
            if not any(_covers(label, finding) for label in allowed.get(finding.record, ()))
            and ((finding.check, finding.record) in innocent or not _customers(finding) & set(disturbed))
        ),
        money_error=max((_error(label, match) for label, match in matches if match), default=Decimal(0)),
    )


def _truth(label: Planted) -> Planted | str:
    """What is found with the label: itself, or the total to which it adds."""
    return label.adds_to or label


def _matching(label: Planted, found: Mapping[Record, Sequence[Finding]]) -> list[Finding]:
    of_record = found.get(Record(label.system, label.entity, label.key), ())
    return [finding for finding in of_record if _covers(label, finding)]


def _covers(label: Planted | Consequence, finding: Finding) -> bool:
    return label.period_start in (None, finding.period[0])


def _customers(finding: Finding) -> set[str | None]:
    """Whom a finding is about: its own customer, and those among its evidence."""
    return {finding.account_key, *(record.key for record in finding.evidence if record.entity == "accounts")}


def _error(label: Planted, findings: Sequence[Finding]) -> Decimal:
    """How far the nearest of the findings is from what the label says; 0 where it says nothing."""
    if label.amount is None:
        return Decimal(0)
    return min(abs(finding.amount - label.amount) for finding in findings)


def _share(part: int, whole: int) -> Decimal:
    return Decimal(part) / whole if whole else Decimal(1)
