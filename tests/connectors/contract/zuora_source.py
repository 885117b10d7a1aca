"""Zuora for the contract test: accounts have the even numbers, invoices the odd ones."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.faults import Faults, Reply
from sandbox.zuora import ZuoraServer, ZuoraTenant
from tests.connectors.contract.source import Place, Said

OBJECTS = ("Account", "Invoice")
ENTITIES = ("accounts", "invoices")
FIELDS = ("Name", "InvoiceNumber")
COLUMNS = ("name", "number")
SECRETS = {"client_id": "contract-client-55e1", "client_secret": "contract-secret-0f3a"}


class ZuoraSource:
    """A ContractSource. The tenant tells instants in a zone that changes its clocks; no deletion is listed."""

    kind = "zuora"
    mapping = """
connector: zuora
objects:
  Account:
    key: Id
    modified: UpdatedDate
    targets:
      - {entity: accounts, account: Id, columns: {name: Name}}
  Invoice:
    key: Id
    modified: UpdatedDate
    targets:
      - {entity: invoices, account: AccountId, columns: {number: InvoiceNumber}}
"""

    def __init__(self, clock: Callable[[], datetime], *, page_size: int = 3, per_minute: int = 50_000) -> None:
        self._tenant = ZuoraTenant(clock, ZoneInfo("America/Los_Angeles"))
        self._server = ZuoraServer(
            self._tenant,
            client_id=SECRETS["client_id"],
            client_secret=SECRETS["client_secret"],
            page_size=page_size,
            per_minute=per_minute,
        )
        self._server.start()
        self._clock = clock
        self._keys: dict[int, str] = {}
        self._said: dict[int, Said] = {}

    @property
    def faults(self) -> Faults:
        return self._server.faults

    def settings(self) -> Mapping[str, Any]:
        return {"base_url": self._server.url}

    def secrets(self) -> Mapping[str, str]:
        return SECRETS

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        stamp = (self._clock() - late).astimezone(UTC)
        row: dict[str, Any] = {FIELDS[number % 2]: text, "UpdatedDate": stamp}
        if number in self._keys:
            row["Id"] = self._keys[number]
        self._keys[number] = self._tenant.put(OBJECTS[number % 2], row)
        self._said[number] = {COLUMNS[number % 2]: text, "modified_at": stamp}

    def remove(self, number: int) -> None:
        del self._said[number]
        self._tenant.remove(OBJECTS[number % 2], self._keys.pop(number))

    def purge(self, number: int) -> None:
        self.remove(number)

    def truth(self) -> Mapping[Place, Said]:
        return {(ENTITIES[number % 2], self._keys[number]): said for number, said in self._said.items()}

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        failed = '{"success": false, "reasons": [{"code": 50000061, "message": "Temporary error."}]}'
        return {
            "a revoked token": self._server.revoke_tokens,
            "an error inside a 200": lambda: self.faults.add(
                Reply(200, failed, "application/json"), path="/v1/action/query"
            ),
            "a locator that is forgotten": lambda: self.faults.add(
                _fault("INVALID_QUERY_LOCATOR"), path="/v1/action/queryMore"
            ),
        }

    def over_limit(self) -> int:
        return self.faults.answered[429]

    @contextmanager
    def hidden_field(self) -> Iterator[None]:
        self._tenant.drop_field("Invoice", "InvoiceNumber")
        yield
        self._tenant.define("Invoice", {"InvoiceNumber": "text"})
        for number, said in self._said.items():  # a field that comes back comes back empty
            if number % 2:
                stamp = said["modified_at"]
                self._tenant.put(
                    "Invoice", {"Id": self._keys[number], "InvoiceNumber": said["number"], "UpdatedDate": stamp}
                )

    @contextmanager
    def lost_permission(self) -> Iterator[None]:
        unknown = Reply(404, "<error><message>There is no object.</message></error>", "application/xml")
        self.faults.add(unknown, path="/v1/describe/", times=None)
        self.faults.add(_fault("INVALID_TYPE"), path="/v1/action/query", times=None)
        yield
        self.faults.clear()

    def close(self) -> None:
        self._server.stop()


def _fault(code: str) -> Reply:
    return Reply(400, json.dumps({"faultCode": code, "faultMessage": "Refused."}), "application/json")
