import re
from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from checks.contract import MoneyKind, Severity
from gateway.exceptions.actions import Acting, acknowledge
from gateway.exceptions.search import Query, search
from tests.gateway.console.console_pages import page
from tests.gateway.console.console_world import DAY, HOUR, NOW, OWNERS, World, finding


@pytest.fixture
def three(world: World) -> World:
    world.find(
        finding("CL-1", "900.00", fails_from=NOW - 2 * DAY),
        finding("CL-2", "100.00", currency="EUR", kind=MoneyKind.OVERBILL, fails_from=NOW - 90 * DAY),
        finding("CL-3", "30000.00", severity=Severity.S1, fails_from=NOW - DAY),
        at=NOW - timedelta(minutes=20),
    )
    return world


def _order(client: httpx.Client, query: str = "") -> list[str]:
    """The contract lines in the order of the page."""
    return re.findall(r"active on (CL-\d):", page(client, f"/exceptions{query}").text)


@pytest.mark.usefixtures("three")
def test_a_row_shows_who_owes_what_until_when(client: httpx.Client) -> None:
    text = page(client, "/exceptions?severity=S1").text
    for words in (
        "S1 Seat overage unbilled 18 more seats than licensed were active on CL-3: 30000.00 USD.",
        "Customer CL-3 30,000.00 USD Leak Ann Abara Billing Open On track Ack due 1 Dec 16:10, 40 min left 24 h",
    ):
        assert words in text


@pytest.mark.usefixtures("three")
def test_the_first_are_those_with_the_most_amount_times_age(client: httpx.Client) -> None:
    assert _order(client) == ["CL-3", "CL-2", "CL-1"]


FILTERED: Mapping[str, list[str]] = {
    "?severity=S1": ["CL-3"],
    "?severity=S1&severity=S2": ["CL-3", "CL-2", "CL-1"],
    "?currency=EUR": ["CL-2"],
    "?currency=none": [],
    "?kind=overbill": ["CL-2"],
    "?age=0-7": ["CL-3", "CL-1"],
    "?age=90%2B": ["CL-2"],
    "?age=30-90": [],
    "?account=A-CL-1": ["CL-1"],
    "?text=cl-2": ["CL-2"],
    "?business_team=it": [],
    "?business_team=billing": ["CL-3", "CL-2", "CL-1"],
    "?team=it": ["CL-3", "CL-2", "CL-1"],
    "?owner=bob": [],
    "?state=resolved": [],
    "?sort=amount": ["CL-3", "CL-1", "CL-2"],
    "?sort=due&kind=leak": ["CL-3", "CL-1"],
    "?currency=USD&age=0-7&sla=ok": ["CL-3", "CL-1"],
}


@pytest.mark.usefixtures("three")
def test_filters_and_order_are_in_the_address(client: httpx.Client) -> None:
    assert {query: _order(client, query) for query in FILTERED} == FILTERED


@pytest.mark.usefixtures("three")
def test_a_reference_finds_its_exception(client: httpx.Client) -> None:
    shown = page(client, "/exceptions?text=exc-2")
    assert "1 exception not resolved, filtered" in shown.text
    assert shown.links["EXC-2"] == "/exceptions/EXC-2"


def test_the_sla_filter_follows_the_clock(three: World, client: httpx.Client) -> None:
    assert [_order(client, f"?sla={sla}") for sla in ("ok", "at_risk", "breached")] == [
        ["CL-3", "CL-2", "CL-1"],
        [],
        [],
    ]
    three.now = NOW + HOUR / 3
    assert [_order(client, f"?sla={sla}") for sla in ("ok", "at_risk", "breached")] == [["CL-2", "CL-1"], ["CL-3"], []]
    three.now = NOW + HOUR
    assert [_order(client, f"?sla={sla}") for sla in ("ok", "at_risk", "breached")] == [["CL-2", "CL-1"], [], ["CL-3"]]
    assert _order(client, "?sla=ok&sla=breached") == ["CL-3", "CL-2", "CL-1"]
    assert "Breached Ack due 1 Dec 16:10, 20 min over" in page(client, "/exceptions?sla=breached").text


def test_an_acknowledged_case_shows_its_resolve_clock(three: World, client: httpx.Client) -> None:
    with three.installed.database.session() as session:
        (case,) = search(session, Query(severity=("S1",)), NOW).cases
        acknowledge(Acting(session, OWNERS, "ann", NOW), case.reference)
    assert (
        "Acknowledged On track Resolve due 2 Dec 15:10, 7 h 40 min left" in page(client, "/exceptions?severity=S1").text
    )


@pytest.mark.usefixtures("three")
def test_totals_are_of_all_pages_and_never_over_currencies(client: httpx.Client) -> None:
    shown = page(client, "/exceptions?sort=newest")
    assert shown.links["30,900.00"] == "/exceptions?kind=leak&currency=USD&sort=newest"
    assert shown.links["100.00"] == "/exceptions?kind=overbill&currency=EUR&sort=newest"


def test_long_lists_come_in_pages(world: World, client: httpx.Client) -> None:
    world.find(*(finding(f"CL-{n}", f"{n}.00") for n in range(1, 121)))
    first = page(client, "/exceptions?kind=leak&sort=amount")
    assert "120 exceptions" in first.text
    assert "Page 1 of 3" in first.text
    assert "CL-120:" in first.text
    assert "CL-70:" not in first.text
    assert first.links["Next →"] == "/exceptions?kind=leak&sort=amount&page=2"
    assert "Page 3 of 3" in page(client, "/exceptions?page=99").text


@pytest.mark.usefixtures("three")
def test_each_filter_can_be_taken_away(client: httpx.Client) -> None:
    shown = page(client, "/exceptions?severity=S1&account=A-CL-3&text=seats")
    assert shown.links["Remove the filter Severity: S1 critical"] == "/exceptions?account=A-CL-3&text=seats"
    assert shown.links["Remove the filter Text: seats"] == "/exceptions?severity=S1&account=A-CL-3"
    assert shown.links["Clear all"] == "/exceptions"


@pytest.mark.usefixtures("three")
def test_the_form_keeps_what_its_menus_do_not_offer(client: httpx.Client) -> None:
    form = page(client, "/exceptions?account=A-CL-3").form("/exceptions")
    assert form is not None
    assert form.fields["account"] == "A-CL-3"


def test_an_empty_list_says_why(world: World, client: httpx.Client) -> None:
    assert "Nothing has been synchronised yet" in page(client, "/exceptions").text
    world.publish(salesforce=NOW)
    assert "No open exceptions" in page(client, "/exceptions").text
    assert "No exception fits these filters" in page(client, "/exceptions?severity=S1").text


@pytest.mark.usefixtures("three")
def test_odd_addresses_are_no_error(client: httpx.Client) -> None:
    for query in (
        "?severity=%00",
        "?text=%25%5C_%00",
        "?page=0",
        "?sort=up",
        "?age=yesterday",
        "?sla=x",
        "?text=" + "9" * 40,
    ):
        page(client, f"/exceptions{query}")


def test_words_from_the_data_stay_words(world: World, client: httpx.Client) -> None:
    world.find(finding("CL-<b>", message="<script>alert(1)</script>"))
    text = client.get("/exceptions").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
