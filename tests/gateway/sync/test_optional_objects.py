"""An object of a feature that the source does not have is left out; one that it had and hides is a lost permission."""

from datetime import timedelta

from gateway.sync.reconcile import Depth, reconcile
from sandbox.netsuite import SUITE_BILLING
from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import Systems

MAPPING = """
connector: netsuite
objects:
  customer:
    key: id
    modified: lastmodifieddate
    targets:
      - {entity: accounts, account: id, columns: {name: companyname}}
  subscription:
    optional: true
    key: id
    modified: lastmodifieddate
    targets:
      - {entity: subscriptions, account: customer, columns: {number: name}}
"""


def test_an_optional_object_comes_when_its_feature_does_and_is_missed_when_it_goes(
    systems: Systems, reading: MakeReader
) -> None:
    (systems.folder / "erp.yaml").write_text(MAPPING, encoding="utf-8")
    reader = reading("erp")
    for _ in range(2):
        report = reader.sync().sources["erp"]
        assert report.failures == {}
        assert "'subscription' was not found" in report.absent["subscription"]
        snapshot = reader.installed.ledger.latest()
        assert snapshot is not None
        assert [entity for system, entity in snapshot.readings if system == "erp"] == ["accounts", "metadata_changes"]
        systems.forward(hours=1)
    systems.account.define("subscription", SUITE_BILLING["subscription"])
    systems.account.put("subscription", {"id": 1, "name": "S1", "customer": 7})
    assert reader.sync().sources["erp"].absent == {}
    assert reader.rows("subscriptions", "erp").keys() == {"1"}
    watermark = reader.watermark("erp", "subscriptions")
    systems.account.forbid("subscription")
    systems.forward(hours=1)
    report = reader.sync().sources["erp"]
    assert "'subscription' was not found" in report.failures["subscription"]
    assert report.absent == {}
    assert reader.rows("subscriptions", "erp").keys() == {"1"}
    assert reader.watermark("erp", "subscriptions") == watermark == systems.now - timedelta(hours=1)


def test_a_comparison_tells_one_that_never_was_from_one_that_is_lost(systems: Systems, reading: MakeReader) -> None:
    (systems.folder / "erp.yaml").write_text(MAPPING, encoding="utf-8")
    reader = reading("erp")
    reader.sync()
    done = reconcile(reader.installed, Depth(dry_run=True))
    assert not done.differs
    (absent,) = (one for one in done.sources["erp"] if one.object == "subscription")
    assert absent.trouble == "It is optional, and erp does not have it."
    systems.account.define("subscription", SUITE_BILLING["subscription"])
    systems.account.put("subscription", {"id": 1, "name": "S1", "customer": 7})
    reader.sync()
    systems.account.forbid("subscription")
    done = reconcile(reader.installed, Depth(dry_run=True))
    assert done.differs
    (lost,) = (one for one in done.sources["erp"] if one.object == "subscription")
    assert "'subscription' was not found" in (lost.trouble or "")
