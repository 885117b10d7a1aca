"""A source that is down harms nobody but those who need it, and only until it is back."""

import pytest

from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import MAPPINGS, NOW, Systems, deal, held, invoice, mapped

SERVERS = {"crm": "salesforce", "billing": "zuora", "erp": "netsuite"}


@pytest.mark.parametrize("down", SERVERS)
def test_the_cycle_goes_on_without_a_source_and_the_next_one_recovers(
    systems: Systems, reading: MakeReader, down: str
) -> None:
    server = getattr(systems, SERVERS[down])
    account = systems.org.put("Account", {"Name": "A"})
    systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    systems.account.put("customer", {"companyname": "A", "entityid": "C-1"})
    reader = reading()
    reader.sync()
    systems.forward(hours=1)
    systems.org.put("Deal__c", deal(account, "Q-1"))
    server.stop()
    report = reader.sync()
    assert {name for name, found in report.sources.items() if found.failures} == {down}
    assert set(report.sources[down].failures) == set(reader.installed.mappings[down].walked)
    assert "got no" in str(report.sources[down].failure)
    for name in MAPPINGS:
        for entity in reader.installed.mappings[name].entities:
            assert (reader.failure(name, entity) is not None) is (name == down)
            assert reader.watermark(name, entity) == (NOW if name == down else systems.now)
    server.start()
    systems.forward(hours=1)
    reader.sync()
    assert held(reader, down) == mapped(reader.installed, down)
    assert all(reader.failure(down, entity) is None for entity in reader.installed.mappings[down].entities)


def test_a_silent_source_is_not_asked_for_every_object(systems: Systems, reading: MakeReader) -> None:
    reader = reading("billing")
    systems.zuora.set_maintenance(True)
    reader.sync()
    assert systems.zuora.requests.total() == 2, "for two objects, and not for the third"
    assert reader.failure("billing", "subscription_lines") == reader.failure("billing", "invoices")


def test_a_source_without_its_secret_is_a_failure_that_names_the_variable(
    systems: Systems, reading: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIEOUT_BILLING_CLIENT_SECRET")
    systems.org.put("Account", {"Name": "A"})
    reader = reading("crm", "billing")
    report = reader.sync()
    assert report.sources["billing"].failure == (
        "Account, Invoice, RatePlanCharge: The source billing lacks client_secret: set TIEOUT_BILLING_CLIENT_SECRET."
    )
    assert len(reader.rows("accounts", "crm")) == 1


def test_a_session_that_ends_in_the_middle_is_renewed(systems: Systems, reading: MakeReader) -> None:
    account = systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    systems.tenant.put("Invoice", invoice(account, "INV-1"))
    reader = reading("billing", "crm")
    reader.sync()
    systems.zuora.revoke_tokens()
    systems.salesforce.expire_sessions()
    assert not any(found.failures for found in reader.sync().sources.values())


def test_a_source_that_shows_little_of_what_it_held_deletes_nothing(systems: Systems, reading: MakeReader) -> None:
    keys = [systems.tenant.put("Account", {"Name": f"A {n}", "AccountNumber": f"A-{n}"}) for n in range(30)]
    reader = reading("billing", census_hours=0)
    reader.sync()
    for key in keys[:25]:
        systems.tenant.remove("Account", key)
    systems.forward(hours=1)
    report = reader.sync()
    assert "billing does not show 25 of 30 accounts any more" in str(report.sources["billing"].failure)
    assert set(reader.rows("accounts", "billing")) == set(keys)
    assert reader.watermark("billing", "accounts") == NOW
    assert reader.watermark("billing", "invoices") == systems.now
    reader.sync(full=True, accept_deletions=True)
    assert set(reader.rows("accounts", "billing")) == set(keys[25:])
    assert reader.watermark("billing", "accounts") == systems.now


def test_a_full_read_is_no_way_around_that(systems: Systems, reading: MakeReader) -> None:
    keys = [systems.org.put("Account", {"Name": f"A {n}"}) for n in range(30)]
    reader = reading("crm")
    reader.sync()
    for key in keys:
        systems.org.remove("Account", key)
        systems.org.purge("Account", key)
    report = reader.sync(full=True)
    assert "crm does not show 30 of 30 accounts any more" in str(report.sources["crm"].failure)
    assert len(reader.rows("accounts", "crm")) == 30
