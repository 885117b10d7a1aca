"""Calls to one Stripe account: its key and version, its pace, its lists, and every way in which it says no."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from connectors.contract import Record
from connectors.errors import (
    ConnectorError,
    CursorLost,
    LoginRefused,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.http import Answer, Wire, retry_after
from connectors.retries import RetryPolicy
from connectors.stripe.pace import Pace

Params = Mapping[str, str | Sequence[str]]
R = TypeVar("R")
_CURSORS = ("starting_after", "ending_before")


@dataclass(frozen=True)
class StripeConfig:
    """`api_key` is a restricted key with read access to what is mapped, and to events.

    `api_version` decides the shape of every answer; the shipped mapping reads those before and since 2025-03-31.
    `timezone` is the account's: days of periods and invoices are days there. `requests_per_s` is our share of the limit
    of the account (100 a second live, 25 in a sandbox).

    Events are kept for `retention_days`. A position that is older, less `margin_hours`, is not trusted: everything is
    read again. A long way to catch up is read in windows of `window_hours`, each of which is a position.
    """

    api_key: str = field(repr=False)
    base_url: str = "https://api.stripe.com"
    system: str = "stripe"
    api_version: str = "2026-04-22.dahlia"
    timezone: str = "UTC"
    timeout_s: float = 80.0
    requests_per_s: float = 20.0
    page_size: int = 100
    retention_days: int = 30
    margin_hours: int = 24
    window_hours: int = 24
    retries: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        """Raises PermanentError for settings with which nothing would ever be read to its end."""
        for name in ("requests_per_s", "page_size", "window_hours"):
            if getattr(self, name) <= 0:
                raise PermanentError(f"The setting {name} of {self.system} must be above 0.")
        # A position without news trails a day behind, and must not fall out of what is relied on.
        if self.retention_days * 24 - self.margin_hours <= 24:
            raise PermanentError(f"The retention_days of {self.system} must be more than a day above its margin_hours.")


@dataclass(frozen=True)
class Listed:
    """A page of a list, and whether there is another."""

    records: Sequence[Record]
    more: bool

    @property
    def last(self) -> str:
        """What the next page starts after; empty where nothing follows."""
        return str(self.records[-1].get("id", "")) if self.records and self.more else ""


class StripeApi:
    """One account. Every call is repeated as the policy says."""

    def __init__(self, config: StripeConfig, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._wire = Wire(config.system, config.base_url, clock, config.timeout_s)
        self._pace = Pace(config.requests_per_s)
        self._headers = {"Authorization": f"Bearer {config.api_key}", "Stripe-Version": config.api_version}

    def get(self, path: str, params: Params | None = None) -> Record:
        """The object at an address. Raises UnknownRecord where Stripe says that it has none of that id."""
        return self._call(lambda: self._once("GET", path, params))

    def post(self, path: str, form: Mapping[str, str], idempotency_key: str) -> Record:
        """Change an object, once for the key however often it is sent."""
        headers = {"Idempotency-Key": idempotency_key}
        return self._call(lambda: self._once("POST", path, form=form, headers=headers))

    def pages(self, path: str, params: Params | None = None, after: str = "") -> Iterator[Listed]:
        """A list to its end, from what comes after an id.

        Raises CursorLost when Stripe no longer knows the id, TransientError when the pages lead round in a circle.
        """
        used = {after}
        while True:
            page = self._page(path, params or {}, after, used)
            yield page
            if not page.more:
                return
            after = page.last
            used.add(after)

    def source_time(self) -> datetime:
        return self._wire.source_time()

    def close(self) -> None:
        self._wire.close()

    def _page(self, path: str, params: Params, after: str, used: set[str]) -> Listed:
        asked = {**params, "limit": str(self._config.page_size), **({"starting_after": after} if after else {})}

        def read() -> Listed:
            page = self._listed(path, self._once("GET", path, asked))
            again = after and any(record.get("id") == after for record in page.records)
            if again or (page.more and (not page.last or page.last in used)):
                raise TransientError(f"{self._config.system}: the list {path} did not advance.")
            return page

        return self._call(read)

    def _listed(self, path: str, body: Record) -> Listed:
        data, more = body.get("data"), body.get("has_more")
        if not isinstance(data, list) or not all(isinstance(r, dict) for r in data) or not isinstance(more, bool):
            raise TransientError(f"{self._config.system}: GET {path} was answered without a list.")
        return Listed(data, more)

    def _call(self, work: Callable[[], R]) -> R:
        return self._config.retries.call(work, self._config.system)

    def _once(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Record:
        self._pace.wait()
        said = {**self._headers, **(headers or {})}
        answer = self._wire.send(method, path, params=params, form=form, headers=said)
        what = f"{self._config.system}: {method} {path}"
        refused = refusal(what, answer)
        if refused is not None:
            raise refused
        if not isinstance(answer.body, dict):
            raise TransientError(f"{what} was answered without an object.")
        return answer.body


def refusal(what: str, answer: Answer) -> ConnectorError | None:
    """The error that an answer is; None for a success.

    `Stripe-Should-Retry` outweighs the status. A 404 counts as "no such object" only with the code that says so:
    an address that Stripe does not have is answered with 404 as well.
    """
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body.get("error")
    if answer.ok and not isinstance(error, dict):
        return None
    told = error if isinstance(error, dict) else {}
    code, said = str(told.get("code") or ""), f"{what} was refused with HTTP {answer.status}"
    sentence = f"{said} ({code or told.get('type') or 'no code'})."
    if answer.headers.get("stripe-should-retry", "") == "true" or _comes_right(answer, code):
        return TransientError(sentence, retry_after(answer.headers))
    if answer.status == 401:
        return LoginRefused(f"{sentence} Check the API key.")
    if answer.status == 403:
        return SchemaChanged(f"{sentence} Give the key read access to this object.")
    if code == "resource_missing":
        return CursorLost(sentence) if told.get("param") in _CURSORS else UnknownRecord(sentence)
    if answer.status == 404:
        return SchemaChanged(f"{sentence} Check the base URL, the API version, and the object's name in the mapping.")
    return PermanentError(f"{sentence} {_plain(told.get('message'))}".strip())


def _comes_right(answer: Answer, code: str) -> bool:
    """A conflict with another request ends by itself, unless Stripe says that it does not."""
    if answer.headers.get("stripe-should-retry", "") == "false":
        return False
    return answer.status == 409 or code in ("lock_timeout", "rate_limit")


def _plain(message: Any) -> str:
    """What Stripe says in a sentence. It may quote a part of a key, so nothing of a refused login comes here."""
    return " ".join(message.split())[:300] if isinstance(message, str) else ""
