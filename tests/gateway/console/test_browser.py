"""The console in a real browser: what a page looks like is what its reader gets."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from checks.contract import MoneyKind, Severity
from gateway.db.session import Database
from tests.gateway.console.console_world import DAY, HOUR, NOW, World, finding, invoice, reason

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("TIEOUT_BROWSER_TESTS") != "required",
    reason="There is no chromium on the path; TIEOUT_BROWSER_TESTS=required makes that a failure.",
)
ADDRESSES = (
    "/",
    "/exceptions",
    "/exceptions/EXC-1",
    "/validations",
    "/validations/val_00000000000000000001",
    "/nowhere",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM is not None, "TIEOUT_BROWSER_TESTS=required, and there is no chromium on the path."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def company(world: World) -> World:
    """A dozen exceptions, a snapshot and a blocked run."""
    sizes = [finding(f"CL-{n}", f"{n * 1000}.00", fails_from=NOW - n * 10 * DAY) for n in range(1, 11)]
    world.find(
        *sizes,
        finding("CL-EUR", "7000000.00", currency="EUR", kind=MoneyKind.OVERBILL, severity=Severity.S1),
        at=NOW - HOUR / 2,
    )
    world.publish(salesforce=NOW - HOUR / 4, zuora=NOW - 3 * HOUR, netsuite=None)
    world.validate([invoice(n, "block", reason()) if n % 3 == 0 else invoice(n) for n in range(1, 61)])
    return world


@pytest.fixture
def root(company: World) -> Iterator[str]:
    with company.served() as url:
        yield url


@pytest.fixture
def browsed(chromium: Browser, root: str) -> Iterator[Page]:
    """A page of a fresh browser; what the browser complained about fails the test."""
    complaints: list[str] = []
    with chromium.new_context(base_url=root, viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    assert [text for text in complaints if "404 (Not Found)" not in text] == []


def _case_of(page: Page, line: str) -> None:
    page.goto(f"/exceptions?text={line}")
    page.get_by_role("row").filter(has_text=line).get_by_role("link").first.click()


def test_no_page_scrolls_sideways(browsed: Page) -> None:
    for address in ADDRESSES:
        browsed.goto(address)
        for width in (1280, 900, 768, 390, 320):
            browsed.set_viewport_size({"width": width, "height": 800})
            assert browsed.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_bar_of_the_chart_leads_to_its_exceptions(browsed: Page) -> None:
    browsed.goto("/")
    browsed.locator(".chart a").first.click()
    expect(browsed.get_by_role("heading", name="Exceptions")).to_be_visible()
    assert "age=" in browsed.url


def test_filters_are_chosen_in_menus_and_kept_in_the_address(browsed: Page) -> None:
    browsed.goto("/exceptions")
    browsed.get_by_text("Severity", exact=True).first.click()
    browsed.get_by_label("S1 critical").check()
    browsed.keyboard.press("Escape")
    expect(browsed.get_by_label("S1 critical")).to_be_hidden()
    browsed.get_by_role("button", name="Apply").click()
    assert "severity=S1" in browsed.url
    expect(browsed.locator("table.cases tbody tr")).to_have_count(1)
    browsed.get_by_label("Remove the filter Severity: S1 critical").click()
    expect(browsed.locator("table.cases tbody tr")).to_have_count(11)


def test_a_menu_closes_when_the_page_is_clicked(browsed: Page) -> None:
    browsed.goto("/exceptions")
    browsed.get_by_text("Severity", exact=True).first.click()
    expect(browsed.get_by_label("S1 critical")).to_be_visible()
    browsed.get_by_role("heading", name="Exceptions").click()
    expect(browsed.get_by_label("S1 critical")).to_be_hidden()


def test_a_case_is_worked_from_found_to_resolved(browsed: Page) -> None:
    _case_of(browsed, "CL-EUR")
    browsed.get_by_role("button", name="Acknowledge").click()
    expect(browsed.get_by_role("status")).to_have_text("Acknowledged: it is yours now.")
    browsed.get_by_role("button", name="Start work").click()
    browsed.get_by_text("Wait for somebody").click()
    browsed.get_by_label("For whom").select_option(label="Waiting for vendor")
    browsed.get_by_label("Expected until (UTC)").fill("2026-12-04T17:00")
    browsed.get_by_label("What for").fill("Zuora support, case 4711")
    browsed.get_by_role("button", name="Wait").click()
    expect(browsed.locator(".clocks")).to_contain_text("Paused")
    browsed.get_by_role("button", name="Resume").click()
    browsed.get_by_text("Resolve …").click()
    browsed.get_by_label("How it was resolved").select_option(label="Credit issued")
    browsed.get_by_label("What was done").fill("Credit memo CM-11")
    browsed.get_by_role("button", name="Resolve").click()
    expect(browsed.locator(".timeline li").first).to_contain_text("Credit memo CM-11")
    expect(browsed.locator(".case-heading")).to_contain_text("Resolved")


def test_a_resolution_asks_only_for_what_it_needs(browsed: Page) -> None:
    _case_of(browsed, "CL-1")
    browsed.get_by_role("button", name="Acknowledge").click()
    browsed.get_by_text("Resolve …").click()
    approver, misled = browsed.get_by_label("Approved by"), browsed.get_by_label("What misled the check")
    expect(approver).to_be_hidden()
    browsed.get_by_label("How it was resolved").select_option("accepted_risk")
    expect(approver).to_be_visible()
    expect(misled).to_be_hidden()
    browsed.get_by_label("How it was resolved").select_option("false_positive")
    expect(approver).to_be_hidden()
    expect(misled).to_be_visible()


def test_invoices_unfold_to_their_reasons(browsed: Page) -> None:
    browsed.goto("/validations/val_00000000000000000001")
    expect(browsed.get_by_text("Do not proceed")).to_be_visible()
    first = browsed.locator(".invoices li").first
    expect(first.locator("table")).to_be_hidden()
    first.locator("summary").click()
    expect(first.locator("table")).to_contain_text("18 more seats than licensed were active.")


def test_the_keyboard_reaches_everything_and_sees_where_it_is(browsed: Page) -> None:
    browsed.goto("/exceptions")
    browsed.keyboard.press("Tab")
    expect(browsed.get_by_text("Skip to the content")).to_be_focused()
    browsed.keyboard.press("Tab")
    width = browsed.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"


def test_every_mark_has_words_and_every_field_a_label(browsed: Page) -> None:
    for address in ADDRESSES:
        browsed.goto(address)
        assert all(text.strip() for text in browsed.locator(".badge, .flag").all_text_contents()), address
        fields = browsed.locator("input:not([type=hidden]), select, textarea")
        assert fields.evaluate_all("all => all.filter(field => !field.labels.length).length") == 0, address


def test_the_pages_work_without_their_script(chromium: Browser, root: str) -> None:
    with chromium.new_context(base_url=root, java_script_enabled=False) as context:
        page = context.new_page()
        _case_of(page, "CL-EUR")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_role("status")).to_have_text("Acknowledged: it is yours now.")


def test_nothing_is_fetched_from_elsewhere(chromium: Browser, root: str) -> None:
    asked: list[str] = []
    with chromium.new_context(base_url=root) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for address in ADDRESSES:
            page.goto(address)
    assert asked
    assert [url for url in asked if not url.startswith(root)] == []


def test_a_foreign_page_can_neither_frame_nor_post(chromium: Browser, root: str, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.html"
    hostile.write_text(f'<form method="post" action="{root}/exceptions/EXC-1/acknowledge"><button>Win</button></form>')
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{root}/")
        page.goto(hostile.as_uri())
        with page.expect_response(lambda response: response.request.method == "POST") as answered:
            page.get_by_role("button").click()
        assert answered.value.status == 403
        page.set_content(f'<iframe src="{root}/"></iframe>', wait_until="load")
        assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_signing_in_with_a_key(chromium: Browser, database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, access="key")
    key = world.key("bob")
    with world.served() as root, chromium.new_context(base_url=root) as context:
        page = context.new_page()
        page.goto("/exceptions?severity=S1")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Exceptions")).to_be_visible()
        assert page.url.endswith("/exceptions?severity=S1")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
