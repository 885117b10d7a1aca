"""NetSuite by SOAP for the contract test: customers have the even numbers, invoices the odd ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.faults import Faults, unavailable
from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, TokenKeys, make_key_pair
from sandbox.netsuite.soap.definition import FOLDER, PORT_PATH
from tests.connectors.contract.source import Place, Said

TABLES = ("customer", "transaction")
FIELDS = ("companyname", "tranid")
ENTITIES = ("accounts", "invoices")
COLUMNS = ("name", "number")
SECRETS = {
    "consumer_key": "contract-consumer-3f61",
    "consumer_secret": "contract-consumer-secret-77aa",
    "token_id": "contract-token-0b2e",
    "token_secret": "contract-token-secret-5d90",
}
_, PUBLIC_KEY = make_key_pair("ES256")


class NetSuiteSoapSource:
    """A ContractSource. Instants come with the offset of the session's zone, which changes its clocks."""

    kind = "netsuite"
    mapping = """
connector: netsuite
objects:
  Customer:
    key: internalId
    modified: lastModifiedDate
    deleted_types: [customer]
    targets:
      - {entity: accounts, account: internalId, columns: {name: companyName}}
  Invoice:
    key: internalId
    modified: lastModifiedDate
    deleted_types: [invoice]
    targets:
      - {entity: invoices, account: entity.internalId, columns: {number: tranId}}
"""

    def __init__(self, clock: Callable[[], datetime], *, page_size: int = 5, concurrency: int = 5) -> None:
        self._clock = clock
        self._page_size = page_size
        self._account = NetSuiteAccount(clock)
        self._server = NetSuiteServer(
            self._account,
            client_id="contract-client",
            certificate_id="contract-certificate",
            public_key_pem=PUBLIC_KEY,
            concurrency=concurrency,
            wall_clock=clock,
            token_keys=TokenKeys(**SECRETS),
        )
        self._server.start()
        self._keys: dict[int, int | str] = {}
        self._said: dict[int, Said] = {}

    @property
    def faults(self) -> Faults:
        return self._server.faults

    def settings(self) -> Mapping[str, Any]:
        said = {"base_url": self._server.url, "account_id": "1234567_SB1", "page_size": self._page_size}
        # From a file: over HTTP it is loaded once per process, so that a second poll would count fewer requests.
        return {**said, "transport": "soap", "wsdl": str(FOLDER / "netsuite.wsdl")}

    def secrets(self) -> Mapping[str, str]:
        return SECRETS

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        kind = number % 2
        stamp = (self._clock() - late).astimezone(UTC)
        row: dict[str, object] = {FIELDS[kind]: text, "lastmodifieddate": stamp}
        if kind:
            row["type"] = "CustInvc"
        if number in self._keys:
            row["id"] = self._keys[number]
        self._keys[number] = self._account.put(TABLES[kind], row)
        self._said[number] = {COLUMNS[kind]: text, "modified_at": stamp}

    def remove(self, number: int) -> None:
        self._delete(number, listed=True)

    def purge(self, number: int) -> None:
        self._delete(number, listed=False)

    def truth(self) -> Mapping[Place, Said]:
        return {(ENTITIES[number % 2], str(self._keys[number])): said for number, said in self._said.items()}

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        soap = self._server.soap
        assert self._server.passports is not None
        refuse = self._server.passports.refuse_next
        return {
            "a refused signature": lambda: refuse(1),
            "a fault of the account": lambda: self._server.fail_next(1, 500),
            "a gateway's page": lambda: self.faults.add(unavailable(), path=PORT_PATH),
            "an error inside a 200": lambda: soap.refuse_status("UNEXPECTED_ERROR", "An unexpected error occurred."),
            "too many at once": lambda: soap.refuse_status("WS_REQUEST_BLOCKED", "Request blocked."),
            "a search that has expired": soap.searches.expire,
        }

    def over_limit(self) -> int:
        return self._server.concurrency_refusals

    @contextmanager
    def lost_permission(self) -> Iterator[None]:
        self._account.forbid("transaction")
        yield
        self._account.permit("transaction")

    def close(self) -> None:
        self._server.stop()

    def _delete(self, number: int, *, listed: bool) -> None:
        if self._said.pop(number, None):
            self._account.remove(TABLES[number % 2], self._keys.pop(number), listed=listed)
