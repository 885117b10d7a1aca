"""From two accounts that nothing declares to be one, over a proposal and a person's word, to one customer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from books.accounts import Matching, resolve
from books.engine import Engine
from books.reading import Books
from books.snapshots import Snapshot
from books.store import Store, table_from
from gateway.crosswalk.links import confirm, listed, reject
from gateway.crosswalk.publishing import Crosswalk
from gateway.crosswalk.tables import Basis, Link
from gateway.db.session import Database
from gateway.errors import NotFound, Refused
from gateway.exceptions.tables import AuditEntry
from tests.gateway.exceptions.queue_world import OWNERS

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
HELD = frozenset({"accounts", "invoices", "usage_events"})
BOOKS = Books(
    {"crm": ("crm",), "billing": ("bill",), "usage": ("meter",), "controls": ("tieout",)},
    {"crm": HELD, "bill": HELD, "meter": HELD, "tieout": frozenset({"links"})},
)
MATCHING = Matching({("meter", "usage_events"): "crm", ("tieout", "links"): "crm"})


class World:
    """Books that are published as a sync does it."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.store = Store(str(root))
        self.crosswalk = Crosswalk(database, lambda: NOW, Decimal("0.85"))
        self.snapshot: Snapshot | None = None
        self.write("accounts", "crm", {"key": "001", "name": "Northwind Trading"}, {"key": "002", "name": "Contoso"})
        self.write("accounts", "bill", {"key": "b1", "name": "Northwind Trading Ltd"})
        self.write("invoices", "bill", {"key": "i1", "account_id": "b1"})

    def write(self, entity: str, system: str, *rows: dict[str, Any]) -> None:
        common = {"system": system, "modified_at": NOW, "synced_at": NOW, "deleted": False}
        listed = [{**common, "account_id": row["key"], "raw": repr(row), **row} for row in rows]
        self.store.merge(entity, system, table_from(entity, listed))

    def publish(self) -> None:
        self.crosswalk.write_decisions(self.store)
        resolve(self.store, BOOKS, MATCHING, self.snapshot)
        self.crosswalk.propose(self.store, BOOKS, self.snapshot.versions if self.snapshot else {})
        self.snapshot = Snapshot("s", NOW, self.store.versions(), {})

    def owner(self, entity: str, key: str) -> str | None:
        assert self.snapshot is not None
        with Engine.over(self.store, self.snapshot) as engine:
            (row,) = engine.rows(f"SELECT account_key FROM \"{entity}\" WHERE key = '{key}'")
        owner: str | None = row["account_key"]
        return owner

    def in_books(self) -> dict[str, str]:
        """The basis of every live link of the books that no field declares, by its record."""
        assert self.snapshot is not None
        with Engine.over(self.store, self.snapshot) as engine:
            rows = engine.rows("SELECT left_key, basis FROM links WHERE NOT deleted AND basis <> 'declared'")
        return {row["left_key"]: row["basis"] for row in rows}

    def links(self, *basis: Basis) -> list[Link]:
        with self.database.session() as session:
            return listed(session, basis or tuple(Basis))

    def decide(self, what: Any, reference: str = "", actor: str = "ann") -> Link:
        with self.database.session() as session:
            link: Link = what(session, OWNERS, actor, reference or self.links()[0].reference, NOW, "seen")
            return link


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_a_proposal_joins_nothing(world: World) -> None:
    world.publish()
    (link,) = world.links()
    assert (link.left_key, link.right_key, link.basis, link.score) == ("b1", "001", "matched", Decimal(1))
    assert world.in_books() == {"b1": "matched"}
    assert world.owner("invoices", "i1") == "bill:b1"


def test_a_confirmed_link_joins_the_account_and_what_it_has_from_the_next_sync_on(world: World) -> None:
    world.publish()
    link = world.decide(confirm)
    assert world.owner("invoices", "i1") == "bill:b1"
    world.publish()
    assert (world.owner("accounts", "b1"), world.owner("invoices", "i1")) == ("001", "001")
    assert world.in_books() == {"b1": "confirmed"}
    with world.database.session() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action, entry.subject) == ("ann", "link.confirmed", link.reference)
    assert (entry.before, entry.after["record"]) == ({"basis": "matched"}, "bill/accounts/b1")


def test_a_rejected_pair_stays_rejected(world: World) -> None:
    world.publish()
    world.decide(reject)
    world.write("accounts", "bill", {"key": "b1", "name": "Northwind Trading Limited"}, {"key": "b2", "name": "Other"})
    world.publish()
    assert world.links(Basis.MATCHED) == []
    assert world.in_books() == {"b1": "rejected"}
    assert world.owner("invoices", "i1") == "bill:b1"


def test_a_confirmation_can_be_taken_back(world: World) -> None:
    world.publish()
    world.decide(confirm)
    world.publish()
    world.decide(reject)
    world.publish()
    assert world.owner("invoices", "i1") == "bill:b1"


def test_a_declared_key_goes_before_a_proposal(world: World) -> None:
    world.publish()
    world.write("accounts", "bill", {"key": "b1", "name": "Northwind Trading Ltd", "crm_key": "002"})
    world.publish()
    assert world.owner("invoices", "i1") == "002"
    assert world.links() == []
    assert world.in_books() == {}


def test_usage_of_an_unknown_subject_finds_its_customer(world: World) -> None:
    world.write(
        "usage_events",
        "meter",
        {"key": "u1", "account_id": None, "subject": "northwind-trading"},
        {"key": "u2", "account_id": "Contosso", "subject": "x"},
        {"key": "u3", "account_id": "002", "subject": "northwind-trading"},
        {"key": "u4", "account_id": None, "subject": "nobody at all"},
    )
    world.publish()
    found = {link.left_key: link for link in world.links() if link.left_entity == "usage_events"}
    assert {key: link.right_key for key, link in found.items()} == {"northwind-trading": "001", "Contosso": "002"}
    world.decide(confirm, found["northwind-trading"].reference)
    world.publish()
    owners = [world.owner("usage_events", key) for key in ("u1", "u2", "u3", "u4")]
    assert owners == ["001", None, "002", None]


def test_a_record_is_confirmed_as_one_customer_only(world: World) -> None:
    world.write("accounts", "crm", {"key": "003", "name": "Northwind Trading Inc"})
    world.publish()
    first, second = world.links(Basis.MATCHED)
    world.decide(confirm, first.reference)
    assert world.links(Basis.MATCHED) == []
    world.publish()
    with pytest.raises(NotFound, match=f"There is no link {second.reference}"):
        world.decide(confirm, second.reference)


def test_only_people_decide(world: World) -> None:
    world.publish()
    with pytest.raises(Refused, match="knows no person 'robot'"):
        world.decide(confirm, actor="robot")
    with pytest.raises(NotFound, match="There is no link EXC-1"):
        world.decide(reject, "EXC-1")


def test_a_sync_that_brought_nothing_compares_nothing(world: World) -> None:
    world.publish()
    before = world.links()[0].proposed_at, world.store.versions()
    world.crosswalk = Crosswalk(world.database, lambda: NOW + timedelta(hours=1), Decimal(1))
    world.publish()
    assert (world.links()[0].proposed_at, world.store.versions()) == before
