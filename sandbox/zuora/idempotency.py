"""The Idempotency-Key of POST requests ("Idempotent requests"): one key, one outcome, for a day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sandbox.zuora.calls import Answer, Call, json_answer
from sandbox.zuora.errors import INVALID_VALUE, BadRequest

LIFETIME = timedelta(hours=24)
MAX_LENGTH = 255


@dataclass(slots=True)
class _Entry:
    target: tuple[str, str]
    since: datetime
    answer: Answer | None = None


class Idempotency:
    """A repeated key gets the stored answer, whether that was a success or not: 409 while the first request
    still runs, 422 when method or path differ. The body is not compared, as in Zuora."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}

    def run(self, call: Call, handle: Callable[[Call], Answer]) -> Answer:
        key = call.headers.get("idempotency-key")
        if key is None or call.method != "POST":
            return handle(call)
        if not 0 < len(key) <= MAX_LENGTH:
            raise BadRequest(INVALID_VALUE, f"The Idempotency-Key must have 1 to {MAX_LENGTH} characters.")
        entry = _Entry((call.method, call.path), self._clock())
        earlier = self._claim(key, entry)
        if earlier is not None:
            return _replay(earlier, entry)
        try:
            entry.answer = handle(call)
        finally:
            if entry.answer is None:
                with self._lock:
                    del self._entries[key]
        return entry.answer

    def _claim(self, key: str, entry: _Entry) -> _Entry | None:
        with self._lock:
            earlier = self._entries.get(key)
            if earlier is None or entry.since - earlier.since >= LIFETIME:
                self._entries[key] = entry
                return None
            return earlier


def _replay(earlier: _Entry, entry: _Entry) -> Answer:
    if earlier.target != entry.target:
        method, path = earlier.target
        return json_answer({"message": f"This Idempotency-Key was used for {method} {path}."}, 422)
    if earlier.answer is None:
        return json_answer({"message": "A request with this Idempotency-Key is still running."}, 409)
    return earlier.answer
