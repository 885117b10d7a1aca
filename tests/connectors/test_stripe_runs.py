"""Drafts of Stripe: pulled by id, all of them, or those of a day; held and released."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import PermanentError, UnknownRecord
from connectors.mapping_file import parse, shipped
from connectors.registry import open_run_source
from connectors.retries import RetryPolicy
from connectors.stripe.api import StripeConfig
from connectors.stripe.runs import StripeRuns
from sandbox.faults import Reset
from sandbox.stripe import StripeAccount, StripeServer
from tests.connectors.conftest import Clock

KEY = "sk_test_runs"


def _at(day: int, hour: int = 0, month: int = 11) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp())


@pytest.fixture
def account(clock: Clock) -> StripeAccount:
    return StripeAccount(clock, nested=2)


@pytest.fixture
def server(account: StripeAccount) -> Iterator[StripeServer]:
    with StripeServer(account, api_key=KEY, per_s=10_000) as running:
        yield running


@pytest.fixture
def runs(server: StripeServer, clock: Clock, retries: RetryPolicy) -> Iterator[StripeRuns]:
    config = StripeConfig(
        KEY,
        server.url,
        system="billing",
        page_size=2,
        timezone="America/New_York",
        requests_per_s=10_000,
        retries=retries,
    )
    with closing(StripeRuns(config, shipped("stripe"), clock)) as opened:
        yield opened


def _draft(account: StripeAccount, lines: int = 1, **fields: Any) -> str:
    total = {"total": 1000 * lines, "amount_remaining": 1000 * lines}
    invoice = account.put("invoice", {"customer": "cus_1", "auto_advance": True, **total, **fields})
    for n in range(lines):
        period = {"start": _at(1, 5), "end": _at(30, 5)}
        account.put("line_item", {"invoice": invoice, "amount": 1000, "period": period, "description": f"L{n}"})
    return invoice


def test_one_draft_is_a_run(account: StripeAccount, runs: StripeRuns) -> None:
    invoice = _draft(account, lines=5, period_end=_at(30, 5))
    _draft(account)
    pulled = runs.pull(invoice)
    said = (pulled.run["key"], pulled.run["status"], pulled.run["target_date"])
    assert said == (invoice, "draft", date(2026, 11, 30))
    assert [(row["key"], row["run_key"], row["total"]) for row in pulled.invoices] == [(invoice, invoice, Decimal(50))]
    assert {(row["invoice_key"], row["amount"], row["period_end"]) for row in pulled.lines} == {
        (invoice, Decimal(10), date(2026, 11, 30))
    }
    assert sorted(row["name"] for row in pulled.lines) == [f"L{n}" for n in range(5)]
    assert {row["system"] for row in (pulled.run, *pulled.invoices, *pulled.lines)} == {"billing"}


def test_all_drafts_are_a_run(account: StripeAccount, runs: StripeRuns) -> None:
    made = {_draft(account) for _ in range(5)}
    _draft(account, status="open")
    pulled = runs.pull("drafts")
    assert {row["key"] for row in pulled.invoices} == {row["invoice_key"] for row in pulled.lines} == made
    assert {row["run_key"] for row in pulled.invoices} == {"drafts"}


def test_a_day_is_a_day_of_the_account(account: StripeAccount, runs: StripeRuns) -> None:
    # 03:00 in UTC is still the day before in New York.
    by_period = _draft(account, period_end=_at(5, 3, 12))
    by_itself = _draft(account, period_end=_at(30), automatically_finalizes_at=_at(4, 18, 12))
    _draft(account, period_end=_at(5, 12, 12))
    pulled = runs.pull("drafts:2026-12-04")
    assert {row["key"] for row in pulled.invoices} == {by_period, by_itself}
    assert pulled.run["target_date"] == date(2026, 12, 4)
    assert runs.pull("drafts:2026-11-02").invoices == []


def test_a_discount_is_a_line_of_its_own(account: StripeAccount, runs: StripeRuns) -> None:
    invoice = _draft(account, lines=0)
    line = account.put("line_item", {"invoice": invoice, "amount": 1000, "discount_amounts": [{"amount": 150}]})
    rows = {row["key"]: row for row in runs.pull(invoice).lines}
    assert {key: (row["amount"], row["charge_type"]) for key, row in rows.items()} == {
        line: (Decimal(10), None),
        f"{line}/discount": (Decimal("-1.5"), "discount"),
    }


def test_a_run_that_is_not_there(runs: StripeRuns) -> None:
    for run_id in ("", "in_gone", "BR-1", "in_1/../x", "drafts:", "drafts:monday", "drafts:2026-11-31", "in_1?x"):
        with pytest.raises(UnknownRecord):
            runs.pull(run_id)


def test_only_a_draft_is_judged(account: StripeAccount, runs: StripeRuns) -> None:
    for status in ("open", "paid", "void", "uncollectible"):
        invoice = _draft(account, status=status)
        with pytest.raises(PermanentError, match=f"is {status}: only a draft"):
            runs.pull(invoice)


def test_a_draft_that_cannot_be_read_stops_the_pull(account: StripeAccount, runs: StripeRuns) -> None:
    bad = _draft(account, status="draft", total="many")
    _draft(account)
    with pytest.raises(PermanentError, match=f"invoice {bad} cannot be read, so the run cannot be.*is not a number"):
        runs.pull("drafts")


def test_a_held_draft_stays_until_it_is_released(
    account: StripeAccount, server: StripeServer, runs: StripeRuns, clock: Clock
) -> None:
    held, free = (_draft(account, automatically_finalizes_at=int(clock.now.timestamp()) + 3600) for _ in range(2))
    # The answer to the first try is lost; the second is the same request.
    server.faults.add(Reset(done=True), method="POST")
    runs.hold(held)
    runs.hold(held)
    clock.forward(hours=2)
    assert {row["key"] for row in runs.pull("drafts").invoices} == {held}
    assert (account.get("invoice", free) or {})["status"] == "open"
    runs.release(held)
    released = account.get("invoice", held) or {}
    assert (released["status"], released["auto_advance"]) == ("open", True)
    with pytest.raises(PermanentError, match="only a draft can still be held"):
        runs.hold(held)


def test_it_is_the_kinds_run_source_and_needs_its_objects(clock: Clock) -> None:
    opened = open_run_source("stripe", {"api_key": KEY}, shipped("stripe"), clock)
    assert isinstance(opened, StripeRuns)
    opened.close()
    bare = """
connector: stripe
objects:
  invoice: {key: id, targets: [{entity: invoices, columns: {number: number}}]}
"""
    with pytest.raises(PermanentError, match="has no draft_run"):
        open_run_source("stripe", {"api_key": KEY}, parse(bare), clock)
