"""A source that is read, and what reading it brought."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from connectors.contract import Connector
from connectors.mapping import Mapping as SourceMapping
from connectors.mapping import ObjectMapping
from connectors.registry import KINDS
from gateway.sync.readings import entities_of


@dataclass(frozen=True)
class OpenSource:
    """A source that is configured, mapped and reachable through its connector.

    `lag`: how long a row may take to become visible after its stamp. `census_every`: how often all keys are compared.
    `batch_records`: how many records are written at once; a write costs nearly the same for one as for thousands.
    """

    name: str
    mapping: SourceMapping
    connector: Connector
    lag: timedelta = timedelta(0)
    census_every: timedelta = timedelta(days=1)
    batch_records: int = 20_000

    @property
    def absence_counts(self) -> bool:
        """Whether a record that is not there any more is gone. Files bring only news."""
        return KINDS[self.mapping.connector].absence_counts

    def reads_in_full(self, mapped: ObjectMapping) -> bool:
        """Whether every walk sees every record of the object."""
        return self.absence_counts and KINDS[self.mapping.connector].reads_in_full(mapped)

    def groups(self) -> Sequence[Sequence[str]]:
        """The objects in the order of the mapping; those that fill an entity together stand together."""
        groups: list[list[str]] = []
        for name in self.mapping.walked:
            mine = set(entities_of(self.mapping, name))
            shared = [g for g in groups if mine & {e for other in g for e in entities_of(self.mapping, other)}]
            for group in shared:
                groups.remove(group)
            groups.append([*(other for group in shared for other in group), name])
        return groups


@dataclass
class SourceReport:
    """What one source brought. `records` counts source records per object, `rows` changed rows per entity.

    `failures` says per object why it was not read to its end, `outrun` why the source's list of its deletions does not
    reach back far enough: all keys were compared instead, or will be once every object was read. `absent` are the
    optional objects that the source does not have, with what it said; they are no failures.
    """

    records: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    rejects: int = 0
    deleted: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    outrun: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def failure(self) -> str | None:
        """Every failure in one text, objects with the same one together; None when all went well."""
        by_sentence: dict[str, list[str]] = {}
        for name, sentence in self.failures.items():
            by_sentence.setdefault(sentence, []).append(name)
        return " ".join(f"{', '.join(names)}: {text}" for text, names in by_sentence.items()) or None
