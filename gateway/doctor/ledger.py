"""What the sync remembers of a source: how fresh its rows are, what failed last, what was rejected."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from books.snapshots import Reading
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.installation import Installation


def known(installed: Installation, name: str) -> Iterator[Finding]:
    """Asked of the database alone."""
    yield from _freshness(installed, name)
    yield from _failures(installed, name)
    yield _rejects(installed, name)


def _freshness(installed: Installation, name: str) -> Iterator[Finding]:
    snapshot, now = installed.ledger.latest(), installed.clock()
    readings = {e: r for (system, e), r in snapshot.readings.items() if system == name} if snapshot else {}
    if not readings:
        yield warn(name, "freshness", "It was never read.", f"Run `tieout sync --source {name}`.")
        return
    troubles: dict[tuple[str, str], list[str]] = {}
    for entity, reading in sorted(readings.items()):
        if trouble := replace(reading, failure=None).trouble(now):
            troubles.setdefault((trouble, _advice(name, reading, now)), []).append(entity)
    for (trouble, advice), entities in troubles.items():
        who = f"Each of the {len(entities)} entities" if len(entities) == len(readings) > 1 else ", ".join(entities)
        yield fail(name, "freshness", f"{who} {trouble}.", advice)
    if not troubles:
        due = min(reading.stale_at for reading in readings.values() if reading.stale_at)
        who = f"All {len(readings)} entities are" if len(readings) > 1 else f"{next(iter(readings))} is"
        yield ok(name, "freshness", f"{who} fresh until {due:%Y-%m-%d %H:%M} UTC.")


def _advice(name: str, reading: Reading, now: datetime) -> str:
    if reading.fresh_from is not None and reading.fresh_from > now:
        return "Set this machine's clock by NTP; where it is right, the source's is not."
    return f"Run `tieout sync --source {name}`, and see that `tieout schedule` runs."


def _failures(installed: Installation, name: str) -> Iterator[Finding]:
    failures = installed.ledger.failures(name)
    by_sentence: dict[str, list[str]] = {}
    for of, sentence in failures.items():
        by_sentence.setdefault(sentence, []).append(of)
    for sentence, objects in by_sentence.items():
        advice = f"Mend what it says, then run `tieout sync --source {name}`."
        mapped = len(installed.mappings[name].walked)
        who = f"None of the {mapped} objects was read" if len(objects) == mapped > 1 else ", ".join(objects)
        yield fail(name, "last poll", f"{who}: {sentence}", advice)
    if not failures:
        yield ok(name, "last poll", "No object failed.")


def _rejects(installed: Installation, name: str) -> Finding:
    count = sum(reject.system == name for reject in installed.ledger.rejects())
    if count:
        advice = f"See `tieout rejects --source {name}`: mend the records, or the mapping."
        return warn(
            name, "rejects", f"{count:,} {'record is' if count == 1 else 'records are'} not in the books.", advice
        )
    return ok(name, "rejects", "No record was rejected.")
