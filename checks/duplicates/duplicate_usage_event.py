"""The meter sent the same usage twice.

Why it matters: every unit that is counted twice is billed twice, and a customer who finds it will doubt the rest
of the invoice as well.

Usual cause: a sender repeated a batch after a time-out, or two pipelines deliver the same meter.

How to fix: remove the repeated events before they are rated, and credit what was already billed. Where the events
only look alike, ask the owner of the meter whether they are real.

What it is not: equal events with ids of their own in one batch, which are real use, and events of test tenants.
Equal events with different ids from different batches are only suspected and hold nothing back.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.confidence import suspected as only_suspected
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
)
from checks.facts import subscribed
from checks.facts.meter_prices import name_of
from checks.rows import candidates, reference

_ALIKE = "meter, subject, time and quantity are the same, and the event ids are not"


def find(books: Books, params: Params) -> ir.Table:
    """One row per event id that repeats, and one per set of equal events from different batches."""
    event = books.table("usage_events", "usage").filter(lambda t: ~t.is_test.fill_null(False))
    identified = event.filter(event.event_id.notnull()).mutate(same=event.event_id)
    certain = _repeats(identified, _more_than_once(identified, "same"), "same")
    # An id that repeats is reported as such; its content is not compared once more.
    rest = event.anti_join(certain.select(c_system="system", event_id="same"), "event_id")
    content = ("meter", "subject", "happened_at", "quantity")
    alike = _more_than_once(rest, *content).filter(lambda t: (t.batches > 1) & (t.ids > 1))
    text = rest.meter.fill_null("") + "/" + rest.subject.fill_null("") + "/" + rest.happened_at.cast("string")
    suspected = _repeats(rest.mutate(same=text), alike, *content)
    both = certain.mutate(is_certain=True).union(suspected.mutate(is_certain=False))
    rows = _priced(both)
    is_small = rows.unit_price.notnull() & (product(rows.extra, rows.unit_price) <= params.decimal("block_over"))
    mode = is_small.ifelse(Mode.WARN.value, Mode.BLOCK.value)
    return candidates(
        rows,
        "usage_events",
        "meter",
        "times",
        subject=rows.same,
        evidence=rows.events,
        mode=rows.is_certain.ifelse(mode, Mode.MONITOR.value),
        said=rows.is_certain.ifelse("came with one id", "look the same and came in different batches"),
        repeated=rows.extra,
        unit_price=rows.unit_price.fill_null(0),
        **only_suspected(~rows.is_certain, params.decimal("alike_confidence"), _ALIKE).columns(),
    )


def _more_than_once(event: ir.Table, *same: str) -> ir.Table:
    counted = event.group_by("system", *same).agg(
        n=event.count(), batches=event.batch.nunique(), ids=event.event_id.nunique()
    )
    return counted.filter(counted.n > 1)


def _repeats(event: ir.Table, groups: ir.Table, *by: str) -> ir.Table:
    """Events of the groups, one row each: the last received, and the quantity beyond the first."""
    rows = event.semi_join(groups, ["system", *by])
    order = [rows.received_at, rows.key]
    summed = rows.group_by("system", *dict.fromkeys(("same", *by))).agg(
        key=rows.key.last(order_by=order),
        account_key=rows.account_key.max(),
        number=rows.subscription_number.max(),
        line=rows.subscription_line_key.max(),
        on_meter=rows.meter.fill_null("unknown").max(),
        times=rows.count(),
        extra=(rows.quantity.sum() - rows.quantity.first(order_by=order)).cast("decimal(38, 6)"),
        events=reference(rows.system, "usage_events", rows.key).collect(order_by=order),
    )
    return summed.select(
        "system", "same", "key", "account_key", "number", "line", "times", "extra", "events", meter="on_meter"
    )


def _priced(rows: ir.Table) -> ir.Table:
    """With the price and currency of the subscription line that the events name, else of the one for their meter."""
    sold = subscribed.LINES.table.filter(lambda t: t.charge_type == "usage")
    by_key = sold.select(k_key="key", k_price="unit_price", k_currency="currency")
    texts = [
        sold.select("number", "unit_price", "currency", named=name_of(sold[c]))
        for c in ("product_code", "name", "unit")
    ]
    named = texts[0].union(*texts[1:])
    by_name = named.group_by(n_number="number", n_named="named").agg(
        n_price=named.unit_price.max(), n_currency=named.currency.max()
    )
    joined = rows.left_join(by_key, rows.line == by_key.k_key).mutate(named=name_of(rows.meter))
    joined = joined.left_join(by_name, [joined.number == by_name.n_number, joined.named == by_name.n_named])
    return joined.mutate(
        unit_price=ibis.coalesce(joined.k_price, joined.n_price),
        currency=ibis.coalesce(joined.k_currency, joined.n_currency),
    )


CHECK = Check(
    id="duplicate_usage_event",
    doc=__doc__,
    pattern=Pattern.DUPLICATES,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(Need("usage_events", "usage"), *(need.where_filled() for need in subscribed.NEEDS)),
    settings=(
        Setting("block_over", 1, "Repeats worth up to this amount only warn: a run is not stopped for a cent."),
        Setting(
            "alike_confidence",
            Decimal("0.80"),
            "How sure equal events with their own ids are repeats: some senders give a batch new ids the second time.",
        ),
    ),
    arithmetic=Arithmetic.of("0", "repeated * unit_price", "actual - expected"),
    message="{times} events on the meter {meter} {said}: {repeated} units too many, {amount} at {unit_price} each.",
    find=find,
)
