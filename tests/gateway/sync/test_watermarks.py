"""What a reading promises: everything that the source had stamped up to the watermark is in the books."""

from datetime import timedelta

import pytest

from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import NOW, Reader, Systems, deal, invoice

# Two objects that fill one entity.
TWO_OBJECTS = """
connector: salesforce
objects:
  Deal__c:
    key: Id
    modified: SystemModstamp
    targets:
      - {entity: quotes, account: Account__c, columns: {number: Name}}
  Renewal__c:
    key: Id
    modified: SystemModstamp
    targets:
      - {entity: quotes, account: Account__c, columns: {number: Name}}
"""
RENEWAL = {"Name": "string", "Account__c": "reference(Account)"}
NO_PERMISSION = {"Account__c": "reference(Account)"}


@pytest.fixture
def crm(systems: Systems, reading: MakeReader) -> Reader:
    account = systems.org.put("Account", {"Name": "A"})
    systems.org.put("Deal__c", deal(account, "Q-1"))
    reader = reading("crm")
    reader.sync()
    return reader


def test_it_is_the_sources_clock_when_the_walk_began(systems: Systems, reading: MakeReader) -> None:
    systems.ahead = timedelta(minutes=7)
    reader = reading("crm")
    reader.sync()
    assert reader.watermark("crm", "accounts") == NOW


def test_it_stays_behind_by_the_time_that_a_commit_may_take(systems: Systems, reading: MakeReader) -> None:
    reader = reading("crm", commit_lag_minutes=10)
    reader.sync()
    assert reader.watermark("crm", "quotes") == systems.now - timedelta(minutes=10)


def test_a_failed_walk_leaves_it_where_it_was(systems: Systems, reading: MakeReader) -> None:
    account = systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    for n in range(9):
        systems.tenant.put("Invoice", invoice(account, f"INV-{n}"))
    reader = reading("billing")
    reader.sync()
    systems.forward(hours=1)
    systems.zuora.set_maintenance(True)
    reader.sync()
    assert reader.watermark("billing", "invoices") == NOW
    assert "503" in str(reader.failure("billing", "invoices"))
    systems.zuora.set_maintenance(False)
    reader.sync()
    assert reader.watermark("billing", "invoices") == systems.now
    assert reader.failure("billing", "invoices") is None


def test_objects_are_judged_by_themselves(crm: Reader, systems: Systems) -> None:
    systems.forward(hours=1)
    systems.org.define("Deal__c", NO_PERMISSION)
    report = crm.sync()
    assert list(report.sources["crm"].failures) == ["Deal__c"]
    assert "Type__c" in str(report.sources["crm"].failure)
    assert crm.watermark("crm", "accounts") == systems.now
    assert crm.failure("crm", "accounts") is None
    for entity in ("quotes", "amendments"):
        assert crm.watermark("crm", entity) == NOW
        assert crm.failure("crm", entity) is not None


@pytest.fixture
def two(systems: Systems, reading: MakeReader) -> Reader:
    """A CRM whose deals and renewals are both quotes, read once."""
    systems.org.define("Renewal__c", RENEWAL)
    account = systems.org.put("Account", {"Name": "A"})
    systems.org.put("Deal__c", deal(account, "Q-1"))
    systems.org.put("Renewal__c", {"Name": "R-1", "Account__c": account})
    (systems.folder / "crm.yaml").write_text(TWO_OBJECTS)
    reader = reading("crm")
    reader.sync()
    return reader


def numbers(reader: Reader) -> set[str]:
    return {row["number"] for row in reader.rows("quotes", "crm").values()}


@pytest.mark.parametrize(("broken", "fields"), [("Deal__c", NO_PERMISSION), ("Renewal__c", NO_PERMISSION)])
def test_one_object_does_not_hide_what_another_of_the_same_entity_lacks(
    two: Reader, systems: Systems, broken: str, fields: dict[str, str]
) -> None:
    systems.forward(hours=1)
    systems.org.define(broken, fields)
    two.sync()
    assert two.watermark("crm", "quotes") == NOW
    assert broken in str(two.failure("crm", "quotes"))


def test_comparing_keys_of_one_object_leaves_the_rows_of_the_other(two: Reader, systems: Systems) -> None:
    renewal = systems.org.rows("Renewal__c")[0]["Id"]
    systems.org.remove("Renewal__c", str(renewal))
    systems.org.purge("Renewal__c", str(renewal))
    systems.forward(days=2)
    two.sync()
    assert numbers(two) == {"Q-1"}
    two.sync(full=True)
    assert numbers(two) == {"Q-1"}


def test_no_keys_are_compared_while_one_of_the_objects_cannot_be_read(two: Reader, systems: Systems) -> None:
    systems.org.define("Renewal__c", NO_PERMISSION)
    systems.forward(days=2)
    two.sync(full=True)
    assert numbers(two) == {"Q-1", "R-1"}


def test_rows_of_another_mapping_are_not_what_the_mapping_promises(
    crm: Reader, systems: Systems, reading: MakeReader
) -> None:
    file = systems.folder / "crm.yaml"
    file.write_text(file.read_text().replace("number: Name", "number: Type__c", 1))
    systems.salesforce.stop()
    again = reading("crm")
    again.sync()
    assert again.watermark("crm", "quotes") is None
    assert set(again.rows("quotes", "crm")) == set(crm.rows("quotes", "crm")), "the old rows are still there"
    systems.salesforce.start()
    again.sync()
    assert again.watermark("crm", "quotes") == systems.now


def test_a_mapping_that_changed_is_noticed_before_the_next_sync(
    crm: Reader, systems: Systems, reading: MakeReader
) -> None:
    file = systems.folder / "crm.yaml"
    file.write_text(file.read_text().replace("number: Name", "number: Type__c", 1))
    snapshot = reading("crm").installed.ledger.latest()
    assert snapshot is not None
    assert snapshot.readings["crm", "quotes"].trouble(NOW) == (
        "has not been read completely yet under the present mapping"
    )
    assert crm.watermark("crm", "quotes") == NOW, "whoever still has the old mapping may rely on it"


def test_a_source_that_was_never_read_has_none(systems: Systems, reading: MakeReader) -> None:
    reader = reading("crm", "billing")
    systems.zuora.stop()
    reader.sync()
    assert reader.watermark("crm", "quotes") == systems.now
    assert reader.watermark("billing", "invoices") is None
    snapshot = reader.installed.ledger.latest()
    assert snapshot is not None
    assert snapshot.as_of() == {"crm": systems.now, "billing": None}
    systems.zuora.start()


def test_reading_one_source_keeps_the_readings_of_the_others(systems: Systems, reading: MakeReader) -> None:
    reader = reading("crm", "billing")
    reader.sync()
    systems.forward(hours=1)
    reader.sync(names=["crm"])
    assert reader.watermark("crm", "quotes") == systems.now
    assert reader.watermark("billing", "invoices") == NOW
