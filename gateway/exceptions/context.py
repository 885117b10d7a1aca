"""What the queue is told beside the findings themselves."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from checks.findings import Record
from checks.judging import Bands
from gateway.notices.tiers import Tiers
from gateway.owners.model import Owners

EvidenceOf = Callable[[Collection[Record]], Mapping[Record, Mapping[str, str]]]


def _no_fields(_: Collection[Record]) -> Mapping[Record, Mapping[str, str]]:
    return {}


@dataclass(frozen=True)
class Context:
    """What was asked, of which data, and what the queue needs to know about the findings.

    - `actor`: who asks, such as "tieout:sweep"
    - `data_as_of`: everything that the sources had stamped up to here was known; what was resolved later than that
      is not thrown open again
    - `conclusive` false (the gate, which sees one run's drafts): opens cases, throws closed ones open again, and
      changes nothing else
    - `reads`: check to the systems that it reads
    - `evidence`: the named values of records, asked only for cases that are new or changed
    - `names`: account key to name
    - `cut_off`: when the run that is asked about is posted
    """

    owners: Owners
    actor: str
    data_as_of: datetime
    conclusive: bool = True
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    evidence: EvidenceOf = _no_fields
    names: Mapping[str, str] = field(default_factory=dict)
    bands: Bands = field(default_factory=Bands)
    tiers: Tiers = field(default_factory=Tiers)
    cut_off: datetime | None = None

    def reporting_amount(self, amount: Decimal, currency: str | None) -> Decimal | None:
        """The amount in the reporting currency; None where there is no rate."""
        bands = self.bands
        rate = Decimal(1) if currency == bands.reporting_currency else bands.rates.get(currency or "")
        return None if rate is None else amount * rate

    def evidence_rows(self, shown: Collection[tuple[Record, ...]]) -> Callable[[tuple[Record, ...]], list[Any]]:
        """Ask for the values of all these records at once; what comes back turns a case's records into JSON rows."""
        values = self.evidence({record for records in shown for record in records})

        def rows(records: tuple[Record, ...]) -> list[Any]:
            return [
                {
                    "system": record.system,
                    "entity": record.entity,
                    "key": _storable(record.key),
                    "fields": {name: _storable(value) for name, value in values.get(record, {}).items()},
                }
                for record in records
            ]

        return rows


def _storable(text: str) -> str:
    """PostgreSQL's JSON has no NUL either."""
    return text.replace("\0", "")
