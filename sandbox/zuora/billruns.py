"""Bill runs: drafts that wait, and the moves that post, cancel or remove them (vendors.md D).

    Pending → Completed → PostInProgress → Posted
       └──────────┴─────→ CancelInProgress → Canceled → RemoveInProgress → (gone)
                                             Error ────┘

The moves are asynchronous: a request starts one, and `settle` ends it when its time has come. Posting that
fails for one invoice leaves it Draft and takes the run back to Completed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sandbox.zuora.errors import LOCKED, NOT_FOUND, RULE, Rejection
from sandbox.zuora.records import Records
from sandbox.zuora.schema import Row, Value

STATUSES = (
    "Pending",
    "Processing",
    "Completed",
    "Error",
    "Canceled",
    "Posted",
    "PostInProgress",
    "CancelInProgress",
    "RemoveInProgress",
    "Paused",
)
CANCELABLE = ("Pending", "Completed", "Paused")
MAX_PENDING = 500


@dataclass(frozen=True, slots=True)
class _Step:
    due: datetime
    run_id: str
    while_in: str
    finish: Callable[[Row, datetime], None]


class BillRuns:
    """The bill runs of one tenant; each is a BillRun record, so that ZOQL sees it too.

    `draft` bills: it gets the BillRun row of a run created over the API, puts the draft invoices and their
    items on the tenant, and returns the ids of the invoices. A ValueError from it ends the run in Error.
    """

    def __init__(
        self, records: Records, settle_after: timedelta, draft: Callable[[Row], Iterable[str]], user_id: str
    ) -> None:
        self._records = records
        self._settle_after = settle_after
        self._draft = draft
        self._user_id = user_id
        self._steps: list[_Step] = []
        self._unpostable: set[str] = set()

    def add(self, number: str, target_date: date, invoice_date: date, invoice_ids: Iterable[str], status: str) -> str:
        """A run that exists already, with its invoices. Raises ValueError for an unknown status or invoice,
        and for a number that is taken."""
        if status not in STATUSES:
            raise ValueError(f"{status!r} is not a status of a bill run; these are: {', '.join(STATUSES)}.")
        if self._records.where("BillRun", "BillRunNumber", [number]):
            raise ValueError(f"There is a bill run {number} already.")
        invoices = [self._records.get("Invoice", identity) for identity in invoice_ids]
        run: dict[str, Value] = {"BillRunNumber": number, "TargetDate": target_date, "InvoiceDate": invoice_date}
        flags = dict.fromkeys(("AutoPost", "AutoEmail", "AutoRenewal", "NoEmailForZeroAmountInvoice"), False)
        identity = self._records.put("BillRun", {**run, **flags, "Status": status})
        self._claim(self._records.get("BillRun", identity), invoices)
        return identity

    def create(self, fields: Mapping[str, Value | None]) -> Row:
        """A new run in Pending. Raises Rejection when 500 others wait."""
        pending = sum(run["Status"] == "Pending" for run in self._records.rows("BillRun"))
        if pending >= MAX_PENDING:
            raise Rejection(RULE, f"{MAX_PENDING} bill runs are Pending; wait until some have been processed.")
        identity = self._records.put("BillRun", {**fields, "BillRunNumber": self._next_number(), "Status": "Pending"})
        self._later(identity, "Pending", self._generate)
        return self._records.get("BillRun", identity)

    def find(self, key: str) -> Row:
        """The run with this id or number. Raises Rejection when there is none."""
        found = self._records.where("BillRun", "Id", [key]) or self._records.where("BillRun", "BillRunNumber", [key])
        if not found:
            raise Rejection(NOT_FOUND, f"Cannot find a bill run with the id or number {key!r}.")
        return found[0]

    def invoices(self, run: Row) -> list[Row]:
        return self._records.where("Invoice", "SourceId", [run["BillRunNumber"], run["Id"]])

    def post(self, run: Row, invoice_date: date) -> Row:
        """Start posting. Raises Rejection unless the run is Completed."""
        if run["Status"] != "Completed":
            raise Rejection(RULE, f"{_named(run)} and cannot be posted; only a Completed one can.")
        return self._start(run, "PostInProgress", self._finish_posting, InvoiceDate=invoice_date)

    def cancel(self, run: Row) -> Row:
        """Start canceling. Raises Rejection when an invoice of the run is posted, or it is past canceling."""
        if run["Status"] not in CANCELABLE:
            raise Rejection(RULE, f"{_named(run)} and cannot be canceled.")
        posted = [invoice for invoice in self.invoices(run) if invoice.get("Status") == "Posted"]
        if posted:
            raise Rejection(RULE, f"{_named(run)} and has {len(posted)} posted invoices; it cannot be canceled.")
        return self._start(run, "CancelInProgress", self._finish_canceling)

    def delete(self, run: Row) -> Row:
        """Start removing the run with its invoices. Raises Rejection unless it is Canceled or in Error."""
        if run["Status"] not in ("Canceled", "Error"):
            raise Rejection(RULE, f"{_named(run)} and cannot be deleted; only a Canceled or failed one can.")
        return self._start(run, "RemoveInProgress", self._finish_removing)

    def delete_invoice(self, invoice: Row) -> None:
        """Remove a draft with its items. Raises Rejection for any other invoice, and while its run is moving."""
        name = f"The invoice {invoice.get('InvoiceNumber', invoice['Id'])}"
        if invoice.get("Status") != "Draft":
            raise Rejection(RULE, f"{name} is {invoice.get('Status')}; only a Draft invoice can be deleted.")
        run = self.run_of(invoice)
        if run is not None and str(run["Status"]).endswith("InProgress"):
            raise Rejection(LOCKED, f"{name} belongs to a bill run that is {run['Status']}; try again later.")
        self._remove_invoice(invoice)

    def run_of(self, invoice: Row) -> Row | None:
        source = invoice.get("SourceId")
        if source is None:
            return None
        found = self._records.where("BillRun", "BillRunNumber", [source])
        found = found or self._records.where("BillRun", "Id", [source])
        return found[0] if found else None

    def fail_posting(self, invoice_id: str) -> None:
        """Let the next attempt to post this invoice fail."""
        self._unpostable.add(str(self._records.get("Invoice", invoice_id)["Id"]))

    def settle(self, now: datetime) -> None:
        """End every move whose time has come, in the order in which they were due."""
        while due := [step for step in self._steps if step.due <= now]:
            step = min(due, key=lambda step: step.due)
            self._steps.remove(step)
            found = self._records.where("BillRun", "Id", [step.run_id])
            if found and found[0]["Status"] == step.while_in:
                step.finish(found[0], step.due)

    def _start(self, run: Row, status: str, finish: Callable[[Row, datetime], None], **also: Value) -> Row:
        identity = str(run["Id"])
        self._records.put("BillRun", {"Id": identity, "Status": status, **also})
        self._later(identity, status, finish)
        return self._records.get("BillRun", identity)

    def _later(
        self,
        run_id: str,
        while_in: str,
        finish: Callable[[Row, datetime], None],
        since: datetime | None = None,
    ) -> None:
        due = (since or self._records.clock()) + self._settle_after
        self._steps.append(_Step(due, run_id, while_in, finish))

    def _generate(self, run: Row, at: datetime) -> None:
        try:
            invoices = [self._records.get("Invoice", identity) for identity in self._draft(run)]
        except ValueError as error:
            self._close(run, at, "Error", ErrorMessage=str(error))
            return
        self._claim(run, invoices)
        counts = {
            "NumberOfInvoices": len(invoices),
            "NumberOfAccounts": len({invoice.get("AccountId") for invoice in invoices}),
        }
        if run.get("AutoPost"):
            self._close(run, at, "PostInProgress", ExecutedDate=at, **counts)
            self._later(str(run["Id"]), "PostInProgress", self._finish_posting, at)
        else:
            self._close(run, at, "Completed", ExecutedDate=at, **counts)

    def _finish_posting(self, run: Row, at: datetime) -> None:
        drafts = [invoice for invoice in self.invoices(run) if invoice.get("Status") == "Draft"]
        failed = [invoice for invoice in drafts if invoice["Id"] in self._unpostable]
        for invoice in drafts:
            if invoice not in failed:
                self._post_invoice(invoice, run, at)
        self._unpostable -= {str(invoice["Id"]) for invoice in failed}
        if failed:
            numbers = ", ".join(str(invoice.get("InvoiceNumber", invoice["Id"])) for invoice in failed)
            self._close(run, at, "Completed", ErrorMessage=f"These invoices could not be posted: {numbers}.")
        else:
            self._close(run, at, "Posted", PostedDate=at, ErrorMessage=None)

    def _post_invoice(self, invoice: Row, run: Row, at: datetime) -> None:
        stamps: dict[str, Value] = {"PostedDate": at, "PostedBy": self._user_id, "UpdatedDate": at}
        date_on_it = run.get("InvoiceDate", invoice.get("InvoiceDate"))
        self._records.put("Invoice", {"Id": invoice["Id"], "Status": "Posted", "InvoiceDate": date_on_it, **stamps})

    def _finish_canceling(self, run: Row, at: datetime) -> None:
        for invoice in self.invoices(run):
            self._records.put("Invoice", {"Id": invoice["Id"], "Status": "Canceled", "UpdatedDate": at})
        self._close(run, at, "Canceled")

    def _finish_removing(self, run: Row, _: datetime) -> None:
        for invoice in self.invoices(run):
            self._remove_invoice(invoice)
        self._records.remove("BillRun", str(run["Id"]))

    def _remove_invoice(self, invoice: Row) -> None:
        for item in self._records.where("InvoiceItem", "InvoiceId", [invoice["Id"]]):
            self._records.remove("InvoiceItem", str(item["Id"]))
        self._records.remove("Invoice", str(invoice["Id"]))

    def _close(self, run: Row, at: datetime, status: str, **also: Value | None) -> None:
        self._records.put("BillRun", {"Id": run["Id"], "Status": status, "UpdatedDate": at, **also})

    def _claim(self, run: Row, invoices: Iterable[Row]) -> None:
        """Mark invoices as made by the run. SourceId holds the run's number, as in exports of real tenants;
        an id that stands there already stays."""
        ours = (run["BillRunNumber"], run["Id"])
        for invoice in invoices:
            source = invoice["SourceId"] if invoice.get("SourceId") in ours else run["BillRunNumber"]
            made = {"Source": "BillRun", "SourceId": source, "UpdatedDate": invoice["UpdatedDate"]}
            self._records.put("Invoice", {"Id": invoice["Id"], **made})

    def _next_number(self) -> str:
        numbers = [str(run["BillRunNumber"]) for run in self._records.rows("BillRun")]
        taken = [int(n[3:]) for n in numbers if n.startswith("BR-") and n[3:].isdecimal()]
        return f"BR-{max(taken, default=0) + 1:08d}"


def _named(run: Row) -> str:
    return f"The bill run {run['BillRunNumber']} is {run['Status']}"
