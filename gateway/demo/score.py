"""What was planted against what was found."""

from collections.abc import Iterable
from dataclasses import dataclass

from checks.findings import Finding, Record
from sandbox.company.labels import LookAlike, Planted


@dataclass(frozen=True)
class Score:
    """`missed` was planted and not found; `false_alarms` was found and nothing planted explains it."""

    planted: int
    found: int
    missed: tuple[dict[str, str], ...]
    false_alarms: tuple[dict[str, str], ...]


def score(planted: Iterable[Planted], lookalikes: Iterable[LookAlike], findings: Iterable[Finding]) -> Score:
    """Match findings with labels by check and primary record."""
    expected = {(label.check, Record(label.system, label.entity, label.key)): label for label in planted}
    explained = set(expected)
    for label in expected.values():
        explained |= {(other.check, Record(other.system, other.entity, other.key)) for other in label.also}
    innocent = {(label.check, Record(label.system, label.entity, label.key)): label for label in lookalikes}
    found = {(finding.check, finding.record): finding for finding in findings}
    missed = [
        {"check": check, "record": str(record), "note": expected[check, record].note}
        for check, record in sorted(expected)
        if (check, record) not in found
    ]
    alarms = [
        {
            "check": check,
            "record": str(record),
            "message": found[check, record].message,
            "looks_like": innocent[check, record].note if (check, record) in innocent else "",
        }
        for check, record in sorted(found)
        if (check, record) not in explained
    ]
    return Score(len(expected), len(expected) - len(missed), tuple(missed), tuple(alarms))
