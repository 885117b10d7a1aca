from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import PermanentError
from alerts.http import checked_url, origin, retry_after

SENT = "Fri, 27 Nov 2026 15:00:00 GMT"


@pytest.mark.parametrize(
    ("wanted", "wait"),
    [
        ("Fri, 27 Nov 2026 15:02:00 GMT", timedelta(minutes=2)),
        ("Fri, 27 Nov 2026 14:00:00 GMT", timedelta()),
        ("Sun, 27 Nov 2050 15:00:00 GMT", timedelta(days=1)),
        ("Fri, 99 Nov 2026 15:00:00 GMT", None),
        ("9" * 5000, timedelta(days=1)),
        ("²", None),
    ],
)
def test_a_wait_is_at_most_a_day_and_a_date_is_measured_from_the_answers_own_clock(
    wanted: str, wait: timedelta | None
) -> None:
    assert retry_after({"Retry-After": wanted, "Date": SENT}) == wait


def test_a_date_without_a_clock_to_measure_from_is_unknown() -> None:
    assert retry_after({"Retry-After": SENT}) is None


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(wanted: str, sent: str) -> None:
    wait = retry_after({"Retry-After": wanted, "Date": sent})
    assert wait is None or timedelta() <= wait <= timedelta(days=1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com/secret",
        "ftp://hooks.example.com/secret",
        "https:///secret",
        "https://hooks.example.com:port/secret",
        "https://hooks.example.com/sec ret",
        "https://hooks.example.com/sec\nret",
        "https://hooks.example.com/sécret",
        "https://[hooks/secret",
    ],
)
def test_an_unusable_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(PermanentError, match="The Slack webhook URL is not a usable") as caught:
        checked_url(url, "The Slack webhook URL")
    assert "secret" not in str(caught.value)
    assert "hooks" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:token@hooks.example.com/path?key=1", "https://hooks.example.com"),
        ("http://127.0.0.1:8080/path", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/path", "http://[::1]:8080"),
    ],
)
def test_only_the_origin_is_shown(url: str, shown: str) -> None:
    assert origin(url) == shown
