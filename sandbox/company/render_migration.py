"""The snapshot of the old billing system: one file for each kind of record, named by its last day."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from sandbox.company.file_format import csv_text
from sandbox.company.labels import BILLING, OLD_BILLING
from sandbox.company.legacy_records import LegacyAccount, LegacyLine, LegacySubscription
from sandbox.company.model import a_day_before
from sandbox.company.world import World

_PERIODS = {1: "Monthly", 3: "Quarterly", 6: "Semiannual", 12: "Annual"}
_ACCOUNT = (
    "account_id", "customer", "name", "number", "status", "currency", "parent_account_id", "payment_terms",
    "successor_id", "snapshot_date",
)  # fmt: skip
_SUBSCRIPTION = (
    "subscription_id", "customer", "number", "status", "start_date", "end_date", "cancelled_date", "term_type",
    "currency", "monthly_amount", "successor_id", "expected_delta", "approved_by", "snapshot_date",
)  # fmt: skip
_LINE = (
    "line_id", "subscription_id", "product_code", "name", "charge_type", "quantity", "unit_price", "price_period",
    "billing_period", "currency", "start_date", "end_date", "charged_through", "monthly_amount", "grandfathered",
    "price_until", "successor_id", "expected_delta", "approved_by", "snapshot_date",
)  # fmt: skip


def render_migration(world: World) -> dict[str, str]:
    """Name to text of the files; the crosswalk names the successors of lines that do not name them."""
    last = a_day_before(world.cutover).isoformat()
    crosswalk = ("left_system", "left_id", "right_system", "right_id", "basis")
    return {
        f"crosswalk/{last}.csv": csv_text(crosswalk, _crosswalk(world)),
        f"accounts/{last}.csv": csv_text(
            _ACCOUNT, (_account(world, one, last) for one in world.legacy_accounts.values())
        ),
        f"subscriptions/{last}.csv": csv_text(
            _SUBSCRIPTION, (_subscription(world, one, last) for one in world.legacy_subscriptions.values())
        ),
        f"subscription_lines/{last}.csv": csv_text(
            _LINE, (_line(world, one, last) for one in world.legacy_lines.values())
        ),
    }


def _account(world: World, old: LegacyAccount, last: str) -> Sequence[str]:
    account = world.accounts[old.account_id]
    return (
        old.key, old.account_id, account.name, account.number, "Active", account.currency, old.parent or "",
        account.payment_terms, old.successor, last,
    )  # fmt: skip


def _subscription(world: World, old: LegacySubscription, last: str) -> Sequence[str]:
    monthly = sum((line.monthly for line in world.legacy_lines.where(subscription=old.key)), Decimal(0))
    return (
        old.key, old.account_id, old.number, "Active", old.start.isoformat(), _day(old.end), "",
        "Termed" if old.end else "Evergreen", world.accounts[old.account_id].currency, str(monthly), old.successor,
        _number(old.expected_delta), old.approved_by or "", last,
    )  # fmt: skip


def _line(world: World, line: LegacyLine, last: str) -> Sequence[str]:
    currency = world.accounts[world.legacy_subscriptions[line.subscription].account_id].currency
    named = "" if line.in_crosswalk else line.successor or ""
    return (
        line.key, line.subscription, line.product_code, line.name, "Recurring", str(line.quantity), str(line.price),
        "Month", _PERIODS[line.billing_months], currency, line.start.isoformat(), _day(line.end), "", str(line.monthly),
        "yes" if line.grandfathered else "no", _day(line.price_until), named,
        "", "", last,
    )  # fmt: skip


def _crosswalk(world: World) -> Iterator[Sequence[str]]:
    for line in world.legacy_lines.values():
        if line.in_crosswalk and line.successor:
            yield OLD_BILLING, line.key, BILLING, line.successor, "confirmed"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _number(number: Decimal | None) -> str:
    return "" if number is None else str(number)
