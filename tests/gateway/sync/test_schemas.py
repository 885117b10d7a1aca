"""What a source says of its fields: kept, compared at every run, and a mapped field that vanished is a failure."""

from pathlib import Path

import pytest

from connectors.contract import SourceField
from connectors.errors import PermanentError, SchemaChanged
from gateway.db.session import Database
from gateway.sync.reconcile import Depth, reconcile
from gateway.sync.run import open_source
from gateway.sync.schema_diff import Change, Difference, compare
from gateway.sync.schemas import Schemas
from gateway.sync.scoped import ScopedPoll
from tests.gateway.sync.memory import FIELDS, NOW, MemoryInstallation, filled


@pytest.fixture
def installed(tmp_path: Path, database: Database) -> MemoryInstallation:
    opened = MemoryInstallation(tmp_path, database, filled())
    opened.sync()
    return opened


def told(before: list[SourceField], after: list[SourceField]) -> list[tuple[str, str, str | None, str | None]]:
    return [(d.field, d.change.value, d.before, d.after) for d in compare(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "differences"),
    [
        ([SourceField("A", "string")], [SourceField("A", "string")], []),
        ([], [SourceField("A", "string")], [("A", "appeared", None, "string")]),
        ([SourceField("A", "string")], [SourceField("A", "double")], [("A", "type", "string", "double")]),
        (
            [SourceField("A", "string")],
            [SourceField("A", "string", nullable=False)],
            [("A", "nullability", "nullable", "required")],
        ),
        (
            [SourceField("A", "picklist", values=("x", "y"))],
            [SourceField("A", "picklist", values=("z", "y"))],
            [("A", "values", "x", "z")],
        ),
        (
            [SourceField("A", "picklist", values=("x",))],
            [SourceField("A", "picklist")],
            [("A", "values", "x", "any value")],
        ),
        (
            [SourceField("Amount__c", "currency"), SourceField("Old", "string")],
            [SourceField("Amount_New__c", "currency"), SourceField("Colour", "string")],
            [
                ("Amount__c", "vanished", "currency", None),
                ("Old", "vanished", "string", None),
                ("Amount_New__c", "appeared", None, "currency"),
                ("Colour", "appeared", None, "string"),
                ("Amount__c", "renamed", "Amount__c", "Amount_New__c"),
            ],
        ),
    ],
)
def test_every_kind_of_difference(
    before: list[SourceField], after: list[SourceField], differences: list[tuple[str, str, str | None, str | None]]
) -> None:
    assert told(before, after) == differences


def test_the_order_of_fields_and_values_is_no_difference() -> None:
    one, two = SourceField("A", "picklist", values=("x", "y")), SourceField("B", "string")
    assert told([one, two], [two, SourceField("A", "picklist", values=("y", "x"))]) == []


def test_a_new_field_is_a_row_of_the_books(installed: MemoryInstallation) -> None:
    assert "metadata_changes" not in installed.store.versions(), "the first description differs from nothing"
    installed.memory.describe("Bill", **FIELDS["Bill"], Discount="double")
    installed.memory.forward(hours=1)
    assert installed.sync().sources["mem"].failures == {}
    installed.sync()
    (row,) = installed.rows("metadata_changes").values()
    told = {column: row[column] for column in ("system", "object", "field", "change", "before", "after", "seen_at")}
    assert told == {
        "system": "mem",
        "object": "Bill",
        "field": "Discount",
        "change": "appeared",
        "before": None,
        "after": "double",
        "seen_at": installed.memory.now,
    }


def test_a_mapped_field_that_vanished_fails_its_object_until_it_is_back(installed: MemoryInstallation) -> None:
    less = {name: kind for name, kind in FIELDS["Bill"].items() if name != "Total"}
    installed.memory.describe("Bill", **less, Total_Net="currency")
    installed.memory.forward(hours=1)
    for _ in range(2):
        report = installed.sync()
        assert report.sources["mem"].failures == {
            "Bill": "mem does not show the field Total of Bill any more; it may be called Total_Net now. It fills "
            "invoices.total, credit_memos.amount. Give it back to the integration user, or change the mapping."
        }
    assert (installed.watermark("accounts"), installed.watermark("invoices")) == (installed.memory.now, NOW)
    installed.memory.describe("Bill", **FIELDS["Bill"])
    assert installed.sync().sources["mem"].failures == {}
    assert installed.watermark("invoices") == installed.memory.now


def test_a_field_that_was_never_described_is_left_to_the_query(tmp_path: Path, database: Database) -> None:
    memory = filled()
    memory.describe("Bill", Id="id")
    installed = MemoryInstallation(tmp_path, database, memory)
    assert installed.sync().sources["mem"].failures == {}


def test_a_description_that_is_refused_stops_nothing(database: Database, tmp_path: Path) -> None:
    memory = filled()
    memory.refused["describing Bill"] = PermanentError("The catalogue is closed.")
    installed = MemoryInstallation(tmp_path, database, memory)
    assert installed.sync().sources["mem"].failures == {}
    assert len(installed.rows("invoices")) == 4
    assert Schemas(database).fields("mem", "Bill") == ()
    assert len(Schemas(database).fields("mem", "Customer")) == len(FIELDS["Customer"])


def test_differences_are_kept_for_good(database: Database) -> None:
    schemas = Schemas(database)
    schemas.note("mem", "Bill", [SourceField("A", "string")], NOW)
    schemas.note("mem", "Bill", [SourceField("A", "double")], NOW)
    schemas.note("mem", "Bill", [SourceField("A", "double")], NOW)
    schemas.note("mem", "Bill", [SourceField("A", "string")], NOW)
    assert [seen.difference for seen in schemas.history("mem", "Bill")] == [
        Difference("A", Change.TYPE, "string", "double"),
        Difference("A", Change.TYPE, "double", "string"),
    ]


def test_a_hidden_field_is_not_repaired_to_nothing(installed: MemoryInstallation) -> None:
    """A source that leaves it out of its records, instead of refusing them, would else empty the column."""
    memory = installed.memory
    less = {name: kind for name, kind in FIELDS["Bill"].items() if name != "Total"}
    for record in memory.records["Bill"].values():
        del record["Total"]
    memory.describe("Bill", **less)
    totals = {key: row["total"] for key, row in installed.rows("invoices").items()}
    for _ in range(2):
        (bill,) = (one for one in reconcile(installed, Depth(values=True)).sources["mem"] if one.object == "Bill")
        assert "does not show the field Total of Bill any more" in str(bill.trouble)
        assert (bill.compared, bill.repaired) == (0, 0)
        installed.sync()
    source = open_source(installed, "mem")
    poll = ScopedPoll(source, installed.store, installed.ledger, Schemas(installed.database), installed.clock)
    with pytest.raises(SchemaChanged, match="Total of Bill"):
        poll.read("Bill", ["B1"])
    installed.sync()
    assert {key: row["total"] for key, row in installed.rows("invoices").items()} == totals
