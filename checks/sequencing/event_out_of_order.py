"""The event that was applied last to a record is older than one that had been applied to it before.

Why it matters: the older event has overwritten the newer one. A cancellation is undone by the activation that came
after it, a renewal by an amendment from before it, and the next invoice bills what no longer holds.

Usual cause: a queue that was delivered in another order, a message that failed and was sent again after the next
one had passed, or two flows that write the same record.

How to fix: apply the newest event again, and let the flow refuse whatever is older than what it has applied.

What it is not: an amendment that takes effect in the past but was made last; an older event that takes effect later
than the newer one and so does not touch it; events that only arrived late and were applied in order; a record to
which the newest event has been applied again since. The sender's sequence and the effective date decide, never the
time of arrival.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import applied_events, subscribed
from checks.rows import candidates, listed, reference

THING = ("system", "entity", "thing")


def find(_: Books, __: Params) -> ir.Table:
    """The event last applied to each thing, where a newer one stood before it."""
    rows = _valued(_overwriting())
    return ibis.union(*(_as_candidates(rows, entity) for entity in ("record_changes", "amendments")))


def _overwriting() -> ir.Table:
    """The last event of each thing with the newest one that it overwrote, whose columns begin with `n_`."""
    event = applied_events.EVENTS.table
    latest = event.place.max().over(group_by=[event[name] for name in THING])
    last = event.mutate(latest=latest).filter(lambda t: t.place == t.latest)
    wanted = ("key", "place", "sequence", "effective", "says", "amount", "currency")
    before = event.select(*THING, **{f"n_{name}": name for name in wanted})
    both = last.inner_join(before, list(THING))
    reaches = (both.effective <= both.n_effective).fill_null(True)
    both = both.filter((both.n_place < both.place) & (both.n_sequence > both.sequence) & reaches)
    newest = ibis.row_number().over(
        group_by=[both[name] for name in THING], order_by=[both.n_sequence.desc(), both.n_key]
    )
    return both.mutate(rank=newest).filter(lambda t: t["rank"] == 0)


def _valued(rows: ir.Table) -> ir.Table:
    """`rows` with what the overwritten change is worth: as reported, else what the record's next invoices bill."""
    of_record = applied_events.next_invoices()
    of_account = of_record.view()
    rows = rows.left_join(
        of_record.select(r_of="of", r_worth="worth", r_currency="currency"), rows["at"] == of_record.of
    )
    rows = rows.left_join(
        of_account.select(a_of="of", a_worth="worth", a_currency="currency"), rows.account_key == of_account.of
    )
    nothing = ibis.literal(0)
    is_reported = rows.n_amount.notnull()
    of_lines = ibis.coalesce(rows.r_worth, rows.a_worth)
    return rows.mutate(
        reported=rows.n_amount.abs().fill_null(0),
        lines_worth=is_reported.ifelse(nothing.cast(of_lines.type()), of_lines),
        currency=is_reported.ifelse(
            ibis.coalesce(rows.n_currency, rows.r_currency, rows.a_currency),
            ibis.coalesce(rows.r_currency, rows.a_currency),
        ),
    )


def _as_candidates(rows: ir.Table, entity: str) -> ir.Table:
    rows = rows.filter(rows.entity == entity)
    return candidates(
        rows,
        entity,
        "at",
        "says",
        "n_says",
        "sequence",
        "n_sequence",
        subject=rows.thing,
        evidence=listed(reference(rows.system, entity, rows.key), reference(rows.system, entity, rows.n_key)),
        reported=rows.reported,
        lines_worth=rows.lines_worth,
    )


CHECK = Check(
    id="event_out_of_order",
    doc=__doc__,
    pattern=Pattern.SEQUENCING,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*subscribed.NEEDS, *applied_events.NEEDS),
    one_of=("record_changes", "amendments"),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("reported + lines_worth / 12", "0"),
    message=(
        "On {at}, event {sequence} ({says}) was applied after event {n_sequence} ({n_says}), which is newer: up to "
        "{amount} {currency} of the next invoice follow from it."
    ),
    find=find,
)
