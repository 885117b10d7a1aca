"""Who gets in, who may act, and which forms are believed."""

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from gateway.console.session import COOKIE, LIFETIME, SECRET_VARIABLE, Sessions
from gateway.db.session import Database
from gateway.keys.tables import ApiKey
from tests.gateway.console.console_pages import Page, act, page, token
from tests.gateway.console.console_world import NOW, World, browsing, finding

SECRET = "s" * 40


def _sign_in(client: httpx.Client, key: str, to: str = "/") -> httpx.Response:
    return client.post("/sign-in", data={"form_token": token(client, "/sign-in"), "key": key, "to": to})


def test_a_stranger_is_sent_to_the_sign_in_and_back(locked: World) -> None:
    locked.find(finding())
    for address in ("/", "/exceptions?severity=S1", "/exceptions/EXC-1", "/validations"):
        with browsing(locked) as client:
            answer = client.get(address)
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/sign-in?to={quote(address)}"
            assert "Customer" not in Page(client.get(answer.headers["location"])).text
            assert _sign_in(client, locked.key("ann"), address).headers["location"] == address
            page(client, address)


def test_actions_carry_the_name_of_the_key(locked: World) -> None:
    locked.find(finding())
    with browsing(locked) as client:
        _sign_in(client, locked.key("bob"))
        assert "Acting as Bob Berger" in page(client, "/").text
        act(client, "EXC-1", "acknowledge")
        assert "Acknowledged Bob Berger" in page(client, "/exceptions/EXC-1").text


def test_a_key_that_may_not_write_does_not_get_in(locked: World) -> None:
    with browsing(locked) as client:
        answer = _sign_in(client, locked.key("ann", "exceptions:read", "prebill:validate"))
        assert answer.status_code == 403
        assert "does not have the scope exceptions:write" in Page(answer).text
        assert client.get("/").status_code == 303


def test_an_unknown_key_does_not_get_in(locked: World) -> None:
    with browsing(locked) as client:
        for key in ("", "nonsense", "tk_000000000000_" + "0" * 64):
            answer = _sign_in(client, key)
            assert answer.status_code == 401
            assert "This API key is not known, or was revoked." in Page(answer).text
        assert client.get("/").status_code == 303


def test_a_revoked_key_is_out_at_once(locked: World) -> None:
    key = locked.key("ann")
    with browsing(locked) as client:
        _sign_in(client, key)
        page(client, "/")
        with locked.installed.database.session() as session:
            session.get_one(ApiKey, key.split("_")[1]).revoked_at = NOW
        assert client.get("/").status_code == 303


def test_a_session_ends_after_a_working_day(locked: World) -> None:
    with browsing(locked) as client:
        _sign_in(client, locked.key("ann"))
        locked.now = NOW + LIFETIME
        page(client, "/")
        locked.now = NOW + 2 * LIFETIME
        assert client.get("/").status_code == 303


def test_signing_out_ends_the_session_of_this_browser(locked: World) -> None:
    with browsing(locked) as client:
        _sign_in(client, locked.key("ann"))
        client.post("/sign-out", data={"form_token": token(client, "/")})
        assert client.get("/").status_code == 303


def test_the_sign_in_leads_nowhere_else(locked: World) -> None:
    key = locked.key("ann")
    for to in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""):
        with browsing(locked) as client:
            assert _sign_in(client, key, to).headers["location"] == "/", to


def test_the_cookie_is_out_of_reach_of_scripts_and_changes_at_the_sign_in(locked: World) -> None:
    with browsing(locked) as client:
        before = client.get("/sign-in").headers["set-cookie"]
        after = _sign_in(client, locked.key("ann")).headers["set-cookie"]
    for cookie in (before, after):
        assert cookie.startswith(f"{COOKIE}=")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
    assert before != after


def test_over_https_the_cookie_never_travels_in_the_clear(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, public_url="https://tieout.example", access="key")
    with browsing(world) as client:
        assert "Secure" in client.get("/sign-in").headers["set-cookie"]


def test_a_form_without_this_visitor_s_token_is_not_believed(world: World, client: httpx.Client) -> None:
    world.find(finding())
    with browsing(world) as other:
        foreign = token(other, "/exceptions/EXC-1")
    for said in ({}, {"form_token": ""}, {"form_token": foreign}):
        answer = client.post("/exceptions/EXC-1/acknowledge", data=said)
        assert answer.status_code == 403
        assert "This form did not come from a page of this console" in Page(answer).text
    assert "Open" in page(client, "/exceptions/EXC-1").text


def test_a_form_from_another_origin_is_not_believed(world: World, client: httpx.Client) -> None:
    world.find(finding())
    said = {"form_token": token(client, "/exceptions/EXC-1")}
    for origin in ("https://evil.example", "null", "", f"ftp://{client.base_url.netloc.decode()}"):
        answer = client.post("/exceptions/EXC-1/acknowledge", data=said, headers={"Origin": origin})
        assert answer.status_code == 403, origin
    assert client.post("/exceptions/EXC-1/acknowledge", data=said).status_code == 303


def test_a_proxy_s_public_address_is_our_own_origin(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, public_url="http://tieout.example", access="open", act_as="ann")
    world.find(finding())
    with browsing(world) as client:
        own = token(client, "/exceptions/EXC-1")
        answer = client.post(
            "/exceptions/EXC-1/acknowledge", data={"form_token": own}, headers={"Origin": "http://tieout.example"}
        )
    assert answer.status_code == 303


def test_an_open_console_is_not_served_under_a_foreign_name(client: httpx.Client) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert "is not served as evil.example" in Page(answer).text


def test_a_form_may_not_be_endless(world: World, client: httpx.Client) -> None:
    world.find(finding())
    answer = act(client, "EXC-1", "comment", note="x" * 70_000)
    assert answer.status_code == 413
    assert "longer than 10,000 characters" in Page(act(client, "EXC-1", "comment", note="x" * 10_001)).text


def test_a_body_that_is_no_form_is_refused(client: httpx.Client) -> None:
    assert client.post("/exceptions/EXC-1/comment", content=b"form_token=%FF").status_code == 422
    assert client.post("/exceptions/EXC-1/comment", content=b"&".join([b"a=1"] * 100)).status_code == 422


@pytest.mark.parametrize("policy", [{"access": "open"}, {"access": "open", "act_as": "nobody"}])
def test_whoever_is_no_person_of_owners_yaml_reads_only(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: dict[str, str]
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    world = World(database, tmp_path, **policy)
    world.find(finding())
    with browsing(world) as client:
        shown = page(client, "/exceptions/EXC-1")
        assert "Only people of owners.yaml can act" in shown.text
        assert shown.form("/comment") is None
        sessions = Sessions(SECRET, secure=False)
        own = sessions.form_token(sessions.read(client.cookies[COOKIE], NOW))
        answer = client.post("/exceptions/EXC-1/comment", data={"form_token": own, "note": "n"})
        assert answer.status_code == 409
        assert "Only people of owners.yaml can act" in Page(answer).text


def test_pages_say_what_browsers_must_not_do(client: httpx.Client) -> None:
    headers = client.get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "default-src" in client.get("/nowhere").headers["content-security-policy"]


def test_the_pages_need_nothing_from_elsewhere(world: World, client: httpx.Client) -> None:
    world.find(finding())
    for address in ("/", "/exceptions", "/exceptions/EXC-1", "/validations"):
        text = client.get(address).text.replace("http://www.w3.org/", "")
        assert "http://" not in text
        assert "https://" not in text
        assert " style=" not in text
    assert client.get("/static/console.css").headers["content-type"].startswith("text/css")


def test_a_machine_gets_a_problem_document_and_a_person_a_page(client: httpx.Client) -> None:
    machine = client.get("/nowhere", headers={"Accept": "application/json"})
    assert machine.headers["content-type"] == "application/problem+json"
    assert machine.json()["proceed"] is False
    person = client.get("/nowhere")
    assert person.headers["content-type"].startswith("text/html")
    assert "There is no page at this address." in Page(person).text
    assert client.get("/v1/nowhere").headers["content-type"] == "application/problem+json"
    assert client.post("/validations").status_code == 405
