"""A record that cannot be a row is listed with the reason, until it can be one or is gone."""

from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import Reader, Systems

AT = "2026-11-30T00:00:00Z"


def listed(reader: Reader) -> list[tuple[str, str, str]]:
    return [(reject.system, reject.object, reject.key) for reject in reader.installed.ledger.rejects()]


def test_a_record_is_rejected_and_then_lands(systems: Systems, reading: MakeReader) -> None:
    good = systems.org.put("Account", {"Name": "Good", "Bill_Day__c": "15"})
    bad = systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "the fifteenth"})
    reader = reading("crm")
    report = reader.sync()
    assert report.sources["crm"].rejects == 1
    assert set(reader.rows("accounts", "crm")) == {good}
    (reject,) = reader.installed.ledger.rejects()
    assert (reject.system, reject.object, reject.key) == ("crm", "Account", bad)
    assert reject.reason.startswith("Bill_Day__c ")
    assert reject.reason.endswith("It fills accounts.bill_day.")
    reader.sync()
    assert listed(reader) == [("crm", "Account", bad)], "read again, and listed once"
    systems.forward(hours=1)
    systems.org.put("Account", {"Id": bad, "Bill_Day__c": "16"})
    reader.sync()
    assert listed(reader) == []
    assert reader.rows("accounts", "crm")[bad]["bill_day"] == 16


def test_another_reason_takes_the_place_of_the_first(systems: Systems, reading: MakeReader) -> None:
    bad = systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "x"})
    reader = reading("crm")
    reader.sync()
    systems.forward(hours=1)
    systems.org.put("Account", {"Id": bad, "Bill_Day__c": "y"})
    reader.sync()
    assert listed(reader) == [("crm", "Account", bad)]


def test_a_record_that_can_no_longer_be_mapped_keeps_its_last_row(systems: Systems, reading: MakeReader) -> None:
    key = systems.org.put("Account", {"Name": "A", "Bill_Day__c": "15"})
    reader = reading("crm", census_hours=0)
    reader.sync()
    systems.forward(hours=1)
    systems.org.put("Account", {"Id": key, "Bill_Day__c": "x"})
    reader.sync()
    assert listed(reader) == [("crm", "Account", key)]
    assert reader.rows("accounts", "crm")[key]["bill_day"] == 15


def test_a_deleted_record_leaves_the_list(systems: Systems, reading: MakeReader) -> None:
    bad = systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "x"})
    reader = reading("crm")
    reader.sync()
    systems.forward(hours=1)
    systems.org.remove("Account", bad)
    reader.sync()
    assert listed(reader) == []


def test_a_record_that_vanished_leaves_the_list_with_the_census(systems: Systems, reading: MakeReader) -> None:
    bad = systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "x"})
    reader = reading("crm")
    reader.sync()
    systems.org.remove("Account", bad)
    systems.org.purge("Account", bad)
    systems.forward(hours=25)
    reader.sync()
    assert listed(reader) == []


def test_a_line_of_a_file_is_listed_by_its_place(systems: Systems, reading: MakeReader) -> None:
    good = {"id": "u1", "customer": "c", "quantity": 1, "at": AT}
    systems.write_usage("a.jsonl", good, {**good, "id": None}, {**good, "id": "u3", "quantity": "many"})
    reader = reading("meter")
    reader.sync()
    assert listed(reader) == [("meter", "usage", "u3"), ("meter", "usage", "usage/a.jsonl:2")]
    systems.write_usage("a.jsonl", good, {**good, "id": "u2"}, {**good, "id": "u3", "quantity": 3})
    reader.sync()
    assert listed(reader) == []
    assert set(reader.rows("usage_events", "meter")) == {"u1", "u2", "u3"}


def test_a_changed_mapping_begins_a_new_list(systems: Systems, reading: MakeReader) -> None:
    systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "x"})
    reading("crm").sync()
    file = systems.folder / "crm.yaml"
    file.write_text(file.read_text().replace(", bill_day: Bill_Day__c", ""))
    reader = reading("crm")
    reader.sync()
    assert listed(reader) == []


def test_thousands_of_rejects_with_odd_texts_are_kept(systems: Systems, reading: MakeReader) -> None:
    event = {"customer": "c", "quantity": "many", "at": AT}
    odd = [{**event, "id": f"{'long' * 900}{n}"} for n in range(3)]
    systems.write_usage("a.jsonl", *odd, *({**event, "id": f"u\x00{n}"} for n in range(6_000)))
    reader = reading("meter")
    report = reader.sync()
    assert report.sources["meter"].rejects == 6_003
    assert len(listed(reader)) == 6_001, "the long ones are cut to the same text"
