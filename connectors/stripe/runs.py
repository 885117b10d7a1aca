"""Drafts of Stripe as runs that can be validated, held and released (vendors.md D, "Stripe, exact steps").

Stripe has no bill runs: each draft finalises by itself, about an hour after it was made. A run is therefore one of

    in_1Pgc6tB7WZ01zgkW      one draft invoice
    drafts                   every draft of the account
    drafts:2026-11-30        the drafts whose period ends, or that finalise by themselves, on that day of the account

A set is whatever it is when it is pulled; a draft that is finalised in between is not in it any more.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from connectors.contract import DraftRun, Record
from connectors.errors import PermanentError, UnknownRecord
from connectors.mapping import Mapping, Reject, Row
from connectors.stripe.api import StripeApi, StripeConfig
from connectors.stripe.connector import account_zone
from connectors.stripe.expressions import Expressions
from connectors.stripe.reading import Reader

RUN, INVOICE, LINE = "draft_run", "invoice", "line_item"
SET = "drafts"


class StripeRuns:
    """A RunSource. `hold` and `release` change the drafts of a run; the rest only reads."""

    def __init__(self, config: StripeConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        missing = [name for name in (RUN, INVOICE, LINE) if name not in mapping.objects]
        if missing:
            raise PermanentError(f"Drafts cannot be pulled: the mapping of {config.system} has no {missing[0]}.")
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._zone = account_zone(config)
        self._api = StripeApi(config, clock)
        self._invoices = Reader.mapped(self._api, mapping.objects[INVOICE], self._zone)
        self._lines = Reader.mapped(self._api, mapping.objects[LINE], self._zone)

    def pull(self, run_id: str) -> DraftRun:
        """The run with its drafts. Raises UnknownRecord; PermanentError for an invoice that is no draft any more and
        for a draft that the mapping cannot turn into a row, because a run is judged whole or not at all."""
        drafts = list(self._drafts(run_id))
        marked = [{**draft, "_run": run_id} for draft in drafts]
        lines = [{**line, "_run": run_id} for line in self._lines.records(drafts)]
        return DraftRun(
            self._rows(RUN, self._run(run_id, drafts))[0],
            self._rows(INVOICE, self._invoices.records(marked)),
            self._rows(LINE, lines),
        )

    def hold(self, run_id: str) -> None:
        """Keep the drafts of the run from finalising by themselves. A hold ends only with `release`."""
        for draft in self._drafts(run_id):
            if draft.get("auto_advance") is not False:
                self._post(draft, "", {"auto_advance": "false"})

    def release(self, run_id: str) -> None:
        """Finalise the drafts of the run and let Stripe collect them."""
        for draft in self._drafts(run_id):
            self._post(draft, "/finalize", {"auto_advance": "true"})

    def close(self) -> None:
        self._api.close()

    def _drafts(self, run_id: str) -> Iterator[Record]:
        """The draft invoices of a run, as Stripe sends them."""
        named, _, day = run_id.partition(":")
        if named == SET:
            yield from self._on(_day(run_id, day) if day or ":" in run_id else None)
            return
        if not run_id.startswith("in_") or not run_id.replace("_", "").isalnum():
            raise UnknownRecord(f"{run_id!r} is neither an invoice (in_...) nor 'drafts' nor 'drafts:<day>'.")
        invoice = self._api.get(f"/v1/invoices/{run_id}")
        if invoice.get("status") != "draft":
            raise PermanentError(f"The invoice {run_id} is {invoice.get('status')}: only a draft can still be held.")
        yield invoice

    def _on(self, day: date | None) -> Iterator[Record]:
        """Every draft, or those of one day."""
        for page in self._api.pages("/v1/invoices", {"status": "draft"}):
            for invoice in page.records:
                days = [self._date(invoice.get(name)) for name in ("period_end", "automatically_finalizes_at")]
                if day is None or day in days:
                    yield invoice

    def _run(self, run_id: str, drafts: Sequence[Record]) -> Sequence[Record]:
        """The set of drafts as a record: `target_date` is the day in its name, else the last end of a period."""
        day = run_id.partition(":")[2]
        ends = [end for draft in drafts if (end := self._date(draft.get("period_end")))]
        last = day or (max(ends).isoformat() if ends else None)
        record = {"id": run_id, "object": RUN, "status": "draft", "target_date": last}
        return [Expressions.among(self._mapping.objects[RUN].fields, self._zone).added(record)]

    def _date(self, moment: Any) -> date | None:
        if type(moment) is not int:
            return None
        return datetime.fromtimestamp(moment, UTC).astimezone(self._zone).date()

    def _post(self, draft: Record, step: str, form: dict[str, str]) -> None:
        """The key names the draft as it is, so that a repeated request is one, and a later hold is another."""
        said = f"{draft['id']}{step} {sorted(form.items())} {draft.get('auto_advance')} {self._clock().isoformat()}"
        key = f"tieout-{hashlib.sha256(said.encode()).hexdigest()[:32]}"
        self._api.post(f"/v1/invoices/{draft['id']}{step}", form, key)

    def _rows(self, name: str, records: Sequence[Record]) -> Sequence[Row]:
        rows = []
        for record in records:
            for target in self._mapping.objects[name].targets:
                if target.takes(record):
                    row = target.row(record, self._config.system, self._clock())
                    if isinstance(row, Reject):
                        raise PermanentError(f"{name} {row.key} cannot be read, so the run cannot be: {row.reason}")
                    rows.append(row)
        return rows


def _day(run_id: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UnknownRecord(f"{run_id!r} names no day such as 2026-11-30.") from error
