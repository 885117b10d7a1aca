"""Runs of BillingPlatform: current invoices of a cycle, or one invoice, pulled whole or not at all."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.runs import BillingPlatformRuns
from connectors.contract import DraftRun
from connectors.errors import PermanentError, SchemaChanged, UnknownRecord
from connectors.mapping_file import shipped
from connectors.retries import RetryPolicy
from sandbox.billingplatform import BillingPlatformServer, Organisation
from tests.connectors.conftest import Clock

RUN, LAST = "2026-11-30", date(2026, 11, 30)


@pytest.fixture
def organisation(clock: Clock) -> Organisation:
    made = Organisation(clock)
    account = made.put("ACCOUNT", {"Name": "Acme"})
    made.put("BILLING_PROFILE", {"AccountId": account, "CurrencyCode": "USD"})
    return made


@pytest.fixture
def runs(organisation: Organisation, clock: Clock, retries: RetryPolicy) -> Iterator[BillingPlatformRuns]:
    with BillingPlatformServer(organisation, client_id="client", client_secret="a-secret") as server:
        config = BillingPlatformConfig(
            server.url, client_id="client", client_secret="a-secret", system="billing", page_size=50, retries=retries
        )
        opened = BillingPlatformRuns(config, shipped("billingplatform"), clock)
        yield opened
        opened.close()


def _invoice(organisation: Organisation, total: str, lines: int = 1, **more: object) -> str:
    fields = {"BillingProfileId": "1", "Status": "CURRENT", "BillingCycleEndDate": LAST, "GrandTotalAmount": total}
    invoice = organisation.put("INVOICE", {**fields, **more})
    for _ in range(lines):
        line = {"AccountId": "1", "InvoiceId": invoice, "RatedAmount": total, "Quantity": "2", "CurrencyCode": "USD"}
        organisation.put("ACTIVITY", {**line, "SubscriptionFromDate": date(2026, 11, 1), "SubscriptionToDate": LAST})
    return invoice


def _keys(pulled: DraftRun) -> set[str]:
    return {row["key"] for row in pulled.invoices}


def test_a_run_is_the_current_invoices_whose_cycle_ends_that_day(
    organisation: Organisation, runs: BillingPlatformRuns
) -> None:
    ids = [_invoice(organisation, "10.50"), _invoice(organisation, "20000.00", lines=2)]
    _invoice(organisation, "1", Status="CLOSED")
    _invoice(organisation, "1", BillingCycleEndDate=date(2026, 12, 31))
    organisation.put("ACTIVITY", {"AccountId": "1", "RatedAmount": "9"})
    pulled = runs.pull(RUN)
    assert pulled.whole
    assert (pulled.run["key"], pulled.run["number"], pulled.run["target_date"]) == (RUN, RUN, LAST)
    assert [(row["key"], row["total"], row["status"], row["account_id"]) for row in pulled.invoices] == [
        (ids[0], Decimal("10.5"), "draft", "1"),
        (ids[1], Decimal(20000), "draft", "1"),
    ]
    assert {(row["currency"], row["run_key"], row["invoice_date"]) for row in pulled.invoices} == {("USD", RUN, LAST)}
    assert [(row["invoice_key"], row["amount"], row["charge_type"], row["period_end"]) for row in pulled.lines] == [
        (ids[0], Decimal("10.5"), "recurring", date(2026, 12, 1)),
        (ids[1], Decimal(20000), "recurring", date(2026, 12, 1)),
        (ids[1], Decimal(20000), "recurring", date(2026, 12, 1)),
    ]
    assert {row["system"] for row in (pulled.run, *pulled.invoices, *pulled.lines)} == {"billing"}


def test_usage_is_a_line_as_well(organisation: Organisation, runs: BillingPlatformRuns) -> None:
    invoice = _invoice(organisation, "5", lines=0)
    organisation.put("ACTIVITY", {"AccountId": "1", "InvoiceId": invoice, "RatedAmount": "5"})
    assert [(row["amount"], row["charge_type"]) for row in runs.pull(RUN).lines] == [(Decimal(5), "usage")]


def test_one_invoice_is_no_whole_run(organisation: Organisation, runs: BillingPlatformRuns) -> None:
    ids = [_invoice(organisation, "10"), _invoice(organisation, "20")]
    pulled = runs.pull(ids[1])
    assert (_keys(pulled), {row["invoice_key"] for row in pulled.lines}) == ({ids[1]}, {ids[1]})
    assert (pulled.run["key"], pulled.run["target_date"], pulled.whole) == (ids[1], LAST, False)


def test_more_invoices_and_lines_than_a_page_holds(organisation: Organisation, runs: BillingPlatformRuns) -> None:
    ids = {_invoice(organisation, "1") for _ in range(230)}
    pulled = runs.pull(RUN)
    assert _keys(pulled) == {row["invoice_key"] for row in pulled.lines} == ids
    assert len(pulled.lines) == len({row["key"] for row in pulled.lines}) == 230


@pytest.mark.parametrize("run_id", ["2026-12-31", "999", "", "1/2", "2026-13-01", "2026-W48-1", "١٢"])
def test_a_run_that_is_not_there(organisation: Organisation, runs: BillingPlatformRuns, run_id: str) -> None:
    _invoice(organisation, "1")
    with pytest.raises(UnknownRecord):
        runs.pull(run_id)


def test_an_invoice_that_is_closed_is_not_judged(organisation: Organisation, runs: BillingPlatformRuns) -> None:
    closed = _invoice(organisation, "1", Status="CLOSED")
    with pytest.raises(PermanentError, match=f"The invoice {closed} is CLOSED: only one that is CURRENT can be"):
        runs.pull(closed)


def test_a_draft_or_a_line_that_cannot_be_read_stops_the_pull(
    organisation: Organisation, runs: BillingPlatformRuns
) -> None:
    _invoice(organisation, "1")
    bad = _invoice(organisation, "0.00001", lines=0)
    with pytest.raises(PermanentError, match=rf"INVOICE {bad} of the run cannot be read.*more than 4 digits"):
        runs.pull(RUN)
    organisation.put("INVOICE", {"Id": bad, "GrandTotalAmount": "1"})
    line = organisation.put("ACTIVITY", {"AccountId": "1", "InvoiceId": bad, "RatedAmount": "0.00001"})
    with pytest.raises(PermanentError, match=rf"ACTIVITY {line} of the run cannot be read"):
        runs.pull(RUN)


def test_a_void_invoice_among_the_drafts_is_said_to_be_void(
    organisation: Organisation, runs: BillingPlatformRuns
) -> None:
    void = _invoice(organisation, "1", VoidFlag="1")
    assert [(row["key"], row["status"]) for row in runs.pull(RUN).invoices] == [(void, "void")]


def test_a_lost_permission_is_no_invoice_without_lines(organisation: Organisation, runs: BillingPlatformRuns) -> None:
    _invoice(organisation, "1")
    organisation.forbid("ACTIVITY")
    with pytest.raises(SchemaChanged, match="ACTIVITY"):
        runs.pull(RUN)
