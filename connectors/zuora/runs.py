"""Bill runs of Zuora: pulled for validation, posted and cancelled (vendors.md D).

Drafts are the invoices whose `run_field` (SourceId) is the run's number or id; which of them a tenant writes differs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.contract import DraftRun, Record
from connectors.errors import PermanentError
from connectors.mapping import Mapping, Reject, Row
from connectors.zuora.allowance import Allowance
from connectors.zuora.connector import RUN, ZuoraConfig, bill_run, connect
from connectors.zuora.lookups import looked_up, own_fields
from connectors.zuora.zoql import Zoql, quoted

INVOICE, ITEM = "Invoice", "InvoiceItem"
# How a run says that it leaves no batch out.
ALL_BATCHES = "AllBatches"


class ZuoraRuns:
    """A RunSource. The mapping must have the objects `bill-run`, `Invoice` and `InvoiceItem`."""

    def __init__(self, config: ZuoraConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._bearer = connect(config, Allowance(config.system, config.rate_share, clock), clock)
        self._zoql = Zoql(self._bearer, config.retries)

    def pull(self, run_id: str) -> DraftRun:
        """The run with its drafts. Raises UnknownRecord; PermanentError for a run that is not Completed and for a
        draft that the mapping cannot turn into a row, because a run is judged whole or not at all."""
        run = bill_run(self._zoql, run_id)
        if run.get("status") != "Completed":
            raise PermanentError(f"{_named(run)}: only a Completed run, not yet posted, can be pulled for validation.")
        sources = [quoted(str(run[name])) for name in ("billRunNumber", "id") if run.get(name)]
        invoices = self._drafts(sources)
        items = self._matching(ITEM, "InvoiceId", [str(invoice["Id"]) for invoice in invoices])
        # A run that was ordered for some accounts names no batches either, and is not one that bills everybody.
        whole = not run.get("billRunFilters")
        return DraftRun(self._run(run), self._rows(INVOICE, invoices), self._rows(ITEM, items), whole=whole)

    def post(self, run_id: str) -> None:
        """Start posting the run with its own invoice date. A run that is posted, or being posted, is left alone.

        Never repeated by itself: after a TransientError the state of the run tells whether it was started.
        """
        run = bill_run(self._zoql, run_id)
        if run.get("status") not in ("Posted", "PostInProgress"):
            self._zoql.once("PUT", f"/v1/bill-runs/{run['id']}/post", {"invoiceDate": run.get("invoiceDate")})

    def cancel(self, run_id: str) -> None:
        """Start cancelling the run, which Zuora allows while nothing of it is posted."""
        run = bill_run(self._zoql, run_id)
        if run.get("status") not in ("Canceled", "CancelInProgress"):
            self._zoql.once("PUT", f"/v1/bill-runs/{run['id']}/cancel", {})

    def close(self) -> None:
        self._bearer.wire.close()

    def _run(self, run: Record) -> Row:
        """The row of the run; one that bills all batches names none."""
        row = self._rows(RUN, [run])[0]
        named = str(row.get("batches") or "").split(",")
        return {**row, "batches": None} if ALL_BATCHES in named else row

    def _drafts(self, sources: Sequence[str]) -> Sequence[Record]:
        link = self._config.run_field
        where = " or ".join(f"{link} = {source} and Status = 'Draft'" for source in sources)
        mapped = self._mapping.objects[INVOICE]
        text = f"select {', '.join(own_fields(mapped, mapped.fields))} from {INVOICE} where {where}"
        records = [record for page, _ in self._zoql.pages(text) for record in page]
        return looked_up(self._zoql, mapped, records)

    def _matching(self, name: str, field: str, values: Sequence[str]) -> Sequence[Record]:
        mapped = self._mapping.objects[name]
        records = list(self._zoql.matching(name, own_fields(mapped, mapped.fields), field, values))
        return looked_up(self._zoql, mapped, records)

    def _rows(self, name: str, records: Sequence[Record]) -> Sequence[Row]:
        target = self._mapping.objects[name].targets[0]
        rows = []
        for record in records:
            row = target.row(record, self._config.system, self._clock())
            if isinstance(row, Reject):
                raise PermanentError(f"{name} {row.key} of the run cannot be read, so the run cannot be: {row.reason}")
            rows.append(row)
        return rows


def _named(run: Record) -> str:
    return f"The bill run {run.get('billRunNumber') or run.get('id')} is {run.get('status')}"
