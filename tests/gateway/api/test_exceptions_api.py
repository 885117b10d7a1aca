"""The queue for machines, over a socket."""

from typing import Any

import httpx
import pytest

from tests.gateway.prebill.prebill_fixtures import Serve
from tests.gateway.prebill.prebill_world import Caller, World, invoice, line, question
from tests.tls import TLS

CASE = "/v1/exceptions/EXC-1"


@pytest.fixture
def queue(caller: Caller) -> httpx.Client:
    """A queue of one case, EXC-1, which the gate has opened; billing's Ann and Bob own it, IT's Ida and Joe help."""
    answer = caller.ask(question(invoice("INV-1", "ZA-1", line(unit_price="41.00")))).json()
    assert answer["invoices"][0]["reasons"][0]["exception_id"] == "EXC-1"
    return caller.http


def _act(queue: httpx.Client, move: str, **said: Any) -> httpx.Response:
    return queue.post(f"{CASE}/{move}", json={"actor": "ann", **said})


def _is_problem(reply: httpx.Response, status: int) -> None:
    assert (reply.status_code, reply.json()["proceed"]) == (status, False), reply.text
    assert reply.headers["content-type"] == "application/problem+json"


def test_the_queue_lists_what_the_gate_found(queue: httpx.Client) -> None:
    page = queue.get("/v1/exceptions").json()
    (case,) = page["exceptions"]
    assert (page["found"], page["page"], page["pages"]) == (1, 1, 1)
    assert page["totals"] == [{"kind": "overbill", "currency": "USD", "cases": 1, "amount": "500.0000"}]
    assert (case["reference"], case["check"], case["state"]) == ("EXC-1", "wrong_price", "open")
    assert case["impact"] == {"kind": "overbill", "amount": "500.0000", "currency": "USD"}
    assert case["account"] == {"key": "SF-1", "name": "Acme"}
    assert (case["confidence"], case["confidence_reasons"]) == ("1.0000", ["rows joined by declared keys"])


FILTERS: tuple[tuple[dict[str, Any], int], ...] = (
    ({"check": "wrong_price"}, 1),
    ({"check": ["other", "wrong_price"], "sort": "due"}, 1),
    ({"check": "other"}, 0),
    ({"owner": "ann"}, 1),
    ({"tier": "alert"}, 1),
    ({"tier": ["digest", "review"]}, 0),
    ({"state": "resolved"}, 0),
    ({"page": 1000000, "per_page": 500}, 1),
)


def test_filters_narrow_the_list(queue: httpx.Client) -> None:
    found = [queue.get("/v1/exceptions", params=filters).json()["found"] for filters, _ in FILTERS]
    assert found == [count for _, count in FILTERS]


def test_a_filter_that_means_nothing_is_a_problem(queue: httpx.Client) -> None:
    long, far = "x" * 256, "9" * 30
    for query in ("page=0", "per_page=501", "sort=up", "check=%00", f"owner={long}", f"page={far}", "page=one"):
        _is_problem(queue.get(f"/v1/exceptions?{query}"), 422)


def test_a_case_can_be_worked_from_open_to_resolved(queue: httpx.Client) -> None:
    assert _act(queue, "acknowledge").json()["state"] == "acknowledged"
    assert _act(queue, "start", note="Looking.").json()["state"] == "in_progress"
    assert _act(queue, "assign", to="bob").json()["owners"]["business"] == "bob"
    waiting = _act(queue, "pend", state="pending_customer", until="2026-12-04T17:00:00Z", note="They check.")
    assert waiting.json()["state"] == "pending_customer"
    assert _act(queue, "resume").json()["state"] == "in_progress"
    assert _act(queue, "comment", note="They agree.").status_code == 200
    assert _act(queue, "resolve", code="corrected_invoice", note="Draft regenerated.").json()["state"] == "resolved"
    story = queue.get(CASE).json()
    moves = [event["move"] for event in story["timeline"]]
    assert moves == ["opened", "acknowledged", "started", "assigned", "pended", "resumed", "commented", "resolved"]
    assert story["evidence"][0]["fields"]["unit_price"] == "41"
    assert story["clocks"]["resolve"] is not None


def test_a_case_that_is_not_there(queue: httpx.Client) -> None:
    for reference in ("EXC-2", "2", "EXC-", "nonsense", f"EXC-{'9' * 30}", "%00", "..%2F..", "EXC-1%00"):
        _is_problem(queue.get(f"/v1/exceptions/{reference}"), 404)
        _is_problem(queue.post(f"/v1/exceptions/{reference}/start", json={"actor": "ann"}), 404)


def test_a_move_that_the_case_does_not_allow_is_a_conflict(queue: httpx.Client) -> None:
    _is_problem(_act(queue, "resume"), 409)
    _is_problem(_act(queue, "comment"), 409)
    _is_problem(_act(queue, "acknowledge", actor="eve"), 409)
    _is_problem(_act(queue, "acknowledge", actor="nobody"), 409)


def test_nobody_promises_anything_for_the_end_of_time(queue: httpx.Client) -> None:
    late = {"until": "9999-12-31T23:59:59-12:00", "note": "Wait."}
    _act(queue, "acknowledge")
    _is_problem(_act(queue, "pend", state="pending_vendor", **late), 409)
    _is_problem(_act(queue, "resolve", code="accepted_risk", approver="bob", **late), 409)


UNSAYABLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("start", {"actor": ""}),
    ("start", {"surprise": 1}),
    ("comment", {"note": "a\x00b"}),
    ("comment", {"note": "x" * 10_001}),
    ("assign", {}),
    ("pend", {"state": "resolved", "until": "2026-12-04T17:00:00Z"}),
    ("pend", {"state": "pending_vendor", "until": "2026-12-04T17:00:00", "note": "Wait."}),
    ("resolve", {"code": "shrug", "note": "No."}),
)


def test_what_no_action_can_say_is_a_problem(queue: httpx.Client) -> None:
    _act(queue, "acknowledge")
    for move, said in UNSAYABLE:
        _is_problem(_act(queue, move, **said), 422)


MALFORMED = (
    *(b"", b"{", b"[]", b"[" * 100_000, b"1e999"),
    *(b'{"actor": "\\ud800"}', b'{"\\ud800": 1}', b'{"actor": "\xff"}'),
)


def test_a_malformed_action_is_a_problem(queue: httpx.Client) -> None:
    for body in MALFORMED:
        reply = queue.post(f"{CASE}/start", content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code in (400, 422)
        _is_problem(reply, reply.status_code)


def test_reading_is_not_writing(world: World, serve: Serve, queue: httpx.Client) -> None:
    reader = serve(world, "exceptions:read").http
    assert reader.get(CASE).status_code == 200
    _is_problem(_act(reader, "start"), 403)
    asker = serve(world, "prebill:validate").http
    _is_problem(asker.get("/v1/exceptions"), 403)
    nobody = httpx.Client(base_url=queue.base_url, verify=TLS)
    with nobody:
        _is_problem(nobody.get("/v1/exceptions"), 401)
        _is_problem(_act(nobody, "start"), 401)


def test_the_probes_and_the_metrics(queue: httpx.Client, world: World) -> None:
    assert queue.get("/readyz").json() == {"status": "ready", "snapshot": world.installed.ledger.latest_id()}
    assert queue.get("/metrics").headers["content-type"].startswith("text/plain")
