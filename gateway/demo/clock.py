"""A clock that starts at a given instant and then runs as fast as the real one."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


def clock_from(start: datetime) -> Callable[[], datetime]:
    """Now, were it `start` at the moment of this call."""
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)
