"""Who owns a row: the CRM's account where systems are linked, the own account where not, nobody where unknown."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.accounts import Matching, resolve
from books.engine import Engine
from books.reading import Books
from books.snapshots import Snapshot
from books.store import Store, table_from

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
ENTITIES = frozenset({"accounts", "invoices", "invoice_lines", "revenue_schedules", "usage_events", "products"})
BOOKS = Books(
    {"crm": ("crm",), "billing": ("bill",), "usage": ("meter",)},
    {"crm": ENTITIES, "bill": ENTITIES, "meter": frozenset({"usage_events"})},
)
MATCHING = Matching({("meter", "usage_events"): "crm", ("bill", "usage_events"): "billing_number"})


class Kept:
    """A store with the snapshot that was published last."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store(str(root / "books"))
        self.snapshot: Snapshot | None = None

    def write(self, entity: str, system: str, *rows: dict[str, Any]) -> None:
        common = {"system": system, "modified_at": NOW, "synced_at": NOW, "deleted": False}
        listed = [{**common, "raw": repr(row), **row} for row in rows]
        self.store.merge(entity, system, table_from(entity, listed))

    def publish(self) -> None:
        resolve(self.store, BOOKS, MATCHING, self.snapshot)
        self.snapshot = Snapshot("s", NOW, self.store.versions(), {})

    def owners(self, entity: str) -> dict[str, str | None]:
        assert self.snapshot is not None
        with Engine.over(self.store, self.snapshot) as engine:
            return {row["key"]: row["account_key"] for row in engine.rows(f'SELECT key, account_key FROM "{entity}"')}


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    kept = Kept(tmp_path)
    kept.write("accounts", "crm", {"key": "001A", "account_id": "001A"}, {"key": "001B", "account_id": "001B"})
    kept.write(
        "accounts",
        "bill",
        {"key": "b1", "account_id": "b1", "number": "A-1", "crm_key": "001A"},
        {"key": "b2", "account_id": "b2", "number": "A-2", "crm_key": "gone from the CRM"},
    )
    return kept


def test_a_linked_account_has_the_crm_key_and_an_unlinked_one_its_own(kept: Kept) -> None:
    kept.publish()
    assert kept.owners("accounts") == {"001A": "001A", "001B": "001B", "b1": "001A", "b2": "bill:b2"}


def test_rows_follow_their_account_their_parent_or_nobody(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"}, {"key": "i2", "account_id": "no such account"})
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i1"}, {"key": "l2", "invoice_key": "missing"})
    kept.write("products", "crm", {"key": "p1"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": "001A", "i2": None}
    assert kept.owners("invoice_lines") == {"l1": "001A", "l2": None}
    assert kept.owners("products") == {"p1": None}


def test_usage_names_its_customer_by_the_crm_id_or_the_billing_number(kept: Kept) -> None:
    kept.write("usage_events", "meter", {"key": "u1", "account_id": "001B"}, {"key": "u2", "account_id": "A-1"})
    kept.write("usage_events", "bill", {"key": "u3", "account_id": "A-2"})
    kept.publish()
    assert kept.owners("usage_events") == {"u1": "001B", "u2": None, "u3": "bill:b2"}


def test_an_account_that_arrives_later_adopts_its_rows(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b3"})
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i1"})
    kept.publish()
    assert kept.owners("invoice_lines") == {"l1": None}
    kept.write("accounts", "bill", {"key": "b3", "account_id": "b3", "crm_key": "001B"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": "001B"}
    assert kept.owners("invoice_lines") == {"l1": "001B"}


def test_a_link_that_moves_takes_its_rows_along(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.publish()
    kept.write("accounts", "bill", {"key": "b1", "account_id": "b1", "number": "A-1", "crm_key": "001B"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": "001B"}


def test_a_row_that_is_written_again_keeps_its_owner(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1", "number": "1"})
    kept.publish()
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1", "number": "2"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": "001A"}


def test_a_row_that_names_another_account_takes_its_children_along(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i1"})
    kept.publish()
    assert kept.owners("invoice_lines") == {"l1": "001A"}
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b2"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": "bill:b2"}
    assert kept.owners("invoice_lines") == {"l1": "bill:b2"}


def test_a_row_that_names_another_parent_changes_its_owner(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"}, {"key": "i2", "account_id": "b2"})
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i1"})
    kept.publish()
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i2"})
    kept.publish()
    assert kept.owners("invoice_lines") == {"l1": "bill:b2"}


def test_a_link_that_is_taken_away_leaves_the_systems_own_account(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.publish()
    kept.write("accounts", "bill", {"key": "b1", "account_id": "b1", "number": "A-1", "crm_key": None})
    kept.publish()
    assert kept.owners("accounts")["b1"] == "bill:b1"
    assert kept.owners("invoices") == {"i1": "bill:b1"}


def test_grandchildren_follow(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i1"})
    kept.write("revenue_schedules", "bill", {"key": "r1", "invoice_line_key": "l1"})
    kept.publish()
    assert kept.owners("revenue_schedules") == {"r1": "001A"}
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b2"})
    kept.publish()
    assert kept.owners("revenue_schedules") == {"r1": "bill:b2"}


def test_what_was_cut_off_before_publication_is_made_up_for(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.write("invoice_lines", "bill", {"key": "l1", "invoice_key": "i1"})
    kept.publish()
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b2"})
    # As if killed after the invoice had its new owner, and before its line had.
    kept.store.assign_accounts("invoices", "bill", pa.table({"key": ["i1"], "account_key": ["bill:b2"]}))
    kept.publish()
    assert kept.owners("invoice_lines") == {"l1": "bill:b2"}


def test_other_roles_make_other_owners(kept: Kept) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.publish()
    resolve(kept.store, Books({"billing": ("bill",)}, BOOKS.mapped), MATCHING, None)
    kept.snapshot = Snapshot("s", NOW, kept.store.versions(), {})
    assert kept.owners("invoices") == {"i1": "bill:b1"}


def test_rows_before_any_account_wait(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": None}
    kept.write("accounts", "bill", {"key": "b1", "account_id": "b1"})
    kept.publish()
    assert kept.owners("invoices") == {"i1": "bill:b1"}


@pytest.mark.parametrize("written", [None, {"name": "Another name"}])
def test_tables_that_nothing_can_have_changed_are_not_read(kept: Kept, written: dict[str, Any] | None) -> None:
    kept.write("invoices", "bill", {"key": "i1", "account_id": "b1"})
    kept.publish()
    if written:
        account = {"key": "b1", "account_id": "b1", "number": "A-1", "crm_key": "001A"}
        kept.write("accounts", "bill", account | written)
    for file in (kept.root / "books" / "invoices").glob("**/*.parquet"):
        file.rename(file.with_suffix(".away"))
    versions = kept.store.versions()
    kept.publish()
    assert kept.store.version("invoices") == versions["invoices"]


LINKS = st.sampled_from(["001A", "001B", "elsewhere", None])
OWNERSHIP = st.one_of(
    st.tuples(st.just("account"), st.sampled_from("ab"), LINKS),
    st.tuples(st.just("invoice"), st.sampled_from("12"), st.sampled_from(["a", "b", "nobody", None])),
    st.tuples(st.just("line"), st.sampled_from("34"), st.sampled_from(["1", "2", "missing"])),
    st.tuples(st.just("publish"), st.just(""), st.none()),
)


@settings(max_examples=8, deadline=None)
@given(events=st.lists(OWNERSHIP, min_size=2, max_size=12))
def test_any_history_ends_like_a_look_at_every_row(
    events: list[tuple[str, str, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = Kept(tmp_path_factory.mktemp("owners"))
    kept.write("accounts", "crm", {"key": "001A", "account_id": "001A"}, {"key": "001B", "account_id": "001B"})
    for what, key, said in events:
        if what == "account":
            kept.write("accounts", "bill", {"key": key, "account_id": key, "crm_key": said})
        elif what == "invoice":
            kept.write("invoices", "bill", {"key": key, "account_id": said})
        elif what == "line":
            kept.write("invoice_lines", "bill", {"key": key, "invoice_key": said})
        else:
            kept.publish()
    kept.publish()
    found = {name: kept.owners(name) for name in kept.store.versions()}
    resolve(kept.store, BOOKS, MATCHING, None)
    kept.snapshot = Snapshot("s", NOW, kept.store.versions(), {})
    assert {name: kept.owners(name) for name in kept.store.versions()} == found
