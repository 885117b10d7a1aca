"""Kill -9 in the middle of a sync, then the same command again: the books equal the source, and until then readers see
what was published before."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
import yaml

from gateway.db.session import Database
from tests.gateway.sync.commands import Command, CommandServer
from tests.gateway.sync.doorway import Doorway
from tests.gateway.sync.systems import MAPPINGS, Reader, Row, Systems, deal, held, invoice, mapped

DEADLINE_S = 60.0
ACCOUNTS, DEALS, INVOICES, TRANSACTIONS = 20, 60, 50, 30
BATCH = 25


class Scene:
    """Systems with doors before them, a sync command, and the means to stop it where it is."""

    def __init__(self, systems: Systems, database: Database, url: str, commands: CommandServer) -> None:
        self.systems = systems
        self.crm, self.billing = Doorway(systems.salesforce_port), Doorway(systems.zuora_port)
        settings = systems.settings(batch_records=BATCH)
        settings["sources"]["crm"]["settings"]["base_url"] = self.crm.url
        settings["sources"]["billing"]["settings"]["base_url"] = self.billing.url
        self.config = systems.folder / "tieout.yaml"
        self.config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        self.reader = Reader(systems, database, settings)
        self._commands = commands
        self._environment = {**systems.environment(), "TIEOUT_DATABASE_URL": url}
        self._plain = url.replace("postgresql+psycopg://", "postgresql://")

    def start(self) -> Command:
        return self._commands.start("sync", "-c", str(self.config), environment=self._environment)

    def run(self) -> None:
        """The command, to its end."""
        status, output = self._commands.run("sync", "-c", str(self.config), environment=self._environment)
        assert status == 0, output

    @contextmanager
    def table_locked(self, table: str, mode: str) -> Iterator[None]:
        with psycopg.connect(self._plain) as connection:
            connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
            yield
            connection.rollback()

    def wait_for_locks(self, sql: str, *, there: bool) -> None:
        """Until pg_locks shows such a lock in this database, or none."""
        asked = f"SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE {sql}"
        mine = " AND d.datname = current_database()"
        with psycopg.connect(self._plain, autocommit=True) as connection:
            wait(lambda: bool(connection.execute(asked + mine).fetchone() != (0,)) is there)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.002)


Moment = Callable[[Scene], AbstractContextManager[Callable[[], None]]]


def asked(door: str, number: int) -> Moment:
    """The source has been asked for the `number`-th time, and has not answered."""

    @contextmanager
    def moment(scene: Scene) -> Iterator[Callable[[], None]]:
        doorway: Doorway = getattr(scene, door)
        doorway.keep(number)
        yield doorway.wait_until_kept
        doorway.release()

    return moment


def written(door: str, number: int) -> Moment:
    """The rows of the page that came with the `number`-th request are written, its position is not."""

    @contextmanager
    def moment(scene: Scene) -> Iterator[Callable[[], None]]:
        doorway: Doorway = getattr(scene, door)
        doorway.keep(number)

        def reached() -> None:
            doorway.wait_until_kept()
            stack.__enter__()
            doorway.release()
            scene.wait_for_locks("NOT l.granted", there=True)

        stack = scene.table_locked("sync_objects", "EXCLUSIVE")
        yield reached
        stack.__exit__(None, None, None)

    return moment


def locked(table: str, mode: str) -> Moment:
    """The command waits for this table."""

    @contextmanager
    def moment(scene: Scene) -> Iterator[Callable[[], None]]:
        with scene.table_locked(table, mode):
            yield lambda: scene.wait_for_locks("NOT l.granted", there=True)

    return moment


@contextmanager
def asked_netsuite(scene: Scene) -> Iterator[Callable[[], None]]:
    with scene.systems.netsuite.held():
        yield lambda: scene.systems.netsuite.wait_in_flight(1)


def committed(number: int) -> Moment:
    """So many more commits are in the Delta logs; nothing holds the command there."""

    @contextmanager
    def moment(scene: Scene) -> Iterator[Callable[[], None]]:
        before = _commits(scene)
        yield lambda: wait(lambda: _commits(scene) >= before + number)

    return moment


def _commits(scene: Scene) -> int:
    return len(list((scene.systems.folder / "books").glob("*/_delta_log/*.json")))


FIRST: dict[str, Moment] = {
    "the login": asked("crm", 1),
    "a page of deals": asked("crm", 7),
    "rows of a page written, its position not": written("crm", 8),
    "the first question to billing": asked("billing", 1),
    "in the middle of a window": asked("billing", 5),
    "rows of a window written, its position not": written("billing", 5),
    "a question to the ERP": asked_netsuite,
    "some commit": committed(6),
    "all read, owners not resolved": locked("snapshots", "ACCESS EXCLUSIVE"),
    "owners resolved, not published": locked("snapshots", "EXCLUSIVE"),
}
NEXT: dict[str, Moment] = {
    "changes written, position not": written("crm", 5),
    "in a window of changes": asked("billing", 3),
    "changes read, not published": locked("snapshots", "EXCLUSIVE"),
}


@pytest.fixture
def scene(live_systems: Systems, database: Database, database_url: str, commands: CommandServer) -> Iterator[Scene]:
    fill(live_systems)
    scene = Scene(live_systems, database, database_url, commands)
    with scene.crm, scene.billing:
        yield scene


def fill(systems: Systems) -> None:
    """Some hundred records, many of one second, all linked to the CRM's accounts."""
    accounts = [systems.org.put("Account", {"Name": f"Account {n}"}) for n in range(ACCOUNTS)]
    for n in range(DEALS):
        kind = "Amendment" if n % 4 == 0 else "New"
        stamp = {"SystemModstamp": datetime(2026, 11, 1 + n // 25, tzinfo=UTC)}
        systems.org.put("Deal__c", deal(accounts[n % ACCOUNTS], f"Q-{n}", kind) | stamp)
    billed = [
        systems.tenant.put("Account", {"Name": f"A {n}", "AccountNumber": f"A-{n}", "CrmId": accounts[n]})
        for n in range(ACCOUNTS)
    ]
    for n in range(INVOICES):
        systems.tenant.put("Invoice", invoice(billed[n % ACCOUNTS], f"INV-{n}", f"{n}.50"))
    customer = systems.account.put("customer", {"companyname": "A", "entityid": "C-1"})
    for n in range(TRANSACTIONS):
        kind, record = ("CustCred", "creditmemo") if n % 5 == 0 else ("CustInvc", "invoice")
        row = {"type": kind, "recordtype": record, "entity": customer, "tranid": f"T-{n}", "foreigntotal": n}
        systems.account.put("transaction", row)
    events = ({"id": f"u{n}", "customer": accounts[0], "quantity": n, "at": "2026-11-30T00:00:00Z"} for n in range(30))
    systems.write_usage("a.jsonl", *events)


def change(systems: Systems) -> None:
    """Some records change, come and go in every system."""
    deals = [row["Id"] for row in systems.org.rows("Deal__c") if not row["IsDeleted"]]
    account = str(systems.org.rows("Account")[0]["Id"])
    for n, key in enumerate(deals[:20]):
        systems.org.put("Deal__c", {"Id": key, "Name": f"Q-{n} again", "Type__c": "New"})
    for key in deals[-3:]:
        systems.org.remove("Deal__c", str(key))
    systems.org.put("Deal__c", deal(account, "Q-new"))
    for row in systems.tenant.rows("Invoice")[:20]:
        systems.tenant.put("Invoice", {"Id": row["Id"], "InvoiceNumber": f"{row['InvoiceNumber']}b"})
    first = systems.account.rows("transaction")[0]["id"]
    assert isinstance(first, int)
    systems.account.remove("transaction", first)
    systems.write_usage("b.jsonl", {"id": "u-new", "customer": account, "quantity": 1, "at": "2026-11-30T00:00:00Z"})


def kill_at(scene: Scene, moment: Moment) -> None:
    with moment(scene) as reached:
        command = scene.start()
        reached()
        command.kill()
    scene.wait_for_locks("l.locktype = 'advisory'", there=False)


def is_like_the_sources(reader: Reader) -> None:
    """Row for row and value for value, with the right owners."""
    there = held(reader, *MAPPINGS)
    assert there == {place: row for system in MAPPINGS for place, row in mapped(reader.installed, system).items()}
    assert {system for system, _, _ in there} == set(MAPPINGS)
    owners = {place: row["account_key"] for place, row in reader.published(MAPPINGS).items()}
    assert owners == {place: _owner(there, place, row) for place, row in there.items()} | {
        place: owners[place] for place in owners.keys() - there.keys()
    }


def _owner(there: dict[tuple[str, str, str], Row], place: tuple[str, str, str], row: Row) -> str | None:
    """Whose a row is: the CRM's account, or the one of its own system where that names none."""
    system, account = place[0], row["account_id"]
    if account is None or system in ("crm", "meter"):
        return str(account) if account else None
    linked: str | None = there[system, "accounts", account]["crm_key"]
    return linked or f"{system}:{account}"


@pytest.mark.parametrize("moment", FIRST.values(), ids=FIRST.keys())
def test_a_first_load_that_is_killed_ends_in_the_same_books(scene: Scene, moment: Moment) -> None:
    kill_at(scene, moment)
    assert scene.reader.installed.ledger.latest() is None
    scene.run()
    is_like_the_sources(scene.reader)


@pytest.mark.parametrize("moment", NEXT.values(), ids=NEXT.keys())
def test_a_later_poll_that_is_killed_leaves_the_old_snapshot(scene: Scene, moment: Moment) -> None:
    scene.reader.sync()
    published = scene.reader.installed.ledger.latest()
    before = held(scene.reader, *MAPPINGS)
    scene.systems.forward(hours=1)
    change(scene.systems)
    kill_at(scene, moment)
    assert scene.reader.installed.ledger.latest() == published
    assert held(scene.reader, *MAPPINGS) == before
    scene.run()
    is_like_the_sources(scene.reader)
    assert len(scene.reader.rows("quotes", "crm", deleted=True)) == 3


def test_killed_again_and_again(scene: Scene) -> None:
    for number in (3, 9, 5):
        kill_at(scene, asked("crm", number))
    kill_at(scene, asked("billing", 4))
    scene.run()
    is_like_the_sources(scene.reader)


def test_a_rewrite_for_another_mapping_that_is_killed_reaches_every_row(scene: Scene) -> None:
    scene.run()
    file = scene.systems.folder / "crm.yaml"
    file.write_text(file.read_text().replace("number: Name", "number: {from: Name, as: lower}"))
    kill_at(scene, asked("crm", 9))
    scene.run()
    again = Reader(scene.systems, scene.reader.installed.database, yaml.safe_load(scene.config.read_text()))
    assert {row["number"] for row in again.rows("quotes", "crm").values()} == {f"q-{n}" for n in range(DEALS)}
    assert held(again, "crm") == mapped(again.installed, "crm")
