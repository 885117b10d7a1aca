from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.session import LIFETIME, SECRET_VARIABLE, Sessions, Ticket, new_ticket
from gateway.errors import ConfigError

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SESSIONS = Sessions("a" * 32, secure=False)


def test_a_cookie_brings_its_ticket_back() -> None:
    ticket = new_ticket("key1")
    assert SESSIONS.read(SESSIONS.write(ticket, NOW), NOW) == Ticket(ticket.id, "key1")


@pytest.mark.parametrize("cookie", [None, "", "nonsense", "é"])
def test_what_is_no_cookie_of_ours_gives_a_stranger(cookie: str | None) -> None:
    assert SESSIONS.read(cookie, NOW).key_id is None


def test_a_cookie_ends_after_its_lifetime() -> None:
    cookie = SESSIONS.write(new_ticket("key1"), NOW)
    assert SESSIONS.read(cookie, NOW + LIFETIME).key_id == "key1"
    assert SESSIONS.read(cookie, NOW + LIFETIME + timedelta(seconds=1)).key_id is None


def test_another_secret_reads_no_cookie_and_owns_no_form() -> None:
    ticket, other = new_ticket("key1"), Sessions("b" * 32, secure=False)
    assert other.read(SESSIONS.write(ticket, NOW), NOW).key_id is None
    assert not other.is_own_form(ticket, SESSIONS.form_token(ticket))


def test_a_form_token_is_good_for_its_own_ticket_only() -> None:
    mine, yours = new_ticket(), new_ticket()
    assert SESSIONS.is_own_form(mine, SESSIONS.form_token(mine))
    assert not SESSIONS.is_own_form(mine, SESSIONS.form_token(yours))
    assert not SESSIONS.is_own_form(mine, "")


def test_a_secret_from_the_environment_outlives_the_process() -> None:
    said = {SECRET_VARIABLE: "c" * 40}
    ticket = new_ticket("key1")
    cookie = Sessions.from_environment(said, secure=True).write(ticket, NOW)
    assert Sessions.from_environment(said, secure=True).read(cookie, NOW).key_id == "key1"
    assert Sessions.from_environment({}, secure=True).read(cookie, NOW).key_id is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="fewer than 32"):
        Sessions.from_environment({SECRET_VARIABLE: "short"}, secure=True)
