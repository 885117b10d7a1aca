import re
from datetime import timedelta

import httpx
import pytest

from checks.contract import MoneyKind, Severity
from tests.gateway.console.console_pages import Page, act, page
from tests.gateway.console.console_world import DAY, HOUR, NOW, World, check, finding, invoice, reason


@pytest.fixture
def busy(world: World) -> World:
    """Five exceptions of two teams, two currencies and four ages; one past its deadlines, one at risk."""
    late = finding("CL-1", "900.00", fails_from=NOW - 100 * DAY)
    world.find(late, at=NOW - 10 * DAY)
    world.find(
        late,
        finding("CL-2", "100.00", currency="EUR", fails_from=NOW - 40 * DAY),
        finding("CL-3", "50.00", fails_from=NOW - 8 * DAY),
        finding("CL-4", "7.25", severity=Severity.S4, fails_from=NOW - DAY),
        at=NOW - 19 * HOUR - HOUR / 2,
    )
    stale = check("source_stale", owners=("it", "it"))
    world.find(
        finding("NS", "0.00", check="source_stale", owners=stale.owners, kind=MoneyKind.EXPOSURE, currency=None),
        at=NOW,
        of=stale,
    )
    return world


def _found(client: httpx.Client, address: str) -> int:
    """How many exceptions the queue behind a link says it has."""
    told = re.search(r"(\d+) exceptions?\b", page(client, address).text)
    return int(told[1]) if told else 0


@pytest.mark.usefixtures("busy")
def test_the_numbers_of_a_busy_day(client: httpx.Client) -> None:
    front = page(client, "/")
    for words in ("5 open exceptions", "1 past a deadline", "2 deadline at risk", "4 S2 high", "1 S4 low", "0 S1"):
        assert words in front.text


@pytest.mark.usefixtures("busy")
def test_every_number_leads_to_as_many_exceptions(client: httpx.Client) -> None:
    front = page(client, "/")
    counted = [(words, href) for words, href in front.links.items() if href.startswith("/exceptions?")]
    numbers = [(int(told[1]), href) for words, href in counted if (told := re.match(r"(?:.*: )?(\d+)(?:$| )", words))]
    assert len(numbers) > 20
    for number, href in numbers:
        assert _found(client, href) == number, href


@pytest.mark.usefixtures("busy")
def test_amounts_stay_apart_by_kind_and_currency(client: httpx.Client) -> None:
    front = page(client, "/")
    assert front.links["957.25"] == "/exceptions?kind=leak&currency=USD"
    assert front.links["100.00"] == "/exceptions?kind=leak&currency=EUR"
    assert "1,057.25" not in front.text
    assert _found(client, front.links["957.25"]) == 3


@pytest.mark.usefixtures("busy")
def test_charts_are_part_of_the_page(client: httpx.Client) -> None:
    text = client.get("/").text
    assert text.count('<svg class="chart"') == 3
    assert "<title>Open amounts in EUR by age and kind of money</title>" in text


def test_an_installation_that_never_synchronised_says_so(client: httpx.Client) -> None:
    front = page(client, "/")
    for words in ("0 open exceptions", "no snapshot yet", "The gate has not been asked yet", "Not read yet"):
        assert words in front.text
    assert '<svg class="chart"' not in client.get("/").text


def test_sources_are_fresh_behind_or_failing(world: World, client: httpx.Client) -> None:
    world.publish(salesforce=NOW - timedelta(minutes=10), zuora=NOW - 3 * HOUR, netsuite=None)
    front = page(client, "/")
    assert "Salesforce 1 Dec 2026, 15:20 UTC (10 min ago) Fresh" in front.text
    assert "Zuora 1 Dec 2026, 12:30 UTC (3 h ago) Behind" in front.text
    assert "NetSuite — Failing" in front.text
    assert "Accounts, Invoices: could not be read: the password was refused." in front.text


def test_the_last_verdicts_with_what_they_held(world: World, client: httpx.Client) -> None:
    world.validate([invoice(1), invoice(2, "block", reason())])
    front = page(client, "/")
    assert "BR-00000123 Zuora Block do not proceed" in front.text
    assert front.links["BR-00000123"] == "/validations/val_00000000000000000001"
    assert front.links["1"] == "/validations/val_00000000000000000001?verdict=block"


@pytest.mark.usefixtures("busy")
def test_a_resolved_exception_is_counted_no_more(client: httpx.Client) -> None:
    act(client, "EXC-1", "acknowledge")
    act(client, "EXC-1", "resolve", code="credit_issued", note="CM-11")
    assert "4 open exceptions" in page(client, "/").text


def test_now_is_the_clock_of_the_installation(world: World, client: httpx.Client) -> None:
    world.publish(salesforce=NOW)
    world.now = NOW + 2 * DAY
    front = Page(client.get("/"))
    assert "Now 3 Dec 2026, 15:30 UTC" in front.text
    assert "Data 2 days ago" in front.text
