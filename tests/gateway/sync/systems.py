"""Three small simulated systems and a folder of files, and an installation that reads them into books of its own.

The systems and the installation share one clock, which only the test moves.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, Self

from books.engine import Engine
from connectors.contract import Connector
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sync.cycle import CycleReport
from gateway.sync.run import sync_now
from sandbox.netsuite import STANDARD_TABLES, NetSuiteAccount, NetSuiteServer, make_key_pair
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from sandbox.zuora import ZuoraServer, ZuoraTenant

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
SECRETS = {
    "consumer_key": "sf-key-5f2e",
    "consumer_secret": "sf-secret-91ad",
    "client_id": "client-id-77c0",
    "client_secret": "zuora-secret-3be8",
    "certificate_id": "certificate-d41f",
}
Row = dict[str, Any]

MAPPINGS = {
    "crm": """
connector: salesforce
objects:
  Account:
    key: Id
    modified: SystemModstamp
    targets:
      - {entity: accounts, account: Id, columns: {name: Name, crm_key: Id, bill_day: Bill_Day__c}}
  Deal__c:
    key: Id
    modified: SystemModstamp
    targets:
      - entity: quotes
        account: Account__c
        columns: {number: Name, type: Type__c, net_amount: Amount__c}
      - entity: amendments
        account: Account__c
        where: {Type__c: Amendment}
        columns: {number: Name, type: Type__c}
""",
    "billing": """
connector: zuora
objects:
  Account:
    key: Id
    modified: UpdatedDate
    targets:
      - {entity: accounts, account: Id, columns: {name: Name, number: AccountNumber, crm_key: CrmId}}
  Invoice:
    key: Id
    modified: UpdatedDate
    targets:
      - entity: invoices
        account: AccountId
        columns: {number: InvoiceNumber, total: Amount, invoice_date: InvoiceDate}
  RatePlanCharge:
    key: Id
    modified: UpdatedDate
    targets:
      - entity: subscription_lines
        key: OriginalId
        where: {IsLastSegment: true}
        columns: {number: ChargeNumber, quantity: Quantity}
      - entity: billing_schedules
        columns: {subscription_line_key: OriginalId, segment: Segment, quantity: Quantity}
""",
    "erp": """
connector: netsuite
objects:
  customer:
    key: id
    modified: lastmodifieddate
    deleted_types: [customer]
    targets:
      - {entity: accounts, account: id, columns: {name: companyname, number: entityid}}
  transaction:
    key: id
    modified: lastmodifieddate
    filter: transaction.type IN ('CustInvc', 'CustCred')
    deleted_types: [invoice, creditmemo]
    targets:
      - entity: invoices
        account: entity
        where: {type: CustInvc}
        columns: {number: tranid, total: foreigntotal, invoice_date: trandate}
      - entity: credit_memos
        account: entity
        where: {type: CustCred}
        columns: {number: tranid, amount: {from: foreigntotal, as: absolute}, memo_date: trandate}
  accountingperiod:
    key: id
    targets:
      - entity: accounting_periods
        columns: {name: periodname, start_date: startdate, end_date: {from: enddate, as: day_after}, closed: closed}
""",
    "meter": """
connector: files
objects:
  usage:
    pattern: usage/*.jsonl
    key: id
    modified: at
    targets:
      - entity: usage_events
        account: {from: customer, by: crm}
        columns: {event_id: id, quantity: quantity, happened_at: at}
""",
}
ROLES = {"crm": ["crm"], "billing": ["billing"], "erp": ["erp"], "meter": ["usage"]}


class Systems:
    """The four sources. `page_size` is that of Salesforce and Zuora.

    `live`: the clock is the machine's, as a command in a process of its own has it; `forward` then moves the systems
    alone.
    """

    def __init__(self, folder: Path, page_size: int = 3, *, live: bool = False) -> None:
        self._moved = timedelta(0)
        self._live = live
        self.ahead = timedelta(0)  # how far the reader's clock is ahead of the systems'
        self.folder = folder
        self._stack = ExitStack()
        self._started: set[str] = set()
        self.org = SalesforceOrg(self.clock)
        self.tenant = ZuoraTenant(self.clock)
        self.account = NetSuiteAccount(self.clock)
        self._private_key, public_key = make_key_pair("ES256")
        self.salesforce = SalesforceServer(
            self.org,
            client_id=SECRETS["consumer_key"],
            client_secret=SECRETS["consumer_secret"],
            page_size=page_size,
        )
        self.zuora = ZuoraServer(
            self.tenant, client_id=SECRETS["client_id"], client_secret=SECRETS["client_secret"], page_size=page_size
        )
        self.netsuite = NetSuiteServer(
            self.account,
            client_id=SECRETS["client_id"],
            certificate_id=SECRETS["certificate_id"],
            public_key_pem=public_key,
            wall_clock=self.reader_clock,
        )
        self._define()

    def _define(self) -> None:
        self.org.define("Account", {"Name": "string", "Bill_Day__c": "string"})
        self.org.define(
            "Deal__c",
            {"Name": "string", "Account__c": "reference(Account)", "Type__c": "picklist", "Amount__c": "currency"},
        )
        self.account.define("customer", STANDARD_TABLES["customer"])

    def __enter__(self) -> Self:
        (self.folder / "files" / "usage").mkdir(parents=True)
        for name, text in MAPPINGS.items():
            (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def salesforce_port(self) -> int:
        return int(self.salesforce.url.rpartition(":")[2])

    @property
    def zuora_port(self) -> int:
        return int(self.zuora.url.rpartition(":")[2])

    @property
    def now(self) -> datetime:
        return (datetime.now(UTC) if self._live else NOW) + self._moved

    def clock(self) -> datetime:
        """The time in the systems."""
        return self.now

    def reader_clock(self) -> datetime:
        """The time where they are read."""
        return datetime.now(UTC) if self._live else self.now + self.ahead

    def forward(self, **by: float) -> None:
        self._moved += timedelta(**by)

    def write_usage(self, name: str, *events: Mapping[str, object]) -> None:
        """A file of the meter that nobody is writing to any more."""
        path = self.folder / "files" / "usage" / name
        path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        left = (self.reader_clock() - timedelta(minutes=5)).timestamp()
        os.utime(path, (left, left))

    def settings(self, names: Iterable[str] = MAPPINGS, **more: object) -> dict[str, Any]:
        """tieout.yaml; `more` is said of every source."""
        self._start(set(names))
        retries = {"attempts": 2, "first_wait_s": 0.01, "budget_s": 2.0}
        own: dict[str, dict[str, Any]] = {
            "crm": {"base_url": self.salesforce.url, "retries": retries},
            "billing": {"base_url": self.zuora.url, "retries": retries},
            "erp": {"base_url": self.netsuite.url, "account_id": "1234567_SB1", "retries": retries},
            "meter": {"folder": "files"},
        }
        kinds = {"crm": "salesforce", "billing": "zuora", "erp": "netsuite", "meter": "files"}
        sources = {
            name: {
                "connector": kinds[name],
                "roles": ROLES[name],
                "mapping": f"{name}.yaml",
                "settings": own[name],
                **more,
            }
            for name in names
        }
        return {"sources": sources, "books": "books", "state": "state"}

    def _start(self, names: set[str]) -> None:
        servers: dict[str, SalesforceServer | ZuoraServer | NetSuiteServer]
        servers = {"crm": self.salesforce, "billing": self.zuora, "erp": self.netsuite}
        for name in sorted((names & servers.keys()) - self._started):
            servers[name].start()
            self._stack.callback(servers[name].stop)
            self._started.add(name)

    def environment(self) -> dict[str, str]:
        """The secrets, each under the name that the installation looks for."""
        return {
            "TIEOUT_CRM_CONSUMER_KEY": SECRETS["consumer_key"],
            "TIEOUT_CRM_CONSUMER_SECRET": SECRETS["consumer_secret"],
            "TIEOUT_BILLING_CLIENT_ID": SECRETS["client_id"],
            "TIEOUT_BILLING_CLIENT_SECRET": SECRETS["client_secret"],
            "TIEOUT_ERP_CLIENT_ID": SECRETS["client_id"],
            "TIEOUT_ERP_CERTIFICATE_ID": SECRETS["certificate_id"],
            "TIEOUT_ERP_PRIVATE_KEY_PEM": self._private_key,
        }


class Readable(Protocol):
    """Where an installation lies, and the clock that it goes by."""

    @property
    def folder(self) -> Path: ...

    def reader_clock(self) -> datetime: ...


class Reader:
    """An installation over some systems: syncs them and looks into what was published."""

    def __init__(self, systems: Readable, database: Database, settings: dict[str, Any]) -> None:
        self.installed = Installation(parse(settings, systems.folder), systems.reader_clock)
        self.installed.database = database

    def sync(self, **how: Any) -> CycleReport:
        return sync_now(self.installed, **how)

    def published(self, systems: Iterable[str]) -> dict[tuple[str, str, str], Row]:
        """Every published row of these systems, tombstones included, by system, entity and key."""
        snapshot = self.installed.ledger.latest()
        assert snapshot is not None, "nothing was published"
        found: dict[tuple[str, str, str], Row] = {}
        with Engine.over(self.installed.store, snapshot) as engine:
            for system in systems:
                for entity in sorted(self.installed.mappings[system].entities & snapshot.versions.keys()):
                    rows = engine.rows(f"SELECT * FROM \"{entity}\" WHERE system = '{system}'")
                    by_key = {(system, entity, row["key"]): row for row in rows}
                    assert len(by_key) == len(rows), f"a key of {entity} stands twice"
                    found.update(by_key)
        return found

    def rows(self, entity: str, system: str, *, deleted: bool = False) -> dict[str, Row]:
        """Published rows of one entity by key: the live ones, or the tombstones."""
        rows = self.published([system]).items()
        return {key: row for (_, of, key), row in rows if of == entity and row["deleted"] is deleted}

    def versions(self) -> dict[str, int]:
        return self.installed.store.versions()

    def watermark(self, system: str, entity: str) -> datetime | None:
        snapshot = self.installed.ledger.latest()
        assert snapshot is not None
        return snapshot.readings[system, entity].watermark

    def failure(self, system: str, entity: str) -> str | None:
        snapshot = self.installed.ledger.latest()
        assert snapshot is not None
        return snapshot.readings[system, entity].failure


def said(row: Row) -> Row:
    """What a row says, without when it was written and who was found to own it."""
    return {name: value for name, value in row.items() if name not in ("synced_at", "account_key")}


def mapped(installed: Installation, system: str) -> dict[tuple[str, str, str], Row]:
    """What the source holds now, read afresh and mapped row by row: what the books must say."""
    connector: Connector = installed.connector(system)
    found: dict[tuple[str, str, str], Row] = {}
    try:
        for name in installed.mappings[system].walked:
            of_object = installed.mappings[system].objects[name]
            for page in connector.changes(name, None):
                for target, rows in of_object.book(page.records, system, NOW).rows:
                    found.update({(system, target.entity.name, row["key"]): said(row) for row in rows})
    finally:
        connector.close()
    return found


def held(reader: Reader, *systems: str) -> dict[tuple[str, str, str], Row]:
    """What the published books say of these systems, by system, entity and key, tombstones left out."""
    return {place: said(row) for place, row in reader.published(systems).items() if not row["deleted"]}


def deal(account: str, name: str, kind: str = "New", amount: str = "100.00") -> Row:
    return {"Name": name, "Account__c": account, "Type__c": kind, "Amount__c": Decimal(amount)}


def invoice(account: str, number: str, amount: str = "100.00") -> Row:
    return {"AccountId": account, "InvoiceNumber": number, "Amount": Decimal(amount), "InvoiceDate": date(2026, 11, 1)}
