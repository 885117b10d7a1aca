"""Commands beside a running demo go by its company's clock, and everywhere else by the machine's."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.demo.clock import AHEAD_VARIABLE, commands_clock
from gateway.errors import ConfigError


@pytest.mark.parametrize(("said", "hours"), [(None, 0), ("", 0), ("7200", 2), ("-3600", -1)])
def test_the_clock_is_put_off_by_what_the_demo_wrote(
    said: str | None, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(AHEAD_VARIABLE, raising=False)
    if said is not None:
        monkeypatch.setenv(AHEAD_VARIABLE, said)
    before = datetime.now(UTC)
    told = commands_clock()()
    assert before <= told - timedelta(hours=hours) <= datetime.now(UTC)


@pytest.mark.parametrize("said", ["soon", "nan", "1e30"])
def test_what_is_no_number_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AHEAD_VARIABLE, said)
    with pytest.raises(ConfigError, match=AHEAD_VARIABLE):
        commands_clock()
