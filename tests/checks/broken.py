"""For every shipped check, books that hold exactly one state that it must find."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from checks.findings import Finding
from tests.checks.kit import NOW, Ledger, clean, findings, seats


def won(**columns: Any) -> Ledger:
    """A customer who signed a second contract, of which billing knows nothing."""
    base = {"start_date": date(2026, 11, 1), "end_date": date(2027, 11, 1), "opportunity_key": "O2"}
    ledger = (
        clean().contract("K2", **base).contract_line("CL2", "K2", **{k: base[k] for k in ("start_date", "end_date")})
    )
    said: dict[str, Any] = {
        "name": "Second site",
        "type": "New Business",
        "is_won": True,
        "is_closed": True,
        "close_date": date(2026, 10, 20),
        "amount": Decimal(36_500),
        "currency": "USD",
    }
    return ledger.add("opportunities", "crm", "O2", **{**said, **columns})


def unsold_line() -> Ledger:
    return clean().contract_line("CL2", product_code="SUPPORT", quantity=Decimal(1), unit_price=Decimal(450))


def amended(delta: int = 20, effective: date = date(2026, 10, 1), **columns: Any) -> Ledger:
    """An activated amendment of the seats, quoted and revised in the CRM; billing knows nothing of it."""
    ledger = clean().add("quote_lines", "crm", "QL1", quote_key="AM1", amends_line_key="CL1")
    ledger.contract_line(
        "CL1-A", revises_key="CL1", quote_line_key="QL1", quantity=Decimal(delta), start_date=effective
    )
    said = {"status": "activated", "contract_key": "K1", "effective_date": effective, "currency": "USD"}
    return ledger.add("amendments", "crm", "AM1", **{**said, **columns})


def short_schedule() -> Ledger:
    return clean().change("billing_schedules", "SL1", end_date=date(2026, 12, 2))


def lost_line(**columns: Any) -> Ledger:
    """A posted invoice with a line that names nothing."""
    bare: dict[str, Any] = {"line_version_key": None, "product_code": "EXTRA", "amount": Decimal(15_000)}
    return clean().invoice("INVX", date(2026, 11, 10), {**bare, **columns})


def in_erp(ledger: Ledger | None = None) -> Ledger:
    """The clean customer's invoices as the ERP has them."""
    ledger = ledger or clean()
    for row in list(ledger.rows["invoices"]):
        ledger.add(
            "invoices", "erp", f"E-{row['key']}", billing_key=row["number"], status="posted", total=row["total"],
            currency=row["currency"],
        )  # fmt: skip
    return ledger


def event(ledger: Ledger, key: str, **columns: Any) -> Ledger:
    said: dict[str, Any] = {
        "event_id": f"id-{key}",
        "meter": "api_calls",
        "subject": "tenant-1",
        "subscription_number": "N-S1",
        "quantity": Decimal(1000),
        "happened_at": datetime(2026, 11, 5, 12, tzinfo=UTC),
        "received_at": datetime(2026, 11, 5, 12, 5, tzinfo=UTC),
        "batch": "b1",
        "is_test": False,
    }
    return ledger.add("usage_events", "usage", key, **{**said, **columns})


def metered() -> Ledger:
    """The clean customer also buys API calls at 0.004."""
    ledger = clean().contract_line(
        "CL9", product_code="API-CALL", charge_type="usage", quantity=None, unit_price=Decimal("0.004"),
        list_price=Decimal("0.005"), billing_timing="arrears",
    )  # fmt: skip
    return ledger.subscription_line(
        "SL9", line="CL9", product_code="API-CALL", name="API calls", charge_type="usage", quantity=None,
        unit_price=Decimal("0.004"), unit="Call", billing_timing="arrears", end_date=None,
    )  # fmt: skip


def unowned_usage(quantity: int = 100_000) -> Ledger:
    ledger = event(metered(), "E1")
    return event(
        ledger, "E2", account_id="ghost", account_key=None, subscription_number=None, quantity=Decimal(quantity)
    )


def repeated_event() -> Ledger:
    ledger = event(metered(), "E1", event_id="same", quantity=Decimal(5000))
    later = datetime(2026, 11, 5, 13, tzinfo=UTC)
    return event(ledger, "E2", event_id="same", quantity=Decimal(5000), batch="b2", received_at=later)


def crowded(active: int = 518, **columns: Any) -> Ledger:
    """November: more active seats than the 500 in the price, each above them at 50.00."""
    ledger = clean().change(
        "contract_lines", "CL1", included_quantity=Decimal(500), overage_price=Decimal(50), overage_measure="peak"
    )
    said: dict[str, Any] = {
        "contract_line_key": "CL1",
        "product_code": "SEAT",
        "active_quantity": Decimal(active),
        "period_start": date(2026, 11, 1),
        "period_end": date(2026, 12, 1),
        "measure": "peak",
        "is_trial": False,
    }
    return ledger.add("entitlements", "seats", "CL1-2026-11", **{**said, **columns})


def underpriced(amount: str = "18000") -> Ledger:
    """December's draft bills less than the contract says."""
    ledger = clean().change("invoice_lines", "INV12-1", amount=Decimal(amount), unit_price=Decimal(amount) / 500)
    return ledger.change("invoices", "INV12", status="draft", total=Decimal(amount))


def billed_twice() -> Ledger:
    return clean().invoice("INVX", date(2026, 12, 1), seats(12), status="draft")


def cancelled(on: date = date(2026, 11, 16)) -> Ledger:
    return clean().change("subscriptions", "S1", status="cancelled", cancelled_date=on).remove("invoices", "INV12")


def unbilled_november() -> Ledger:
    return clean().remove("invoices", "INV11").remove("invoice_lines", "INV11-1")


def wrong_total() -> Ledger:
    return clean().change("invoices", "INV12", total=Decimal("20000.10"), status="draft")


def unscheduled_revenue(**columns: Any) -> Ledger:
    said: dict[str, Any] = {
        "invoice_key": "E1",
        "recognition": "over_time",
        "amount": Decimal(20_000),
        "currency": "USD",
        "period_start": date(2026, 11, 1),
        "period_end": date(2026, 12, 1),
        "billing_key": "INV11-1",
    }
    ledger = clean().add("invoices", "erp", "E1", number="E1", status="posted", billing_key="INV11", currency="USD")
    return ledger.add("invoice_lines", "erp", "EL1", **{**said, **columns})


def shipped(**columns: Any) -> Ledger:
    said: dict[str, Any] = {
        "contract_line_key": "CL5",
        "product_code": "ROUTER",
        "quantity": Decimal(10),
        "shipped_date": date(2026, 11, 10),
        "status": "shipped",
        "currency": "USD",
    }
    ledger = clean().contract_line(
        "CL5", product_code="ROUTER", charge_type="one_time", quantity=Decimal(10), unit_price=Decimal(120)
    )
    ledger.subscription_line("SL5", line="CL5", product_code="ROUTER", charge_type="one_time", quantity=Decimal(10),
                             unit_price=Decimal(120))  # fmt: skip
    return ledger.add("shipments", "shipping", "SH1", **{**said, **columns})


def unsettled(ledger: Ledger) -> Ledger:
    """Everything of the ERP as it is, minus one posted invoice."""
    return ledger.remove("invoices", "E-INV10")


def _gathered() -> Iterator[tuple[str, Callable[[], Ledger]]]:
    """What the families keep in `states.py`, and the tests of single checks beside them."""
    folder = Path(__file__).parent
    for path in sorted(folder.glob("*/*.py")):
        if "\nBROKEN" in path.read_text(encoding="utf-8"):
            yield from import_module(f"tests.checks.{path.parent.name}.{path.stem}").BROKEN.items()


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "closed_won_not_in_billing": won,
    "order_lines_missing_in_billing": unsold_line,
    "amendment_without_billing_schedule": amended,
    "subscription_line_without_schedule": short_schedule,
    "invoice_without_contract_detail": lost_line,
    "invoice_not_in_erp": lambda: unsettled(in_erp()),
    "broken_amendment_link": lambda: amended(contract_key=None),
    "cancelled_still_billing": cancelled,
    "duplicate_invoice_line": billed_twice,
    "duplicate_usage_event": repeated_event,
    "revenue_schedule_missing": unscheduled_revenue,
    "shipped_not_billed": shipped,
    "usage_unmatched_account": unowned_usage,
    "seat_overage_unbilled": crowded,
    "contract_terms_vs_billing": underpriced,
    "invoice_math_error": wrong_total,
    "missing_expected_invoice": unbilled_november,
    **dict(_gathered()),
}
"""`source_stale` is missing: it reads no rows, but how far the sources were read."""


@cache
def found(check: str) -> tuple[Finding, ...]:
    """What a check finds in its state of BROKEN: worked out once for all that other states are compared with."""
    return findings(check, BROKEN[check]())


EARLIER = NOW - timedelta(days=40)
