"""One decision per key: the same answer again, byte for byte, and nothing else under that key."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import func, select

from gateway.exceptions.tables import Case
from gateway.prebill.tables import Validation
from tests.gateway.prebill.prebill_fixtures import Serve
from tests.gateway.prebill.prebill_world import MINUTE, Caller, World, brills, invoice, line, question

DEAR = question(invoice("INV-1", "ZA-1", line(unit_price="41.00")))


def _decisions(world: World) -> int:
    with world.database.session() as session:
        return session.scalar(select(func.count()).select_from(Validation)) or 0


def _is_problem(reply: httpx.Response, status: int, kind: str) -> bool:
    problem = reply.json()
    return (reply.status_code, problem["type"], problem["proceed"]) == (status, f"urn:tieout:problem:{kind}", False)


def test_the_same_question_gets_the_same_bytes(world: World, caller: Caller) -> None:
    first = caller.ask(DEAR, "k-1")
    world.now += MINUTE
    world.publish()
    again = caller.ask(DEAR, "k-1")
    assert (first.status_code, again.content) == (200, first.content)
    assert _decisions(world) == 1
    validation_id = first.json()["validation_id"]
    assert caller.http.get(f"/v1/prebill/validations/{validation_id}").content == first.content


def test_key_order_and_white_space_make_no_other_question(caller: Caller) -> None:
    first = caller.ask(DEAR, "k-1")
    reordered = json.dumps(dict(reversed(DEAR.items())), indent=4).encode()
    assert caller.ask(reordered, "k-1").content == first.content


def test_the_same_key_for_another_question_is_refused(world: World, caller: Caller) -> None:
    caller.ask(DEAR, "k-1")
    assert _is_problem(caller.ask(question(brills()), "k-1"), 409, "idempotency-key-reused")
    assert _decisions(world) == 1


def test_a_verdict_expires(world: World, caller: Caller) -> None:
    first = caller.ask(DEAR, "k-1").json()
    world.now += 60 * MINUTE - MINUTE
    assert caller.ask(DEAR, "k-1").json() == first
    world.now += MINUTE
    assert _is_problem(caller.ask(DEAR, "k-1"), 409, "validation-expired")
    assert _is_problem(caller.ask(question(brills()), "k-1"), 409, "idempotency-key-reused")


def test_keys_are_each_callers_own(world: World, serve: Serve) -> None:
    one, other = serve(world), serve(world)
    first = one.ask(DEAR, "k-1")
    second = other.ask(question(brills()), "k-1")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["validation_id"] != second.json()["validation_id"]


def test_questions_that_come_at_once_under_one_key_get_one_decision(world: World, caller: Caller) -> None:
    together = threading.Barrier(6)

    def ask(_: int) -> httpx.Response:
        together.wait(timeout=30)
        return caller.ask(DEAR, "k-1")

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(ask, range(6)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == 1
    assert _decisions(world) == 1


def test_more_callers_than_the_database_has_connections_are_all_answered(world: World, caller: Caller) -> None:
    """Nobody holds a connection while waiting for another one."""
    many = 40
    together = threading.Barrier(many)

    def ask(n: int) -> int:
        together.wait(timeout=30)
        return caller.ask(DEAR, f"k-{n}").status_code

    with ThreadPoolExecutor(many) as pool:
        assert set(pool.map(ask, range(many))) == {200}
    assert _decisions(world) == many
    with world.database.session() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_question_that_could_not_be_put_leaves_its_key_unused(world: World, caller: Caller) -> None:
    assert caller.ask(b"{", "k-1").status_code == 422
    assert caller.ask(question(invoice(total="NaN")), "k-1").status_code == 422
    assert caller.ask(DEAR, "k-1").status_code == 200
    assert _decisions(world) == 1
