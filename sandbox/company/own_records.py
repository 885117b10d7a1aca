"""Tieout's own records: what the gateway has done about the company before today."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.company.documents import Invoice
from sandbox.company.world import World

_CHECKS = ("contract_terms_vs_billing", "seat_overage_unbilled", "missing_expected_invoice", "pricing_drift")


def put_case(world: World, amount: Decimal, currency: str, **columns: Any) -> str:
    """A case that an owner works on in time, unless `columns` say otherwise; returns its key."""
    number = world.ids.number("case")
    opened = world.now - timedelta(days=6, hours=number % 20)
    said = {
        "key": f"EXC-{number}",
        "number": f"EXC-{number}",
        "check": _CHECKS[number % len(_CHECKS)],
        "fingerprint": f"sha256:{number:064x}",
        "state": "in_progress",
        "severity": "S2",
        "owner": "maria",
        "owner_active": True,
        "amount": amount,
        "currency": currency,
        "opened_at": opened,
        "touched_at": opened + timedelta(days=4),
        "due_at": opened + timedelta(days=2),
        "untouched_until": opened + timedelta(days=8),
        "modified_at": opened + timedelta(days=4),
    }
    world.own["cases"].append({**said, **columns})
    return str(said["key"])


def put_hold(world: World, invoice: Invoice, held_at: datetime, **columns: Any) -> tuple[str, Decimal]:
    """A verdict that holds the invoice back, with a deadline four hours later; returns its key and what is held."""
    run = world.runs[invoice.run_id or ""]
    held = sum((line.amount + line.tax for line in world.on_invoice(invoice.billing_id)), invoice.total_shift)
    key = f"zuora/{run.number}/{invoice.billing_id}"
    said = {
        "key": key,
        "account_key": invoice.account_id,
        "run_key": run.number,
        "invoice_key": invoice.billing_id,
        "owner": "maria",
        "reason": "contract_terms_vs_billing",
        "amount": held,
        "currency": world.accounts[invoice.account_id].currency,
        "held_at": held_at,
        "due_at": held_at + timedelta(hours=4),
        "modified_at": held_at,
    }
    world.own["holds"].append({**said, **columns})
    return key, held


def put_override(world: World, invoice: Invoice, check: str, amount: Decimal, at: datetime) -> str:
    """An approved override of a check for one invoice in its run; returns its key."""
    number = world.ids.number("override")
    run = world.runs[invoice.run_id or ""]
    said = {
        "key": f"OVR-{number}",
        "account_key": invoice.account_id,
        "check": check,
        "run_key": run.number,
        "invoice_key": invoice.billing_id,
        "reason": "Agreed with the customer",
        "requested_by": "maria",
        "approved_by": "lukas",
        "approved_at": at,
        "amount": amount,
        "currency": world.accounts[invoice.account_id].currency,
        "modified_at": at,
    }
    world.own["overrides"].append(said)
    return str(said["key"])
