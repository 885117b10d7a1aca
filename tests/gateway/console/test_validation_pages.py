from collections.abc import Sequence

import httpx

from tests.gateway.console.console_pages import page
from tests.gateway.console.console_world import HOUR, NOW, World, invoice, reason

ADDRESS = "/validations/val_00000000000000000001"


def test_a_blocked_run_must_not_proceed(world: World, client: httpx.Client) -> None:
    world.validate([invoice(1), invoice(2, "block", reason())])
    shown = page(client, ADDRESS)
    for words in (
        "Do not proceed Block",
        "2 invoices 1 blocked 0 with a warning 1 passed",
        "USD 120,000.00 20,900.00 900.00 0.00 0.00 0.00",
        "Salesforce up to 1 Dec 2026, 14:30 UTC (60 min ago)",
        "NetSuite up to never read",
        "sha256:" + "c" * 64,
        "good until 1 Dec 2026, 16:30 UTC (in 60 min)",
        "1 check has no source Shipped not billed",
        "Block failed Seat overage unbilled 18 more seats than licensed were active.",
        "20,900.00 20,000.00 900.00 USD Leak EXC-1",
    ):
        assert words in shown.text
    assert shown.links["EXC-1"] == "/exceptions/EXC-1"


# What the answer says otherwise, hours since, the decision.
DECISIONS: Sequence[tuple[dict[str, object], int, str]] = [
    ({}, 0, "Proceed Pass"),
    ({}, 1, "Expired: ask again before posting Pass"),
    ({"verdict": "warn"}, 0, "Proceed Warn"),
    ({"mode": "dry_run", "proceed": False}, 0, "Would proceed Pass"),
    (
        {"mode": "dry_run", "proceed": False, "would_proceed": False, "verdict": "block"},
        0,
        "Would not proceed Block",
    ),
    ({"verdict": "block", "proceed": False, "would_proceed": False}, 1, "Do not proceed Block"),
]


def test_the_banner_says_what_may_happen(world: World, client: httpx.Client) -> None:
    for number, (changes, later, decision) in enumerate(DECISIONS):
        world.now = NOW
        name = world.validate([invoice(1)], validation_id=f"val_{number}", **changes)
        world.now = NOW + later * HOUR
        assert decision in page(client, f"/validations/{name}").text


def test_blocked_invoices_come_first_and_pages_stay_small(world: World, client: httpx.Client) -> None:
    blocked = {9_999, 5_000}
    world.validate([invoice(n, "block", reason()) if n in blocked else invoice(n) for n in range(1, 10_001)])
    response = client.get(ADDRESS)
    assert len(response.content) < 100_000
    shown = page(client, ADDRESS)
    assert shown.text.index("INV-5000") < shown.text.index("INV-9999") < shown.text.index("INV-1 ")
    assert "Page 1 of 200" in shown.text
    assert shown.links["Next →"] == "?page=2"
    assert "INV-49" in page(client, ADDRESS + "?page=2").text


def test_invoices_are_found_by_verdict_and_by_name(world: World, client: httpx.Client) -> None:
    world.validate([invoice(1), invoice(2, "block", reason()), invoice(3, "warn", reason(mode="warn"))])
    assert _listed(client, "?verdict=block") == ["INV-2"]
    assert _listed(client, "?find=inv-3") == ["INV-3"]
    assert _listed(client, "?find=a-1") == ["INV-1"]
    assert _listed(client, "?invoice=INV-1&verdict=pass") == ["INV-1"]
    assert _listed(client, "?find=%25") == []
    assert _listed(client, "?page=7") == ["INV-2", "INV-3", "INV-1"]
    assert _listed(client, "?verdict=nonsense&page=x") == ["INV-2", "INV-3", "INV-1"]
    assert "No invoice of this run fits." in page(client, ADDRESS + "?find=nothing").text


def _listed(client: httpx.Client, query: str) -> list[str]:
    text = page(client, ADDRESS + query).text
    return sorted((f"INV-{n}" for n in (1, 2, 3) if f"INV-{n}" in text.partition("Find ")[2]), key=text.rindex)


def test_an_invoice_with_many_reasons_shows_them_on_its_own_page(world: World, client: httpx.Client) -> None:
    world.validate([invoice(1, "block", *(reason(message=f"Reason number {n}.") for n in range(60)))])
    shown = page(client, ADDRESS)
    assert "Reason number 24." in shown.text
    assert "Reason number 25." not in shown.text
    assert "Reason number 59." in page(client, ADDRESS + shown.links["All 60 reasons of this invoice"]).text


def test_reasons_about_the_whole_run_come_before_the_invoices(world: World, client: httpx.Client) -> None:
    stale = reason(
        check="source_stale",
        outcome="not_evaluated",
        message="NetSuite is stale.",
        expected=None,
        actual=None,
        impact=None,
        exception_id=None,
    )
    world.validate([invoice(1, "block")], run_reasons=[reason(mode="warn"), *[stale] * 60])
    shown = page(client, ADDRESS)
    assert "About the whole run 61" in shown.text
    assert "Block not evaluated Source stale NetSuite is stale. — — — —" in shown.text
    assert shown.links["Next →"] == "?reasons_page=2"
    assert "held by what concerns the whole run" in shown.text


def test_an_empty_run_says_so(world: World, client: httpx.Client) -> None:
    world.validate([], verdict="block", proceed=False, would_proceed=False, amounts=[])
    text = page(client, ADDRESS).text
    assert "The run holds no invoice." in text
    assert "The run holds no amounts." in text


def test_the_list_has_the_newest_first_and_filters(world: World, client: httpx.Client) -> None:
    world.validate(
        [invoice(1)], validation_id="val_1", run={"system": "zuora", "id": "BR-1", "target_date": "2026-12-01"}
    )
    world.now = NOW + HOUR
    world.validate(
        [invoice(1, "block")], validation_id="val_2", run={"system": "zuora", "id": "BR-2", "target_date": "2026-12-01"}
    )
    shown = page(client, "/validations")
    assert shown.text.index("BR-2") < shown.text.index("BR-1")
    assert "proceed, expired" in shown.text
    assert shown.links["BR-1"] == "/validations/val_1"
    assert "BR-1" not in page(client, "/validations?verdict=block").text
    assert "BR-2" not in page(client, "/validations?find=br-1").text
    assert "No validation fits these filters" in page(client, "/validations?find=zzz").text


def test_an_unasked_gate_says_so(client: httpx.Client) -> None:
    assert "The gate has not been asked yet" in page(client, "/validations").text


def test_an_unknown_verdict_is_not_found(client: httpx.Client) -> None:
    for name in ("val_ffff", "nonsense", "val_%00", "val_" + "0" * 100):
        assert "no validation" in page(client, f"/validations/{name}", 404).text
