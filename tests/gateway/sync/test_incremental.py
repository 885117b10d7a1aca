"""After a first sync, what changed arrives, what did not is not written again, and what is gone is gone."""

from datetime import date, timedelta
from typing import Any

import pytest

from books.engine import Engine
from books.errors import BooksError
from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import Reader, Systems, deal, held, invoice, mapped


@pytest.fixture
def crm(systems: Systems, reading: MakeReader) -> Reader:
    """A CRM with seven accounts of one second and a deal for each, read once."""
    accounts = [systems.org.put("Account", {"Name": f"Account {n}"}) for n in range(7)]
    for n, account in enumerate(accounts):
        systems.org.put("Deal__c", deal(account, f"Q-{n}"))
    reader = reading("crm")
    reader.sync()
    return reader


def test_a_first_sync_brings_everything(crm: Reader) -> None:
    assert held(crm, "crm") == mapped(crm.installed, "crm")
    assert len(crm.rows("quotes", "crm")) == 7


def test_rows_know_their_customer(crm: Reader) -> None:
    assert all(row["account_key"] == row["account_id"] for row in crm.rows("quotes", "crm").values())


def test_nothing_new_writes_nothing(crm: Reader) -> None:
    before = crm.versions()
    report = crm.sync()
    assert crm.versions() == before
    assert report.sources["crm"].records == {"Account": 7, "Deal__c": 7}, "the look-back reads them again"
    assert sum(report.sources["crm"].rows.values()) == 0


def test_changes_and_new_records_arrive(crm: Reader, systems: Systems) -> None:
    systems.forward(hours=1)
    changed = next(iter(crm.rows("quotes", "crm")))
    account = next(iter(crm.rows("accounts", "crm")))
    systems.org.put("Deal__c", {"Id": changed, "Name": "Q-0 signed"})
    systems.org.put("Deal__c", deal(account, "Q-new"))
    report = crm.sync()
    assert held(crm, "crm") == mapped(crm.installed, "crm")
    assert report.sources["crm"].rows == {"accounts": 0, "quotes": 2} | {
        entity: 0 for entity in report.sources["crm"].rows if entity == "amendments"
    }


def test_a_record_that_was_committed_behind_the_cursor_arrives(crm: Reader, systems: Systems) -> None:
    systems.forward(hours=1)
    account = next(iter(crm.rows("accounts", "crm")))
    systems.org.put("Deal__c", deal(account, "Q-late") | {"SystemModstamp": systems.now - timedelta(minutes=62)})
    crm.sync()
    assert "Q-late" in {row["number"] for row in crm.rows("quotes", "crm").values()}


def test_a_deleted_and_a_purged_record_become_tombstones(crm: Reader, systems: Systems) -> None:
    first, second, *_ = sorted(crm.rows("quotes", "crm"))
    systems.forward(hours=1)
    systems.org.remove("Deal__c", first)
    report = crm.sync()
    assert set(crm.rows("quotes", "crm", deleted=True)) == {first}
    assert report.sources["crm"].deleted == 1
    systems.org.remove("Deal__c", second)
    systems.org.purge("Deal__c", second)
    systems.forward(hours=25)
    crm.sync()
    assert set(crm.rows("quotes", "crm", deleted=True)) == {first, second}
    assert held(crm, "crm") == mapped(crm.installed, "crm")


def test_a_restored_record_comes_back(crm: Reader, systems: Systems) -> None:
    first = min(crm.rows("quotes", "crm"))
    systems.forward(hours=1)
    systems.org.remove("Deal__c", first)
    crm.sync()
    systems.forward(minutes=1)
    systems.org.restore("Deal__c", first)
    crm.sync()
    assert first in crm.rows("quotes", "crm")
    assert crm.rows("quotes", "crm")[first]["account_key"] is not None


def test_a_record_that_is_no_longer_of_a_kind_leaves_its_entity(systems: Systems, reading: MakeReader) -> None:
    account = systems.org.put("Account", {"Name": "A"})
    amendment = systems.org.put("Deal__c", deal(account, "Q-1", "Amendment"))
    reader = reading("crm")
    reader.sync()
    assert set(reader.rows("amendments", "crm")) == {amendment}
    systems.forward(hours=1)
    systems.org.put("Deal__c", {"Id": amendment, "Type__c": "New"})
    reader.sync()
    assert reader.rows("amendments", "crm") == {}
    assert set(reader.rows("amendments", "crm", deleted=True)) == {amendment}
    assert set(reader.rows("quotes", "crm")) == {amendment}
    systems.forward(hours=1)
    systems.org.put("Deal__c", {"Id": amendment, "Type__c": "Amendment"})
    reader.sync()
    assert set(reader.rows("amendments", "crm")) == {amendment}


def test_another_record_may_hold_a_shared_key(systems: Systems, reading: MakeReader) -> None:
    def segment(number: int, *, last: bool) -> str:
        names = {"Id": f"s{number}", "OriginalId": "line", "ChargeNumber": f"C-{number}"}
        return systems.tenant.put("RatePlanCharge", {**names, "Segment": number, "IsLastSegment": last})

    segment(1, last=True)
    reader = reading("billing")
    reader.sync()
    systems.forward(hours=1)
    segment(1, last=False)
    segment(2, last=True)
    reader.sync()
    assert reader.rows("subscription_lines", "billing")["line"]["number"] == "C-2"
    systems.forward(hours=1)
    segment(1, last=False)  # alone: the other one, unchanged, still holds the key
    reader.sync()
    assert set(reader.rows("subscription_lines", "billing")) == {"line"}
    systems.tenant.remove("RatePlanCharge", "s2")
    systems.forward(hours=25)
    reader.sync()
    assert reader.rows("subscription_lines", "billing") == {}
    assert set(reader.rows("billing_schedules", "billing")) == {"s1"}


def test_zuora_tells_of_no_deletion_and_a_census_finds_it(systems: Systems, reading: MakeReader) -> None:
    account = systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    ids = [systems.tenant.put("Invoice", invoice(account, f"INV-{n}")) for n in range(5)]
    reader = reading("billing")
    reader.sync()
    systems.tenant.remove("Invoice", ids[2])
    systems.forward(hours=23)
    reader.sync()
    assert ids[2] in reader.rows("invoices", "billing"), "no census is due yet"
    systems.forward(hours=1)
    reader.sync()
    assert set(reader.rows("invoices", "billing")) == {*ids} - {ids[2]}
    assert held(reader, "billing") == mapped(reader.installed, "billing")


def test_a_census_at_every_poll_where_the_file_asks_for_it(systems: Systems, reading: MakeReader) -> None:
    account = systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    gone = systems.tenant.put("Invoice", invoice(account, "INV-1"))
    reader = reading("billing", census_hours=0)
    reader.sync()
    systems.tenant.remove("Invoice", gone)
    reader.sync()
    assert reader.rows("invoices", "billing") == {}


def test_netsuite_lists_deletions_and_periods_are_read_in_full(systems: Systems, reading: MakeReader) -> None:
    customer = systems.account.put("customer", {"companyname": "A", "entityid": "C-1"})
    kept, gone = (
        systems.account.put(
            "transaction",
            {"type": "CustInvc", "recordtype": "invoice", "entity": customer, "tranid": f"T-{n}", "foreigntotal": n},
        )
        for n in (1, 2)
    )
    period = {"startdate": date(2026, 11, 1), "enddate": date(2026, 11, 30), "closed": False}
    first = systems.account.put("accountingperiod", {"periodname": "Nov 2026", **period})
    systems.account.put("accountingperiod", {"periodname": "Nov 2026 (again)", **period})
    reader = reading("erp")
    reader.sync()
    assert set(reader.rows("invoices", "erp")) == {str(kept), str(gone)}
    systems.forward(hours=1)
    systems.account.remove("transaction", gone)
    systems.account.remove("accountingperiod", first)
    reader.sync()
    assert set(reader.rows("invoices", "erp")) == {str(kept)}
    assert {row["name"] for row in reader.rows("accounting_periods", "erp").values()} == {"Nov 2026 (again)"}
    assert held(reader, "erp") == mapped(reader.installed, "erp")


def test_an_invoice_that_becomes_a_credit_changes_its_entity(systems: Systems, reading: MakeReader) -> None:
    row = {"type": "CustInvc", "recordtype": "invoice", "tranid": "T-1", "foreigntotal": 5}
    key = systems.account.put("transaction", row)
    reader = reading("erp")
    reader.sync()
    systems.forward(hours=1)
    systems.account.put("transaction", {"id": key, "type": "CustCred", "recordtype": "creditmemo"})
    reader.sync()
    assert reader.rows("invoices", "erp") == {}
    assert set(reader.rows("credit_memos", "erp")) == {str(key)}


def test_files_bring_news_and_their_absence_says_nothing(systems: Systems, reading: MakeReader) -> None:
    systems.write_usage("a.jsonl", {"id": "u1", "customer": "x", "quantity": 1, "at": "2026-11-30T00:00:00Z"})
    reader = reading("meter", census_hours=0)
    reader.sync()
    (systems.folder / "files" / "usage" / "a.jsonl").unlink()
    systems.write_usage("b.jsonl", {"id": "u2", "customer": "x", "quantity": 2, "at": "2026-11-30T00:00:00Z"})
    reader.sync()
    assert set(reader.rows("usage_events", "meter")) == {"u1", "u2"}
    before = reader.versions()
    reader.sync()
    assert reader.versions() == before


@pytest.mark.usefixtures("crm")
def test_a_changed_mapping_reads_and_writes_everything_again(systems: Systems, reading: MakeReader) -> None:
    file = systems.folder / "crm.yaml"
    file.write_text(file.read_text().replace("number: Name", "number: {from: Name, as: lower}", 1))
    systems.forward(days=3)
    again = reading("crm")
    report = again.sync()
    assert report.sources["crm"].records == {"Account": 7, "Deal__c": 7}
    assert {row["number"] for row in again.rows("quotes", "crm").values()} == {f"q-{n}" for n in range(7)}
    assert held(again, "crm") == mapped(again.installed, "crm")
    (change,) = noticed(again)
    assert (change["object"], change["field"], change["seen_at"]) == ("mapping", "crm", systems.now)
    assert change["after"] == again.installed.mappings["crm"].hash[:12] != change["before"]
    again.sync()
    assert noticed(again) == [change]


def noticed(reader: Reader) -> list[dict[str, Any]]:
    """What the published books say of changes of objects, fields and mappings."""
    snapshot = reader.installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(reader.installed.store, snapshot) as engine:
        return engine.rows("SELECT * FROM metadata_changes ORDER BY key")


@pytest.mark.usefixtures("crm")
def test_a_mapping_that_leaves_records_out_buries_them(systems: Systems, reading: MakeReader) -> None:
    file = systems.folder / "crm.yaml"
    file.write_text(file.read_text().replace("Deal__c:\n", "Deal__c:\n    filter: Name != 'Q-3'\n"))
    again = reading("crm")
    again.sync()
    assert {row["number"] for row in again.rows("quotes", "crm", deleted=True).values()} == {"Q-3"}


def test_full_reads_everything_and_finds_what_is_gone(crm: Reader, systems: Systems) -> None:
    gone = min(crm.rows("quotes", "crm"))
    systems.org.remove("Deal__c", gone)
    systems.org.purge("Deal__c", gone)
    report = crm.sync(full=True)
    assert report.sources["crm"].records == {"Account": 7, "Deal__c": 6}
    assert set(crm.rows("quotes", "crm", deleted=True)) == {gone}


def test_a_page_whose_rows_could_not_be_written_is_read_again(systems: Systems, reading: MakeReader) -> None:
    account = systems.org.put("Account", {"Name": "A"})
    for n in range(9):
        stamp = {"SystemModstamp": systems.now - timedelta(days=9 - n)}
        systems.org.put("Deal__c", deal(account, f"Q-{n}") | stamp)
    reader = reading("crm", batch_records=3)
    in_the_way = systems.folder / "books" / "quotes"
    in_the_way.parent.mkdir()
    in_the_way.write_text("not a folder")
    with pytest.raises((BooksError, OSError)):
        reader.sync()
    assert reader.installed.ledger.latest() is None
    in_the_way.unlink()
    reader.sync()
    assert held(reader, "crm") == mapped(reader.installed, "crm")
