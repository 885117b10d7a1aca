from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from checks.catalogue import CATALOGUE
from checks.contract import Severity
from gateway.exceptions.escalation import run_escalations
from gateway.exceptions.search import case_file
from gateway.exceptions.tables import Case
from tests.gateway.console.console_pages import Page, act, page
from tests.gateway.console.console_world import DAY, HOUR, NOW, OWNERS, World, finding


@pytest.fixture
def open_case(world: World) -> World:
    """EXC-1, an S2 found half an hour ago; Ann owns it."""
    world.find(finding(), at=NOW - HOUR / 2)
    return world


def _case(world: World) -> Case:
    with world.installed.database.session() as session:
        return case_file(session, OWNERS, "EXC-1", world.now).case


def _actions(shown: Page) -> set[str]:
    return {form.action.rpartition("/")[2] for form in shown.forms if form.action.startswith("/exceptions/EXC-1/")}


@pytest.mark.usefixtures("open_case")
def test_the_money_is_shown_with_its_arithmetic(client: httpx.Client) -> None:
    text = page(client, "/exceptions/EXC-1").text
    for words in (
        "Leak never billed 900.00 USD Expected 20,900.00 Actual 20,000.00",
        "expected = seats * price = 418 × 50 = 20,900",
        "amount = 20,900 − 20,000 = 900.00",
        "Price 50 Seats 418",
    ):
        assert words in text


@pytest.mark.usefixtures("open_case")
def test_evidence_stands_side_by_side(client: httpx.Client) -> None:
    text = page(client, "/exceptions/EXC-1").text
    assert "Salesforce Contract lines CL-1 Zuora Subscription lines SL-CL-1" in text
    assert "Quantity differs 418 400" in text
    assert "Unit price 50 50" in text
    assert "Charged through — 2026-12-01" in text


@pytest.mark.usefixtures("open_case")
def test_owners_clocks_and_facts(client: httpx.Client) -> None:
    text = page(client, "/exceptions/EXC-1").text
    for words in (
        "Acknowledge On track Due 1 Dec 2026, 19:00 UTC (in 3 h) 30 min used, 3 h 30 min left",
        "Resolve On track Due 3 Dec 2026, 15:00 UTC (in 47 h) 30 min used, 15 h 30 min left",
        "Business Ann Abara Billing Technical Ida Ito IT",
        "Period 1 Nov 2026 – 30 Nov 2026",
        "Broken since 28 Nov 2026, 15:30 UTC (3 days ago)",
        "blocks the invoice",
    ):
        assert words in text


@pytest.mark.usefixtures("open_case")
def test_the_account_leads_to_all_its_exceptions(client: httpx.Client) -> None:
    assert page(client, "/exceptions/EXC-1").links["Customer CL-1"] == "/exceptions?account=A-CL-1"


def test_the_advice_is_the_check_s_own(world: World, client: httpx.Client) -> None:
    known = next(iter(CATALOGUE.values()))
    world.find(finding(check=known.id))
    text = page(client, "/exceptions/EXC-1").text
    for part in ("why", "cause", "fix"):
        assert known.advice[part] in text


def test_a_check_that_is_gone_has_no_advice(world: World, client: httpx.Client) -> None:
    world.find(finding(check="retired_check"))
    assert "retired_check is not in the catalogue of this version" in page(client, "/exceptions/EXC-1").text


@pytest.mark.usefixtures("open_case")
def test_only_actions_that_the_state_allows_are_offered(client: httpx.Client) -> None:
    assert _actions(page(client, "/exceptions/EXC-1")) == {"acknowledge", "assign", "comment"}
    act(client, "EXC-1", "acknowledge")
    assert _actions(page(client, "/exceptions/EXC-1")) == {"start", "resolve", "assign", "comment"}
    act(client, "EXC-1", "start")
    assert _actions(page(client, "/exceptions/EXC-1")) == {"pend", "resolve", "assign", "comment"}
    act(client, "EXC-1", "pend", state="pending_vendor", until="2026-12-04T17:00", note="Zuora looks at it.")
    assert _actions(page(client, "/exceptions/EXC-1")) == {"resume", "resolve", "assign", "comment"}
    act(client, "EXC-1", "resolve", code="fixed_at_source", note="Quantity corrected.")
    assert _actions(page(client, "/exceptions/EXC-1")) == {"comment"}


def test_an_action_leads_back_to_the_case_and_says_what_happened(open_case: World, client: httpx.Client) -> None:
    answer = act(client, "EXC-1", "acknowledge")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/exceptions/EXC-1?done=acknowledge"
    shown = page(client, answer.headers["location"])
    assert "Acknowledged: it is yours now." in shown.text
    assert "Acknowledged Ann Abara 1 Dec 2026, 15:30 UTC (just now)" in shown.text
    assert _case(open_case).acknowledged_at == NOW


def test_waiting_pauses_the_clock_until_it_is_over(open_case: World, client: httpx.Client) -> None:
    act(client, "EXC-1", "acknowledge")
    act(client, "EXC-1", "start")
    act(client, "EXC-1", "pend", state="pending_customer", until="2026-12-04T17:00", note="Seats to be confirmed.")
    text = page(client, "/exceptions/EXC-1").text
    assert "Resolve Paused" in text
    assert "Waiting for customer until 4 Dec 2026, 17:00 UTC (in 3 days): Seats to be confirmed." in text
    act(client, "EXC-1", "resume")
    assert _case(open_case).state == "in_progress"


def test_assigning_names_both_owners_in_the_timeline(open_case: World, client: httpx.Client) -> None:
    act(client, "EXC-1", "assign", to="joe", role="technical")
    assert _case(open_case).technical_owner == "joe"
    assert "Technical owner: Ida Ito → Joe Jara" in page(client, "/exceptions/EXC-1").text


@pytest.mark.usefixtures("open_case")
def test_a_comment_is_kept_as_it_was_typed(client: httpx.Client) -> None:
    act(client, "EXC-1", "comment", note=" First line\r\nsecond <line>\x07 ")
    assert "First line\nsecond &lt;line&gt;</p>" in client.get("/exceptions/EXC-1").text


REFUSED: Sequence[tuple[dict[str, str], str]] = [
    ({"code": "", "note": "n"}, "Choose how the case was resolved."),
    ({"code": "auto_verified", "note": "n"}, "Only a check can say auto_verified"),
    ({"code": "fixed_at_source", "note": "  "}, "Say how EXC-1 was resolved"),
    ({"code": "false_positive", "note": "n"}, "Say what misled the check about EXC-1"),
    ({"code": "accepted_risk", "note": "n", "approver": "ann"}, "needs another person's approval"),
    ({"code": "accepted_risk", "note": "n", "approver": "bob", "until": "2026-11-01T10:00"}, "still to come"),
    ({"code": "accepted_risk", "note": "n", "approver": "bob", "until": "Friday"}, "'Friday' is no date and time"),
    ({"code": "duplicate_of", "note": "n", "duplicate_of": "EXC-77"}, "can only duplicate another exception"),
    ({"code": "duplicate_of", "note": "n", "duplicate_of": "twelve"}, "'twelve' is no exception"),
]


def test_a_resolution_that_lacks_something_is_refused_in_a_sentence(open_case: World, client: httpx.Client) -> None:
    act(client, "EXC-1", "acknowledge")
    for said, sentence in REFUSED:
        answer = act(client, "EXC-1", "resolve", **said)
        assert answer.status_code == 409, said
        assert sentence in Page(answer).text
    assert _case(open_case).state == "acknowledged"


@pytest.mark.usefixtures("open_case")
def test_what_was_typed_is_still_there_after_a_refusal(client: httpx.Client) -> None:
    act(client, "EXC-1", "acknowledge")
    answer = act(client, "EXC-1", "resolve", code="false_positive", note="A long story.")
    assert ">A long story.</textarea>" in answer.text
    assert '<option value="false_positive" selected>' in answer.text


def test_every_resolution_can_be_given_from_the_form(world: World, client: httpx.Client) -> None:
    codes: list[dict[str, str]] = [
        {"code": "fixed_at_source"},
        {"code": "corrected_invoice"},
        {"code": "credit_issued"},
        {"code": "not_reproducible"},
        {"code": "false_positive", "sub_reason": "proration"},
        {"code": "accepted_risk", "approver": "bob", "until": "2027-01-31T00:00"},
        {"code": "duplicate_of", "duplicate_of": "EXC-8"},
    ]
    world.find(*(finding(f"CL-{n}") for n in range(1, 9)))
    for number, said in enumerate(codes, start=1):
        act(client, f"EXC-{number}", "acknowledge")
        answer = act(client, f"EXC-{number}", "resolve", note="Done.", **said)
        assert answer.status_code == 303, Page(answer).text
    assert "Approved by" not in page(client, "/exceptions/EXC-6").text
    assert "Approver: Bob Berger · Accepted until: 31 Jan 2027, 00:00 UTC" in page(client, "/exceptions/EXC-6").text
    assert page(client, "/exceptions/EXC-7").links["EXC-8"] == "/exceptions/EXC-8"


@pytest.mark.usefixtures("open_case")
def test_a_move_that_came_too_late_is_refused(client: httpx.Client) -> None:
    act(client, "EXC-1", "acknowledge")
    answer = act(client, "EXC-1", "acknowledge")
    assert answer.status_code == 409
    assert "EXC-1 is acknowledged and cannot be acknowledged; it would have to be open." in Page(answer).text


@pytest.mark.parametrize("until", ["", "2026-12-01T15:30"])
def test_waiting_needs_an_end_that_is_still_to_come(open_case: World, client: httpx.Client, until: str) -> None:
    act(client, "EXC-1", "acknowledge")
    act(client, "EXC-1", "start")
    answer = act(client, "EXC-1", "pend", state="pending_customer", until=until, note="Why")
    assert answer.status_code == 409
    assert _case(open_case).state == "in_progress"


def test_whoever_owns_nothing_cannot_acknowledge(open_case: World, client: httpx.Client) -> None:
    with open_case.installed.database.session() as session:
        session.get_one(Case, 1).business_team = "it"
    shown = page(client, "/exceptions/EXC-1")
    assert "Only members of IT can acknowledge it." in shown.text
    assert shown.form("/acknowledge") is None
    assert "Have it assigned to you first" in Page(act(client, "EXC-1", "acknowledge")).text


def test_escalations_and_breaches_are_told(open_case: World, client: httpx.Client) -> None:
    open_case.now = NOW + 3 * DAY
    with open_case.installed.database.session() as session:
        run_escalations(session, OWNERS, open_case.now)
    text = page(client, "/exceptions/EXC-1").text
    assert "Deadline passed Tieout (escalation) The deadline of its acknowledgement has passed. Told: Ann Abara" in text
    assert "Acknowledge Breached Due 1 Dec 2026, 19:00 UTC" in text


def test_a_case_that_came_back_keeps_its_earlier_cycle(open_case: World, client: httpx.Client) -> None:
    act(client, "EXC-1", "acknowledge")
    act(client, "EXC-1", "resolve", code="fixed_at_source", note="Done.")
    open_case.now = NOW + DAY
    open_case.find(finding(amount="950.00"))
    text = page(client, "/exceptions/EXC-1").text
    assert "Came back" in text
    assert "Cycle 1 Acknowledge Met Done 1 Dec 2026, 15:30 UTC" in text
    assert "Resolve Met" in text


def test_a_growing_finding_is_told_as_a_change(open_case: World, client: httpx.Client) -> None:
    open_case.now = NOW + timedelta(minutes=5)
    open_case.find(finding(amount="1000.00", severity=Severity.S1))
    text = page(client, "/exceptions/EXC-1").text
    assert "Finding changed" in text
    assert "Severity: S2 → S1 · Amount: 900.00 USD → 1,000.00 USD" in text


def test_an_unsure_finding_says_how_sure_it_is_and_why(world: World, client: httpx.Client) -> None:
    unsure = finding("CL-2", confidence=Decimal("0.8"), confidence_reasons=("they only look alike", "ids differ"))
    world.find(finding("CL-1"))
    world.find(finding("CL-1"), unsure)
    assert "Confidence 1.00 nearly certain or certain rows joined by" in page(client, "/exceptions/EXC-1").text
    assert "Confidence 0.80 likely they only look alike ids differ" in page(client, "/exceptions/EXC-2").text
    likely = page(client, "/exceptions?tier=digest").text
    assert ("EXC-1" in likely, "EXC-2" in likely, "Sure to 0.80" in likely) == (False, True, True)
    assert "EXC-2" not in page(client, "/exceptions?tier=review").text


def test_symptoms_hang_on_their_fault(world: World, client: httpx.Client) -> None:
    world.find(finding("CL-1"), finding("CL-2"))
    with world.installed.database.session() as session:
        session.get_one(Case, 2).parent = 1
    assert page(client, "/exceptions/EXC-1").links["EXC-2"] == "/exceptions/EXC-2"
    assert "Symptom of EXC-1" in page(client, "/exceptions/EXC-2").text


@pytest.mark.usefixtures("open_case")
def test_there_is_no_such_action_or_case(client: httpx.Client) -> None:
    assert "There is no action 'delete'." in Page(act(client, "EXC-1", "delete")).text
    assert "There is no exception EXC-99." in page(client, "/exceptions/EXC-99", 404).text
    assert "'nonsense' is no exception" in page(client, "/exceptions/nonsense", 404).text
