"""A clock that starts at a given instant and then runs as fast as the real one."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.errors import ConfigError

# How many seconds the simulated company lives ahead of this machine; `tieout demo` writes it for other processes.
AHEAD_VARIABLE = "TIEOUT_DEMO_CLOCK_AHEAD_S"


def clock_from(start: datetime) -> Callable[[], datetime]:
    """Now, were it `start` at the moment of this call."""
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def ahead() -> timedelta:
    """How far the environment puts the clock ahead; not at all unless a demo is looked at. Raises ConfigError."""
    said = os.environ.get(AHEAD_VARIABLE) or "0"
    try:
        return timedelta(seconds=float(said))
    except (ValueError, OverflowError):
        raise ConfigError(f"{AHEAD_VARIABLE} is {said!r}; it is a number of seconds, for the demo alone.") from None


def commands_clock() -> Callable[[], datetime]:
    """The machine's clock, or beside a running demo that of its company."""
    shift = ahead()
    return lambda: datetime.now(UTC) + shift
