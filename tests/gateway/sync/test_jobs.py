"""The periodic work: each source at its own pace, everything twice with no harm, the books kept in order."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from books.engine import Engine
from books.store import FILES_TO_CLUSTER, table_from
from gateway.jobs import due, escalate, notify, poll, seal_audit, tick
from gateway.owners.reading import load as load_owners
from gateway.sync.upkeep import tidy
from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import NOW, Reader, Systems, deal, held, mapped

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def reader(systems: Systems, reading: MakeReader) -> Reader:
    """A CRM that is polled every 10 minutes and a billing platform every 30."""
    settings = systems.settings(["crm", "billing"])
    settings["sources"]["crm"]["every_minutes"] = 10
    settings["sources"]["billing"]["every_minutes"] = 30
    made = Reader(systems, reading("crm").installed.database, settings)
    made.installed.owners = load_owners(ROOT / "owners.yaml")
    account = systems.org.put("Account", {"Name": "A"})
    systems.org.put("Deal__c", deal(account, "Q-1"))
    return made


def test_each_source_is_polled_at_its_own_pace(reader: Reader, systems: Systems) -> None:
    assert tick(reader.installed) == timedelta(minutes=10)
    polled = []
    for _ in range(7):
        names = due(reader.installed, systems.now)
        polled.append(names)
        if names:
            reader.sync(names=names)
        systems.forward(minutes=10)
    assert polled == [["crm", "billing"], ["crm"], ["crm"], ["crm", "billing"], ["crm"], ["crm"], ["crm", "billing"]]


def test_a_poll_that_took_a_while_does_not_slip_to_the_tick_after(reader: Reader, systems: Systems) -> None:
    reader.sync()
    systems.forward(minutes=9, seconds=50)
    assert due(reader.installed, systems.now) == ["crm"]


def test_a_source_that_failed_is_due_again(reader: Reader, systems: Systems) -> None:
    systems.salesforce.stop()
    reader.sync()
    systems.forward(minutes=10)
    assert due(reader.installed, systems.now) == ["crm"]
    systems.salesforce.start()


def counted(reader: Reader) -> dict[str, int]:
    """How many rows each table of the state has, those that remember the poll itself left out."""
    with reader.installed.database.engine.connect() as connection:
        names = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        kept = [name for name in names if name not in ("snapshots", "sync_objects")]
        return {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in kept}


def test_every_job_may_run_twice(reader: Reader, systems: Systems) -> None:
    installed = reader.installed

    def all_of_them() -> None:
        poll(installed, systems.now)
        escalate(installed, systems.now)
        notify(installed, {}, systems.now)
        seal_audit(installed, systems.now)

    all_of_them()
    first, versions = counted(reader), reader.versions()
    all_of_them()
    assert counted(reader) == first
    assert reader.versions() == versions
    assert held(reader, "crm") == mapped(installed, "crm")


def test_many_small_writes_are_put_in_order_and_stay_readable(reader: Reader) -> None:
    store = reader.installed.store
    for n in range(FILES_TO_CLUSTER):
        row = {"system": "crm", "key": str(n), "synced_at": NOW, "deleted": False, "raw": "{}"}
        store.merge("products", "crm", table_from("products", [row]))
    reader.sync()
    published = reader.installed.ledger.latest()
    assert published is not None
    assert tidy(reader.installed, NOW) == ["products"]
    assert tidy(reader.installed, NOW) == []
    assert len(store.files("products", published.versions["products"])) == FILES_TO_CLUSTER, "it is still published"
    with Engine.over(store, published) as engine:
        assert engine.rows("SELECT count(*) AS n FROM products") == [{"n": FILES_TO_CLUSTER}]
    reader.sync()
    latest = reader.installed.ledger.latest()
    assert latest is not None
    assert len(store.files("products", latest.versions["products"])) == 1
