"""A list of deletions that does not reach back far enough: somebody hears of it, and the keys are compared at once."""

import json

import pytest

from gateway.cli.sync import shown
from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import Systems, deal


@pytest.mark.usefixtures("database")
def test_outrun_deletions_are_said_and_found(
    systems: Systems, reading: MakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    account = systems.org.put("Account", {"Name": "Acme"})
    kept, gone = (systems.org.put("Deal__c", deal(account, name)) for name in ("kept", "gone"))
    reader = reading("crm")
    first = reader.sync()
    assert first.sources["crm"].outrun == {}
    systems.forward(hours=1)
    systems.org.purge("Deal__c", gone)
    systems.forward(hours=1)
    report = reader.sync()
    assert "no longer knows what was deleted of Deal__c" in report.sources["crm"].outrun["Deal__c"]
    assert "keys are compared" in caplog.text
    live = {key for (_, _, key), row in reader.published(["crm"]).items() if not row["deleted"]}
    assert kept in live
    assert gone not in live
    assert "no longer knows" in json.dumps(shown(report))
