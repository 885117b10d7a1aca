"""Invoice runs of BillingPlatform: the invoices that are still current, pulled for validation (vendors.md D).

The platform has no record of a run: invoices accrue, and are closed when their billing cycle ends. So a run is named by
the last day of a cycle, such as 2026-11-30, and is all current invoices whose cycle ends then; or by the id of one
invoice, which is a run by itself.
"""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from datetime import date, datetime
from typing import Any

from books.entities import entity
from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.login import Door
from connectors.billingplatform.query import Queries
from connectors.billingplatform.statement import Select, literal
from connectors.billingplatform.walk import Walk
from connectors.contract import DraftRun, Record
from connectors.errors import PermanentError, UnknownRecord
from connectors.fields import Field
from connectors.mapping import Mapping, Reject, Row, Target

INVOICE, ACTIVITY = "INVOICE", "ACTIVITY"
STATUS, CYCLE_END, INVOICE_OF = "Status", "BillingCycleEndDate", "InvoiceId"


class BillingPlatformRuns:
    """A RunSource. The mapping must have the objects `INVOICE` and `ACTIVITY`."""

    def __init__(self, config: BillingPlatformConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._door = Door(config, clock)
        self._walk = Walk(Queries(self._door, config), config)

    def pull(self, run_id: str) -> DraftRun:
        """The run with its drafts and their activities as lines.

        Raises UnknownRecord where no invoice is meant; PermanentError for an invoice that is not current any more,
        and for a record that the mapping cannot turn into a row, because a run is judged whole or not at all.
        """
        day = _day(run_id)
        invoices = self._ending(day) if day else self._one(run_id)
        drafts = self._rows(INVOICE, "invoices", invoices)
        activities = self._select(ACTIVITY)
        pages = self._walk.having(activities, activities.sql(Field(INVOICE_OF)), [draft["key"] for draft in drafts])
        lines = self._rows(ACTIVITY, "invoice_lines", [record for page in pages for record in page])
        run = self._run(run_id, day or drafts[0]["invoice_date"])
        return DraftRun(run, drafts, lines, whole=day is not None)

    def close(self) -> None:
        self._door.close()

    def _ending(self, day: date) -> Sequence[Record]:
        select = self._select(INVOICE)
        ends, status = select.sql(Field(CYCLE_END)), select.sql(Field(STATUS))
        current = ", ".join(literal(word) for word in self._config.draft_statuses)
        conditions = (f"TO_CHAR({ends}, 'YYYY-MM-DD') = '{day}'", f"{status} IN ({current})")
        found = [record for page in self._walk.by_key(select, conditions) for record in page]
        if not found:
            raise UnknownRecord(f"{self._config.system} has no current invoice whose billing cycle ends on {day}.")
        return found

    def _one(self, invoice: str) -> Sequence[Record]:
        if not (invoice.isascii() and invoice.isdecimal()):
            raise UnknownRecord(f"{invoice!r} is neither the last day of a billing cycle nor the id of an invoice.")
        select = self._select(INVOICE, STATUS)
        found = [record for page in self._walk.having(select, select.key, [invoice]) for record in page]
        if not found:
            raise UnknownRecord(f"{self._config.system} has no invoice {invoice}.")
        status = found[0].get(STATUS)
        if status not in self._config.draft_statuses:
            raise PermanentError(
                f"The invoice {invoice} is {status}: only one that is {' or '.join(self._config.draft_statuses)} can "
                "be pulled for validation."
            )
        return found

    def _select(self, name: str, *more: str) -> Select:
        mapped = self._mapping.objects[name]
        return Select(mapped, tuple(dict.fromkeys((*mapped.fields, *more))), self._config.time_zone)

    def _rows(self, name: str, filled: str, records: Sequence[Record]) -> Sequence[Row]:
        targets = [target for target in self._mapping.objects[name].targets if target.entity.name == filled]
        return [self._row(targets, name, record) for record in records]

    def _row(self, targets: Sequence[Target], name: str, record: Record) -> Row:
        target = next((target for target in targets if target.takes(record)), None)
        row = target.row(record, self._config.system, self._clock()) if target else None
        if row is None or isinstance(row, Reject):
            key = record.get(self._mapping.objects[name].key[0].path)
            why = row.reason if row else "No target of the mapping takes it."
            raise PermanentError(f"{name} {key} of the run cannot be read, so the run cannot be: {why}")
        return row

    def _run(self, run_id: str, day: date | None) -> Table[str, Any]:
        blank = dict.fromkeys(column.name for column in entity("invoice_runs").columns)
        said = {"system": self._config.system, "key": run_id, "number": run_id, "synced_at": self._clock()}
        return {**blank, **said, "deleted": False, "status": "current", "target_date": day, "invoice_date": day}


def _day(text: str) -> date | None:
    """The day that a run is named by, written as 2026-11-30; None for another name."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
