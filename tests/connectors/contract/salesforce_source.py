"""Salesforce for the contract test: accounts have the even numbers, deals the odd ones."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.faults import Faults, Reply
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from tests.connectors.contract.source import Place, Said

OBJECTS = ("Account", "Deal__c")
ENTITIES = ("accounts", "quotes")
COLUMNS = ("name", "number")
FIELDS = {"Account": {"Name": "string"}, "Deal__c": {"Name": "string", "Account__c": "reference(Account)"}}
SECRETS = {"consumer_key": "contract-key-7d02", "consumer_secret": "contract-secret-b1c9"}


class SalesforceSource:
    """A ContractSource. What `remove` deletes lies in the recycle bin, out of which `put` takes it again."""

    kind = "salesforce"
    mapping = """
connector: salesforce
objects:
  Account:
    key: Id
    modified: SystemModstamp
    targets:
      - {entity: accounts, account: Id, columns: {name: Name}}
  Deal__c:
    key: Id
    modified: SystemModstamp
    targets:
      - {entity: quotes, account: Account__c, columns: {number: Name}}
"""

    def __init__(self, clock: Callable[[], datetime], *, page_size: int = 3, daily_limit: int = 100_000) -> None:
        self._org = SalesforceOrg(clock)
        for name, fields in FIELDS.items():
            self._org.define(name, fields)
        self._server = SalesforceServer(
            self._org,
            client_id=SECRETS["consumer_key"],
            client_secret=SECRETS["consumer_secret"],
            page_size=page_size,
            daily_limit=daily_limit,
        )
        self._server.start()
        self._keys: dict[int, str] = {}
        self._binned: set[int] = set()
        self._said: dict[int, Said] = {}

    @property
    def faults(self) -> Faults:
        return self._server.faults

    def settings(self) -> Mapping[str, Any]:
        return {"base_url": self._server.url}

    def secrets(self) -> Mapping[str, str]:
        return SECRETS

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        name = OBJECTS[number % 2]
        stamp = (self._org.now() - late).astimezone(UTC)
        row = {"Name": text, "SystemModstamp": stamp}
        if number in self._binned:
            self._binned.remove(number)
            self._org.restore(name, self._keys[number])
        if number in self._keys:
            row["Id"] = self._keys[number]
        self._keys[number] = self._org.put(name, row)
        self._said[number] = {COLUMNS[number % 2]: text, "modified_at": stamp}

    def remove(self, number: int) -> None:
        del self._said[number]
        self._org.remove(OBJECTS[number % 2], self._keys[number])
        self._binned.add(number)

    def purge(self, number: int) -> None:
        """A hard delete, past the recycle bin."""
        del self._said[number]
        self._org.purge(OBJECTS[number % 2], self._keys.pop(number))

    def truth(self) -> Mapping[Place, Said]:
        return {(ENTITIES[number % 2], self._keys[number]): said for number, said in self._said.items()}

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        refused = self._server.fail_next
        return {
            "an ended session": self._server.expire_sessions,
            "no requests left today": lambda: refused(1, 403, "REQUEST_LIMIT_EXCEEDED"),
            "a query that takes too long": lambda: refused(1, 400, "QUERY_TIMEOUT"),
            "a locked row": lambda: refused(1, 400, "UNABLE_TO_LOCK_ROW"),
            "a busy server of another kind": lambda: refused(1, 420, None),
        }

    def over_limit(self) -> int:
        return self.faults.answered[403]

    @contextmanager
    def hidden_field(self) -> Iterator[None]:
        self._org.define("Deal__c", {"Account__c": "reference(Account)"})
        yield
        self._org.define("Deal__c", FIELDS["Deal__c"])
        for number, said in self._said.items():  # a field that comes back comes back empty
            if number % 2:
                stamp = said["modified_at"]
                self._org.put("Deal__c", {"Id": self._keys[number], "Name": said["number"], "SystemModstamp": stamp})

    @contextmanager
    def lost_permission(self) -> Iterator[None]:
        self.faults.add(_refusal(404, "NOT_FOUND"), path="/sobjects/Deal__c", times=None)
        self.faults.add(_refusal(400, "INVALID_TYPE"), path="/query", times=None)
        self.faults.add(_refusal(400, "INVALID_TYPE"), path="/jobs", times=None)
        yield
        self.faults.clear()

    def close(self) -> None:
        self._server.stop()


def _refusal(status: int, code: str) -> Reply:
    return Reply(status, json.dumps([{"message": "No access.", "errorCode": code}]), "application/json")
