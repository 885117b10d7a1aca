"""One Zuora tenant, as the tests and the simulated company see it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo

from sandbox.zuora.billruns import BillRuns
from sandbox.zuora.ids import make_id
from sandbox.zuora.records import Records
from sandbox.zuora.schema import Row, Value


def _no_drafts(_: Row) -> tuple[str, ...]:
    return ()


class ZuoraTenant:
    """Records and bill runs in memory; safe to use from several threads.

    Answers show instants at `utc_offset`, or in the time zone given in its place: real tenants change their
    offset in summer. A bill run move (generate, post, cancel, remove) ends `settle_after` by `clock`; with
    none, the answer still says that it is in progress and the next reading finds it done. `draft` bills the
    runs that are created over the API: it gets the BillRun row, puts draft invoices and items here, and
    returns the invoices' ids. `auto_post` is the billing rule "Support Bill Run Auto-Post?".

    The standard objects are there from the start. Methods raise ValueError in a sentence for an unknown
    object, field or record, and for a value that does not suit its field.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        utc_offset: timedelta | tzinfo = timedelta(hours=-8),
        *,
        settle_after: timedelta = timedelta(0),
        draft: Callable[[Row], Iterable[str]] = _no_drafts,
        auto_post: bool = False,
    ) -> None:
        self.clock = clock
        self.zone = utc_offset if isinstance(utc_offset, tzinfo) else timezone(utc_offset)
        self.auto_post = auto_post
        self.user_id = make_id("User", 1)
        self.records = Records(clock)
        self.bill_runs = BillRuns(self.records, settle_after, draft, self.user_id)
        self.lock = self.records.lock
        """Hold it to make several changes visible as one."""

    def define(self, object_name: str, fields: Mapping[str, str]) -> None:
        """Add an object, or fields to one that exists; types are those of `schema.PYTHON_TYPES`. Id,
        CreatedDate and UpdatedDate come by themselves."""
        self.records.define(object_name, fields)

    def drop_field(self, object_name: str, field: str) -> None:
        """Take a field and its values away: from now on a query that names it is an INVALID_FIELD."""
        self.records.drop_field(object_name, field)

    def rename_field(self, object_name: str, old: str, new: str) -> None:
        """The field keeps its values under another name; a query that names the old one is an INVALID_FIELD."""
        self.records.rename_field(object_name, old, new)

    def hide(self, object_name: str, field: str = "") -> None:
        """Take away the permission on an object (INVALID_TYPE), or on one field of it (INVALID_FIELD)."""
        self.records.hide(object_name, field)

    def reveal(self) -> None:
        """Give back every permission."""
        self.records.reveal()

    def set_options(self, object_name: str, field: str, options: Iterable[str]) -> None:
        """The values that the description of a picklist lists."""
        self.records.set_options(object_name, field, options)

    def put(self, object_name: str, row: Mapping[str, Value | None]) -> str:
        """Insert, or update the named fields of the record with this Id; None empties a field. UpdatedDate is
        the clock's unless given. Returns the Id."""
        return self.records.put(object_name, row)

    def remove(self, object_name: str, id: str) -> None:
        """Delete for good; ZOQL has no trace of it."""
        self.records.remove(object_name, id)

    def rows(self, object_name: str) -> list[Row]:
        """All records, as of now; a field without a value has no key."""
        with self.lock:
            self.settle()
            return self.records.rows(object_name)

    def add_bill_run(
        self,
        number: str,
        target_date: date,
        invoice_date: date,
        invoice_ids: Iterable[str],
        status: str = "Completed",
    ) -> str:
        """A bill run that has happened, and the invoices that it made: their SourceId becomes its number
        unless it is the run's id already. Returns the run's id."""
        with self.lock:
            return self.bill_runs.add(number, target_date, invoice_date, invoice_ids, status)

    def fail_posting(self, invoice_id: str) -> None:
        """Let the next attempt to post this draft fail: it stays Draft and its run returns to Completed."""
        with self.lock:
            self.bill_runs.fail_posting(invoice_id)

    def settle(self) -> None:
        """End the bill run moves whose time has come. Every reading does this first."""
        with self.lock:
            self.bill_runs.settle(self.clock())
