"""NetSuite for the contract test: customers have the even numbers, lines of one invoice the odd ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.registry import needs
from sandbox.faults import Faults, Reply
from sandbox.netsuite import STANDARD_TABLES, NetSuiteAccount, NetSuiteServer, make_key_pair
from sandbox.netsuite.server import SUITEQL_PATH
from tests.connectors.contract.source import Place, Said

TABLES = ("customer", "transactionline")
KEYS = ("id", "uniquekey")
STAMPS = ("lastmodifieddate", "linelastmodifieddate")
FIELDS = ("companyname", "memo")
ENTITIES = ("accounts", "invoice_lines")
COLUMNS = ("name", "name")
PRIVATE_KEY, PUBLIC_KEY = make_key_pair("ES256")
SECRETS = {
    "client_id": "contract-client-19d7",
    "certificate_id": "contract-certificate-c2b0",
    "private_key_pem": PRIVATE_KEY,
}


class NetSuiteSource:
    """A ContractSource. A customer that is deleted is listed, a line that is deleted leaves no trace.

    Datetimes are compared in the zone of the integration user, which changes its clocks.
    """

    kind = "netsuite"
    mapping = """
connector: netsuite
objects:
  customer:
    key: id
    modified: lastmodifieddate
    deleted_types: [customer]
    targets:
      - {entity: accounts, account: id, columns: {name: companyname}}
  transactionline:
    key: uniquekey
    modified: linelastmodifieddate
    join: {table: transaction, as: invoice, on: invoice.id = transactionline.transaction}
    filter: invoice.type = 'CustInvc'
    targets:
      - {entity: invoice_lines, account: invoice.entity, columns: {name: memo}}
"""

    def __init__(self, clock: Callable[[], datetime], *, page_size: int = 5, concurrency: int = 5) -> None:
        self._clock = clock
        self._pages = {"page_size": page_size} if "page_size" in needs("netsuite") else {}
        self._account = NetSuiteAccount(clock)
        self._invoice = self._account.put("transaction", {"type": "CustInvc", "recordtype": "invoice"})
        self._server = NetSuiteServer(
            self._account,
            client_id=SECRETS["client_id"],
            certificate_id=SECRETS["certificate_id"],
            public_key_pem=PUBLIC_KEY,
            concurrency=concurrency,
            wall_clock=clock,
        )
        self._server.start()
        self._keys: dict[int, int | str] = {}
        self._said: dict[int, Said] = {}

    @property
    def faults(self) -> Faults:
        return self._server.faults

    def settings(self) -> Mapping[str, Any]:
        return {"base_url": self._server.url, "account_id": "1234567_SB1"} | self._pages

    def secrets(self) -> Mapping[str, str]:
        return SECRETS

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        kind = number % 2
        stamp = (self._clock() - late).astimezone(UTC)
        row: dict[str, object] = {FIELDS[kind]: text, STAMPS[kind]: stamp}
        if kind:
            row["transaction"] = self._invoice
        if number in self._keys:
            row[KEYS[kind]] = self._keys[number]
        self._keys[number] = self._account.put(TABLES[kind], row)
        self._said[number] = {COLUMNS[kind]: text, "modified_at": stamp}

    def remove(self, number: int) -> None:
        del self._said[number]
        self._account.remove(TABLES[number % 2], self._keys.pop(number))

    def purge(self, number: int) -> None:
        self.remove(number)

    def truth(self) -> Mapping[Place, Said]:
        return {(ENTITIES[number % 2], str(self._keys[number])): said for number, said in self._said.items()}

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        busy = '{"status": 429, "o:errorCode": "USER_ERROR", "title": "Concurrent request limit exceeded."}'
        return {
            "a revoked token": self._server.revoke_tokens,
            "an error of the account": lambda: self._server.fail_next(1, 500),
            "a gateway without an account behind it": lambda: self._server.fail_next(1, 502),
            "too many at once": lambda: self.faults.add(Reply(429, busy, "application/json"), path=SUITEQL_PATH),
        }

    def over_limit(self) -> int:
        return self._server.concurrency_refusals

    @contextmanager
    def hidden_field(self) -> Iterator[None]:
        self._account.define("customer", {n: k for n, k in STANDARD_TABLES["customer"].items() if n != "companyname"})
        yield
        self._account.define("customer", STANDARD_TABLES["customer"])

    @contextmanager
    def lost_permission(self) -> Iterator[None]:
        self._account.forbid("transactionline")
        yield
        self._account.permit("transactionline")

    def close(self) -> None:
        self._server.stop()
