"""The gate's contract over a socket: who may ask, what is refused, and that no refusal can be read as a yes."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select, text

from gateway.api.v1 import create_api
from gateway.keys.keys import revoke
from gateway.prebill.tables import Validation
from tests.gateway.prebill.prebill_fixtures import Serve, Worlds
from tests.gateway.prebill.prebill_world import Caller, World, brills, invoice, line, question, served

PATH = "/v1/prebill/validations"


def _is_problem(reply: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = reply.json()
    assert problem.keys() == {"type", "title", "status", "detail", "proceed"}
    assert (problem["type"], problem["status"]) == (f"urn:tieout:problem:{kind}", status)
    assert problem["proceed"] is False
    assert problem["detail"].endswith(".")
    return problem


def _post(caller: Caller, **headers: str) -> httpx.Response:
    said = {"Idempotency-Key": "k-1", **headers}
    return caller.http.post(PATH, json=question(invoice()), headers={k: v for k, v in said.items() if v})


def test_without_a_key_that_is_known_nothing_is_answered(caller: Caller) -> None:
    del caller.http.headers["Authorization"]
    unknown = f"Bearer tk_000000000000_{'0' * 64}"
    for authorization in ("", "Basic dGlzOm9rZXk=", "Bearer", "Bearer tk_1_2", unknown, "tk_x"):
        reply = _post(caller, Authorization=authorization)
        _is_problem(reply, 401, "unauthenticated")
        assert reply.headers["www-authenticate"] == 'Bearer realm="tieout"'


def test_a_wrong_secret_is_no_key(caller: Caller) -> None:
    right = caller.http.headers["Authorization"]
    _is_problem(_post(caller, Authorization=right[:-1] + ("0" if right[-1] != "0" else "1")), 401, "unauthenticated")


def test_a_revoked_key_is_refused_from_then_on(world: World, caller: Caller) -> None:
    assert _post(caller).status_code == 200
    with world.database.session() as session:
        revoke(session, caller.http.headers["Authorization"].split("_")[1], world.now)
    _is_problem(_post(caller), 401, "unauthenticated")


def test_a_key_needs_the_scope(world: World, serve: Serve) -> None:
    reader = serve(world, "exceptions:read", "exceptions:write")
    problem = _is_problem(reader.ask(question(invoice())), 403, "scope-missing")
    assert "prebill:validate" in problem["detail"]
    _is_problem(reader.http.get(f"{PATH}/val_00000000000000000000"), 403, "scope-missing")


def test_a_question_needs_a_key_of_its_own(caller: Caller) -> None:
    _is_problem(_post(caller, **{"Idempotency-Key": ""}), 400, "idempotency-key-missing")
    _is_problem(_post(caller, **{"Idempotency-Key": "x" * 256}), 422, "malformed-request")


def test_a_verdict_can_be_read_again(caller: Caller) -> None:
    answered = caller.ask(question(invoice()))
    assert caller.http.get(f"{PATH}/{answered.json()['validation_id']}").content == answered.content
    _is_problem(caller.http.get(f"{PATH}/val_00000000000000000000"), 404, "not-found")
    _is_problem(caller.http.get(f"{PATH}/val_%00"), 422, "malformed-request")


def test_before_the_first_snapshot_and_without_a_route(unpublished: Worlds, serve: Serve) -> None:
    caller = serve(unpublished())
    reply = caller.ask(question(invoice()))
    _is_problem(reply, 503, "not-available")
    assert reply.headers["retry-after"] == "60"
    _is_problem(caller.http.get("/v1/prebill/nothing"), 404, "not-found")
    reply = caller.http.put(PATH)
    _is_problem(reply, 405, "method-not-allowed")
    assert reply.headers["allow"] == "POST"
    _is_problem(caller.http.get("/readyz"), 503, "not-available")


MALFORMED = (
    b"",
    b"null",
    b"{",
    b"[" * 200_000,
    b'{"run": {"system": "zuora", "id": "\\udc00"}}',
    b'{"run": {"system": "zuora", "id": "\xff"}}',
    b'{"run": {"system": "zu\\u0000ora", "id": "BR-1"}}',
    json.dumps(question(invoice(total="1e400"))).encode(),
    b'{"run": {"system": "zuora", "id": "B"}, "invoices": [{"total": 1e400}]}',
    b'{"run": {"system": "zuora", "id": "B"}, "invoices": NaN}',
    json.dumps(question(invoice(), invoice())).encode(),
    json.dumps(question(invoice(currency="usd"))).encode(),
    json.dumps(question(invoice("INV-1", "ZA-1", line(amount="1.00001")))).encode(),
    json.dumps(question(invoice("INV-1", "ZA-1", line(period_end="2026-10-31")))).encode(),
)


def test_a_malformed_body_is_a_problem_and_leaves_nothing_behind(world: World, caller: Caller) -> None:
    for body in MALFORMED:
        _is_problem(caller.ask(body), 422, "malformed-request")
    with world.database.session() as session:
        assert session.scalar(select(func.count()).select_from(Validation)) == 0


def test_a_body_that_is_too_large_is_refused_and_read_to_its_end(worlds: Worlds, serve: Serve) -> None:
    caller = serve(worlds(gate={"max_body_bytes": 1000}))
    for size in (1001, 50_000_000):
        _is_problem(caller.ask(b" " * size), 413, "body-too-large")
    chunks = (b" " * 1_000_000 for _ in range(20))
    headers = {"Idempotency-Key": "k-1"}
    _is_problem(caller.http.post(PATH, content=chunks, headers=headers), 413, "body-too-large")
    small = question(run={"system": "nowhere", "id": "BR-1"})
    assert caller.ask(small).status_code == 404, "the connection is as good as before"


def test_a_body_of_just_the_limit_is_read(worlds: Worlds, serve: Serve) -> None:
    body = json.dumps(question(invoice())).encode()
    caller = serve(worlds(gate={"max_body_bytes": len(body)}))
    assert caller.ask(body).status_code == 200
    _is_problem(caller.ask(body + b" "), 413, "body-too-large")


def test_whoever_may_not_ask_is_refused_before_the_body_is_read(worlds: Worlds, serve: Serve) -> None:
    caller = serve(worlds(gate={"max_body_bytes": 10}), "exceptions:read")
    _is_problem(caller.ask(question(invoice())), 403, "scope-missing")


def test_the_database_away_is_a_problem(world: World) -> None:
    app, key = create_api(world.installed), world.key()
    with served(app, key) as caller:
        assert caller.ask(question(invoice())).status_code == 200
        _cut_off(world)
        reply = caller.ask(question(invoice()))
        _is_problem(reply, 503, "not-available")
        _is_problem(caller.http.get("/readyz"), 503, "not-available")
        assert caller.http.get("/healthz").json() == {"status": "alive"}


def _cut_off(world: World) -> None:
    """Nobody is let into the world's database any more, and whoever is in it is thrown out."""
    url = world.database.engine.url
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    throw_out = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'))
        connection.execute(throw_out, {"name": url.database})
    admin.dispose()


def test_what_nobody_foresaw_is_a_problem_too(world: World) -> None:
    app = create_api(world.installed)

    def broken() -> None:
        raise RuntimeError("the secret is hunter2")

    app.add_api_route("/v1/broken", broken)
    with served(app, world.key()) as caller:
        problem = _is_problem(caller.http.get("/v1/broken"), 500, "internal")
        assert "hunter2" not in problem["detail"]
        assert caller.http.get("/healthz").status_code == 200


def _anything() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A good question with one thing in it replaced by anything at all."""
    said = question(invoice("INV-1", "ZA-1", line()), brills())
    places: list[tuple[dict[str, Any], str]] = [(said, name) for name in said]
    places += [(said["run"], name) for name in said["run"]]
    for one in said["invoices"]:
        places += [(one, name) for name in one]
        places += [(each, name) for each in one["lines"] for name in each]
    where, name = draw(st.sampled_from(places))
    where[name] = draw(_anything())
    return said


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=spoilt())
def test_whatever_one_thing_is_replaced_by_there_is_an_answer_or_a_problem(
    caller: Caller, said: dict[str, Any]
) -> None:
    reply = caller.ask(json.dumps(said).encode("utf-8", "surrogatepass"))
    assert reply.status_code in (200, 404, 422), reply.text
    if reply.status_code != 200:
        assert reply.json()["proceed"] is False
