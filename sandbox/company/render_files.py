"""What comes as files: usage events, seat counts, rates of exchange, dunning, and the general ledger."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from sandbox.company.file_format import csv_text, instant
from sandbox.company.model import SeatCount, UsageEvent
from sandbox.company.periods import add_months
from sandbox.company.render_audit import render_audit
from sandbox.company.render_flows import render_integrations
from sandbox.company.render_migration import render_migration
from sandbox.company.world import World

_DOLLARS = {"EUR": Decimal("1.0820"), "GBP": Decimal("1.2710"), "JPY": Decimal("0.006700")}
"""What one unit was worth on the first day of history; it moves by a few tenths of a percent each month."""


def render_files(world: World) -> dict[str, dict[str, str]]:
    """By source, the text of every file by its name."""
    return {
        "metering": render_metering(world),
        "reference": render_reference(world),
        "collections": render_collections(world),
        "integrations": render_integrations(world),
        "audit": render_audit(world),
        "shipping": render_shipping(world),
        "services": render_services(world),
        "ledger": render_ledger(world),
        "migration": render_migration(world),
    }


def render_metering(world: World) -> dict[str, str]:
    """File name to text: `usage/2026-11.jsonl` by the month of arrival, `seats/2026-11.csv` by the month counted."""
    events: dict[str, list[UsageEvent]] = defaultdict(list)
    for event in sorted(world.usage, key=lambda event: (event.received_at, event.record_id)):
        events[f"usage/{event.received_at:%Y-%m}.jsonl"].append(event)
    counts: dict[str, list[SeatCount]] = defaultdict(list)
    for count in world.seats.values():
        counts[f"seats/{count.month:%Y-%m}.csv"].append(count)
    files = {name: "".join(_event(event) for event in events[name]) for name in sorted(events)}
    files |= {name: _seats(counts[name]) for name in sorted(counts)}
    return files | _modules(world)


def _modules(world: World) -> dict[str, str]:
    header = ("customer", "product_code", "month", "quantity", "tag", "expires")
    rows: dict[str, list[Sequence[str]]] = defaultdict(list)
    for grant in world.grants.values():
        expires = grant.expires.isoformat() if grant.expires else ""
        rows[_month(grant.month)].append(
            (grant.customer, grant.product_code, _month(grant.month), f"{grant.quantity:f}", grant.tag or "", expires)
        )
    return {f"modules/{month}.csv": csv_text(header, rows[month]) for month in sorted(rows)}


def render_shipping(world: World) -> dict[str, str]:
    """`shipments/2026-11.csv` by the month in which the goods left."""
    header = (
        "shipment_line_id", "order_line_id", "contract_line_id", "product_code", "quantity", "unit_price", "currency",
        "shipped_date", "status", "customer",
    )  # fmt: skip
    rows: dict[str, list[Sequence[str]]] = defaultdict(list)
    for sent in world.shipments.values():
        price = f"{sent.price:f}" if sent.price is not None else ""
        line = (sent.key, "", sent.line_id or "", sent.product_code, f"{sent.quantity:f}", price, sent.currency)
        rows[_month(sent.day)].append((*line, sent.day.isoformat(), sent.status, sent.customer))
    return {f"shipments/{month}.csv": csv_text(header, rows[month]) for month in sorted(rows)}


def render_services(world: World) -> dict[str, str]:
    """`work_items/2026-11.csv` by the month in which the work was done."""
    header = (
        "work_id", "customer", "contract_id", "contract_line_id", "kind", "status", "hours", "rate", "amount",
        "currency", "worked_on", "approved_at", "invoice_line_id",
    )  # fmt: skip
    rows: dict[str, list[Sequence[str]]] = defaultdict(list)
    for item in world.work.values():
        said = (item.key, item.customer, item.contract_id, item.line_id, item.kind)
        status = ("Approved", instant(item.approved_at)) if item.approved_at else ("Submitted", "")
        hours, amount = (f"{number:f}" if number is not None else "" for number in (item.quantity, item.amount))
        when = (item.day.isoformat(), status[1], item.line_billed or "")
        rows[_month(item.day)].append((*said, status[0], hours, "", amount, item.currency, *when))
    return {f"work_items/{month}.csv": csv_text(header, rows[month]) for month in sorted(rows)}


def render_reference(world: World) -> dict[str, str]:
    """`rates.csv`: dollars for one unit of each currency, on the first of every month."""
    rows: list[Sequence[str]] = []
    month, step = world.first_day, 0
    while month <= world.today:
        for currency in _DOLLARS:
            rows.append((month.isoformat(), currency, "USD", str(dollars_for(currency, step))))
        month, step = add_months(month, 1), step + 1
    return {"rates.csv": csv_text(("date", "from_currency", "to_currency", "rate"), rows)}


def dollars_for(currency: str, step: int) -> Decimal:
    """What one unit of a currency was worth so many months after the first day of history, as it is published."""
    return (_DOLLARS[currency] * (1000 + step * 7 % 23 - 11) / 1000).quantize(Decimal("0.000001"))


def render_collections(world: World) -> dict[str, str]:
    """`dunning_steps/<year>.csv`."""
    header = ("step_id", "customer", "invoice_id", "payment_id", "kind", "status", "happened_at")
    rows: dict[str, list[Sequence[str]]] = defaultdict(list)
    for step in world.dunning:
        rows[f"dunning_steps/{step.happened_at:%Y}.csv"].append(
            (
                step.step_id,
                step.account_id,
                step.invoice_id,
                step.payment_id or "",
                step.kind,
                step.status,
                instant(step.happened_at),
            )
        )
    return {name: csv_text(header, rows[name]) for name in sorted(rows)}


def render_ledger(world: World) -> dict[str, str]:
    """`ledger_entries/2026-11.csv`, by the month in which they are posted."""
    header = (
        "entry_id", "document_id", "customer", "ledger_account", "kind", "origin", "amount", "currency", "posted_date",
        "period", "service_date", "written_at",
    )  # fmt: skip
    rows: dict[str, list[Sequence[str]]] = defaultdict(list)
    for entry in world.ledger.values():
        rows[f"ledger_entries/{entry.posted:%Y-%m}.csv"].append(
            (
                entry.entry_id,
                entry.document_id,
                entry.account_id,
                entry.ledger_account,
                entry.kind,
                entry.origin,
                str(entry.amount),
                entry.currency,
                entry.posted.isoformat(),
                entry.period,
                entry.service.isoformat() if entry.service else "",
                instant(entry.written_at),
            )
        )
    return {name: csv_text(header, rows[name]) for name in sorted(rows)}


def _event(event: UsageEvent) -> str:
    record = {
        "record_id": event.record_id,
        "event_id": event.event_id,
        "meter": event.meter,
        "customer": event.customer,
        "subject": event.subject,
        "subscription": event.subscription,
        "charge": event.charge,
        "quantity": str(event.quantity),
        "happened_at": instant(event.happened_at),
        "received_at": instant(event.received_at),
        "batch": event.batch,
        "test": event.test,
        "heartbeat": event.heartbeat,
    }
    return json.dumps(record) + "\n"


def _seats(counts: Iterable[SeatCount]) -> str:
    header = ("contract_line_id", "month", "product_code", "active_seats", "measure", "customer", "trial")
    rows = [
        (c.line_id, _month(c.month), c.product_code, str(c.active), c.measure, c.customer, str(c.trial).lower())
        for c in sorted(counts, key=lambda count: count.line_id)
    ]
    return csv_text(header, rows)


def _month(month: date) -> str:
    return f"{month:%Y-%m}"
