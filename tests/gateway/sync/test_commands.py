"""`tieout sync` and `tieout rejects` as a shell sees them."""

import json
from collections.abc import Callable

import pytest
import yaml

from tests.gateway.sync.commands import CommandServer
from tests.gateway.sync.systems import Systems

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(live_systems: Systems, database_url: str, commands: CommandServer) -> Run:
    config = live_systems.folder / "tieout.yaml"
    config.write_text(yaml.safe_dump(live_systems.settings(["crm", "billing"]), sort_keys=False), encoding="utf-8")
    environment = {**live_systems.environment(), "TIEOUT_DATABASE_URL": database_url}

    def command(*arguments: str) -> tuple[int, str]:
        return commands.run(*arguments, "-c", str(config), environment=environment)

    return command


def test_a_sync_without_faults(run: Run, live_systems: Systems) -> None:
    live_systems.org.put("Account", {"Name": "A"})
    status, output = run("sync")
    assert status == 0, output
    assert "crm: 1 accounts" in output
    assert "Published snap_" in output


def test_a_source_that_is_down_is_status_1_and_a_sentence(run: Run, live_systems: Systems) -> None:
    live_systems.zuora.stop()
    status, output = run("sync", "--source", "billing")
    assert status == 1
    assert "not complete: Account, Invoice, RatePlanCharge: billing: POST /oauth/token got no answer" in output
    status, output = run("sync", "--json")
    assert status == 1
    said = json.loads(output[output.index("{") :])
    assert set(said["sources"]["billing"]["failures"]) == {"Account", "Invoice", "RatePlanCharge"}
    assert said["sources"]["crm"]["failures"] == {}
    live_systems.zuora.start()
    status, output = run("sync")
    assert status == 0, output


def test_an_unknown_source_is_status_2(run: Run) -> None:
    status, output = run("sync", "--source", "crn")
    assert (status, output.strip()) == (2, "tieout: tieout.yaml has no source 'crn'; it has: crm, billing.")


def test_rejects_are_listed_for_people_and_for_scripts(run: Run, live_systems: Systems) -> None:
    bad = live_systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "x"})
    assert run("sync")[0] == 0
    status, output = run("rejects")
    assert status == 0
    assert bad in output
    assert "1 record is not in the books." in output
    status, output = run("rejects", "--json", "--source", "crm")
    (said,) = json.loads(output)
    assert (said["system"], said["object"], said["key"]) == ("crm", "Account", bad)
    assert json.loads(run("rejects", "--json", "--source", "billing")[1]) == []
