"""The books against the source: what differs is told by kind, and repaired by the walk's own writing code."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.db.session import Database
from gateway.errors import Unavailable
from gateway.sync.comparison import Comparison
from gateway.sync.reconcile import Depth, Reconciled, reconcile
from gateway.sync.run import sync_lock
from tests.gateway.sync.memory import MemoryInstallation, filled, is_down, is_hidden
from tests.gateway.sync.test_scope import standing


@pytest.fixture
def installed(tmp_path: Path, database: Database) -> MemoryInstallation:
    opened = MemoryInstallation(tmp_path, database, filled())
    opened.sync()
    return opened


def of(done: Reconciled, name: str) -> Comparison:
    return next(one for one in done.sources["mem"] if one.object == name)


def test_books_that_agree_are_left_alone(installed: MemoryInstallation) -> None:
    before = installed.store.versions()
    done = reconcile(installed, Depth(values=True))
    assert not done.differs
    assert done.snapshot is None
    assert installed.store.versions() == before
    bills = of(done, "Bill")
    assert (bills.counted, bills.listed, bills.expected, bills.books, bills.compared) == (5, 5, 5, 5, 5)


@pytest.mark.parametrize("fetches", [True, False])
def test_what_is_missing_is_brought(installed: MemoryInstallation, fetches: bool) -> None:
    installed.memory.fetches = fetches
    installed.store.bury("invoices", "mem", ["B1", "B2"], installed.memory.now)
    before = standing(installed)
    done = reconcile(installed)
    bills = of(done, "Bill")
    assert (bills.missing, bills.repaired, bills.trouble) == (2, 2, None)
    assert done.snapshot is not None
    assert set(installed.rows("invoices")) == {"B0", "B1", "B2", "B3"}
    assert standing(installed) == before, "no position moves"
    assert not reconcile(installed).differs


def test_what_the_source_does_not_show_is_buried(installed: MemoryInstallation) -> None:
    installed.memory.remove("Bill", "B3", listed=False)
    done = reconcile(installed)
    assert (of(done, "Bill").surplus, of(done, "Bill").repaired) == (1, 1)
    assert set(installed.rows("invoices", deleted=True)) == {"B3"}


def test_values_that_differ_are_named_and_mended(installed: MemoryInstallation) -> None:
    # Changed without a new stamp, as a script does that a cursor never sees.
    installed.memory.records["Bill"]["B1"]["Total"] = "111.00"
    installed.memory.records["Bill"]["B2"] |= {"Total": "222.00", "Number": "INV-2b"}
    bills = of(reconcile(installed, Depth(values=True)), "Bill")
    assert (bills.changed, bills.repaired, bills.compared) == (2, 2, 5)
    assert bills.fields == {"invoices.total": 2, "invoices.number": 1, "invoices.raw": 2}
    assert str(installed.rows("invoices")["B2"]["total"]) == "222.0000"


def test_a_sample_asks_for_so_many_records(installed: MemoryInstallation) -> None:
    installed.memory.records["Customer"]["C1"]["Name"] = "Another"
    done = reconcile(installed, Depth(sample=2))
    assert [one.compared for one in done.sources["mem"]] == [2, 2, 0]
    assert of(reconcile(installed, Depth(sample=100)), "Customer").compared == 3
    assert installed.rows("accounts")["C1"]["name"] == "Another"


def test_a_dry_run_tells_and_writes_nothing(installed: MemoryInstallation) -> None:
    installed.store.bury("invoices", "mem", ["B1"], installed.memory.now)
    installed.memory.remove("Bill", "B3", listed=False)
    installed.memory.records["Bill"]["B0"]["Total"] = "1.00"
    before, published = installed.store.versions(), installed.ledger.latest_id()
    done = reconcile(installed, Depth(values=True, dry_run=True))
    bills = of(done, "Bill")
    assert (bills.missing, bills.surplus, bills.changed, bills.repaired) == (1, 1, 1, 0)
    assert done.differs
    assert (installed.store.versions(), installed.ledger.latest_id()) == (before, published)


def test_a_source_whose_pages_lose_records_buries_nothing(installed: MemoryInstallation) -> None:
    installed.memory.lost_by_paging.add("B0")
    bills = of(reconcile(installed), "Bill")
    assert bills.trouble == (
        "mem counts 5 Bill and shows 4, which is fewer: pages lose or repeat records, or the count sees what the "
        "integration user does not. Nothing was buried."
    )
    assert bills.differs
    assert "B0" in installed.rows("invoices")


def test_a_lost_permission_buries_nothing(installed: MemoryInstallation) -> None:
    installed.memory.forward(minutes=1)
    for n in range(10, 60):
        installed.memory.put("Customer", f"C{n}", Name=f"Customer {n}")
    installed.sync()
    installed.memory.records["Customer"] = {}
    customers = of(reconcile(installed), "Customer")
    assert (customers.surplus, customers.repaired) == (53, 0)
    assert "does not show 53 of 53 accounts any more" in str(customers.trouble)
    assert len(installed.rows("accounts")) == 53


def test_what_cannot_become_a_row_is_rejected_and_not_missing(installed: MemoryInstallation) -> None:
    installed.memory.put("Bill", "B9", Number="INV-9", Customer="C0", Total="much", Kind="Invoice")
    installed.sync()
    bills = of(reconcile(installed), "Bill")
    assert (bills.rejected, bills.missing, bills.differs) == (1, 0, False)


def test_an_object_that_cannot_be_read_buries_nothing_of_what_it_shares(installed: MemoryInstallation) -> None:
    installed.memory.put("Note", "N1", Number="CM-1")
    installed.sync()
    installed.memory.refused["Note"] = is_hidden("Note")
    done = reconcile(installed)
    assert (of(done, "Note").trouble, of(done, "Note").differs) == ("mem does not show Note.", True)
    assert (of(done, "Bill").surplus, of(done, "Bill").differs) == (0, False)
    assert set(installed.rows("credit_memos")) == {"B4", "N1"}


def test_a_source_that_is_down_is_asked_once(installed: MemoryInstallation) -> None:
    installed.memory.down = is_down()
    installed.memory.asked.clear()
    done = reconcile(installed)
    assert [one.trouble for one in done.sources["mem"]] == ["mem: the system gave no answer."] * 3
    assert len(installed.memory.asked) == 1


def test_one_entity_alone(installed: MemoryInstallation) -> None:
    done = reconcile(installed, entities=["accounts"])
    assert [one.object for one in done.sources["mem"]] == ["Customer"]


def test_nobody_writes_meanwhile(installed: MemoryInstallation) -> None:
    with sync_lock(installed.database), pytest.raises(Unavailable, match="Another sync is running"):
        reconcile(installed)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(buried=set(), gone={"B1", "B2", "B3"}, changed=set())
@example(buried={"B0"}, gone={"B1"}, changed={"B0", "B2"})
@example(buried={"B0"}, gone={"B0"}, changed=set())
@given(
    buried=st.sets(st.sampled_from(["B0", "B1", "B2", "B3"])),
    gone=st.sets(st.sampled_from(["B0", "B1", "B2", "B3", "B4"])),
    changed=st.sets(st.sampled_from(["B0", "B1", "B2", "B3", "B4"])),
)
def test_whatever_differs_the_books_are_equal_afterwards(
    installed: MemoryInstallation, buried: set[str], gone: set[str], changed: set[str]
) -> None:
    memory, keys = installed.memory, [f"B{n}" for n in range(5)]
    for n, key in enumerate(keys):
        memory.put("Bill", key, Number=f"INV-{n}", Customer="C0", Total="5.00", Kind="Credit" if n == 4 else "Invoice")
    reconcile(installed, Depth(values=True))
    installed.store.bury("invoices", "mem", buried, memory.now)
    for key in changed:
        memory.records["Bill"][key]["Total"] = "7.00"
    for key in gone:
        memory.remove("Bill", key, listed=False)
    bills = of(reconcile(installed, Depth(values=True)), "Bill")
    assert bills.trouble is None
    assert bills.missing == len(buried - gone)
    assert bills.surplus == len(gone - buried)
    totals = {key: row["total"] for key, row in installed.rows("invoices").items()}
    assert totals == {key: 7 if key in changed else 5 for key in keys[:4] if key not in gone}
    assert not reconcile(installed, Depth(values=True)).differs


def test_what_a_killed_sync_wrote_is_published_though_nothing_differs(installed: MemoryInstallation) -> None:
    installed.memory.remove("Bill", "B3", listed=False)
    installed.store.bury("invoices", "mem", ["B3"], installed.memory.now)
    assert not reconcile(installed, Depth(dry_run=True)).differs
    assert "B3" in installed.rows("invoices"), "a dry run publishes nothing"
    done = reconcile(installed)
    assert (done.differs, set(installed.rows("invoices", deleted=True))) == (False, {"B3"})
    assert reconcile(installed).snapshot is None


def test_a_repair_that_breaks_off_is_published_as_far_as_it_came(installed: MemoryInstallation) -> None:
    installed.store.bury("invoices", "mem", ["B1"], installed.memory.now)
    installed.store.bury("accounts", "mem", ["C1"], installed.memory.now)
    installed.memory.refused["Bill"] = is_down()
    done = reconcile(installed)
    assert of(done, "Customer").repaired == 1
    assert (of(done, "Bill").trouble, of(done, "Note").trouble) == ("mem: the system gave no answer.",) * 2
    assert set(installed.rows("accounts")) == {"C0", "C1", "C2"}
