"""BillingPlatform for the contract test: accounts, and products of accounts, each in a page of three."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sandbox.billingplatform import BillingPlatformServer, Organisation
from sandbox.faults import Again, Faults, Reply, too_many
from tests.connectors.contract.source import Place, Said

MAPPING = """
connector: billingplatform
objects:
  ACCOUNT:
    key: Id
    modified: Updated
    targets:
      - {entity: accounts, account: Id, columns: {name: Name}}
  ACCOUNT_PRODUCT:
    key: Id
    modified: Updated
    targets:
      - {entity: subscription_lines, account: AccountId, columns: {contract_line_key: SfRecordId}}
"""
USER, PASSWORD = "tieout", "a-password"
_PROXY = Reply(404, "<html><body>There is no such page.</body></html>")
_PLACES = (
    ("ACCOUNT", "accounts", "Name", "name"),
    ("ACCOUNT_PRODUCT", "subscription_lines", "SfRecordId", "contract_line_key"),
)


class BillingPlatformSource:
    """A ContractSource. Even numbers are accounts, odd ones products of accounts; an Id is never given twice."""

    kind = "billingplatform"
    mapping = MAPPING

    def __init__(self, clock: Callable[[], datetime], *, per_minute: int = 0) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._organisation = Organisation(clock)
        self._server = BillingPlatformServer(
            self._organisation, username=USER, password=PASSWORD, per_minute=per_minute or 10_000
        )
        self._server.start()
        self.faults: Faults = self._server.faults
        self._texts: dict[int, str] = {}
        self._gone: Counter[int] = Counter()

    def settings(self) -> Mapping[str, Any]:
        pace = {"requests_per_minute": self._per_minute}
        return {"base_url": self._server.url, "username": USER, "page_size": 3, **pace}

    def secrets(self) -> Mapping[str, str]:
        return {"password": PASSWORD}

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        entity, _, field, _ = _PLACES[number % 2]
        stamp = self._clock() - late
        self._organisation.put(entity, {"Id": self._id(number), field: text, "Updated": stamp})
        self._texts[number] = text

    def remove(self, number: int) -> None:
        self._organisation.remove(_PLACES[number % 2][0], self._id(number))
        self._forget(number)

    def purge(self, number: int) -> None:
        self._organisation.purge(_PLACES[number % 2][0], self._id(number))
        self._forget(number)

    def _id(self, number: int) -> str:
        return str(number + 1 + 1_000 * self._gone[number])

    def _forget(self, number: int) -> None:
        del self._texts[number]
        self._gone[number] += 1

    def truth(self) -> Mapping[Place, Said]:
        said: dict[Place, Said] = {}
        for number, text in self._texts.items():
            _, entity, _, column = _PLACES[number % 2]
            own = {"account_id": self._id(number)} if entity == "accounts" else {}
            said[entity, self._id(number)] = {column: text, **own}
        return said

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {
            "ended session": self._server.end_sessions,
            "busy inside a 200": lambda: self._server.say("The system is busy, try again later.", code="99"),
            "error inside a 200": lambda: self._server.say("An unexpected error occurred."),
            "session ended inside a 200": lambda: self._server.say("The session has expired.", code="7"),
            "a 404 that says nothing of rows": lambda: self.faults.add(_PROXY, path="/query"),
            "lost permission for a moment": lambda: self._server.say(
                "You do not have access to the entity.", status=403
            ),
            "page twice": lambda: self.faults.add(Again(), path="/query", after=1),
            "429 with Retry-After": lambda: self.faults.add(too_many(2), path="/query"),
            "429 without Retry-After": lambda: self.faults.add(too_many(), path="/query"),
        }

    @contextmanager
    def hidden_field(self) -> Iterator[None]:
        self._organisation.hide("ACCOUNT", "Name")
        yield
        self._organisation.permit("ACCOUNT")

    @contextmanager
    def lost_permission(self) -> Iterator[None]:
        self._organisation.forbid("ACCOUNT_PRODUCT")
        yield
        self._organisation.permit("ACCOUNT_PRODUCT")

    def over_limit(self) -> int:
        return self._server.over_limit

    def close(self) -> None:
        self._server.stop()
