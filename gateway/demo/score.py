"""What was planted against what was found."""

from collections.abc import Iterable
from dataclasses import dataclass

from checks.findings import Finding, Record
from sandbox.company.labels import Consequence, LookAlike, Planted


@dataclass(frozen=True)
class Score:
    """`missed` was planted and not found; `false_alarms` was found and nothing planted explains it."""

    planted: int
    found: int
    missed: tuple[dict[str, str], ...]
    false_alarms: tuple[dict[str, str], ...]


def score(planted: Iterable[Planted], lookalikes: Iterable[LookAlike], findings: Iterable[Finding]) -> Score:
    """Match findings with labels by check, primary record and, where the label says one, the period's start."""
    labels, found = list(planted), list(findings)
    innocent = {(label.check, Record(label.system, label.entity, label.key)): label.note for label in lookalikes}
    missed = [
        {"check": label.check, "record": f"{label.system}/{label.entity}/{label.key}", "note": label.note}
        for label in labels
        if not any(_explains(label, finding) for finding in found)
    ]
    explanations: list[Planted | Consequence] = [*labels, *(other for label in labels for other in label.also)]
    alarms = [
        {
            "check": finding.check,
            "record": str(finding.record),
            "message": finding.message,
            "looks_like": innocent.get((finding.check, finding.record), ""),
        }
        for finding in found
        if not any(_explains(explanation, finding) for explanation in explanations)
    ]
    return Score(len(labels), len(labels) - len(missed), tuple(missed), tuple(alarms))


def _explains(label: Planted | Consequence, finding: Finding) -> bool:
    same = finding.check == label.check and finding.record == Record(label.system, label.entity, label.key)
    return same and label.period_start in (None, finding.period[0])
