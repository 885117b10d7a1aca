"""The commands of whoever runs the sources, as a shell sees them."""

import json
from collections.abc import Callable

import pytest
import typer
import yaml

from gateway.cli.shared import instant
from tests.gateway.sync.commands import CommandServer
from tests.gateway.sync.systems import Systems, invoice

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(live_systems: Systems, database_url: str, commands: CommandServer) -> Run:
    """Files and billing; the CRM's secrets are there as well, and are looked for in every answer."""
    config = live_systems.folder / "tieout.yaml"
    config.write_text(yaml.safe_dump(live_systems.settings(["billing", "meter"]), sort_keys=False), encoding="utf-8")
    environment = {**live_systems.environment(), "TIEOUT_DATABASE_URL": database_url}
    live_systems.write_usage("u-1.jsonl", {"id": "E-1", "customer": "A", "quantity": "1", "at": "2026-11-30T00:00:00Z"})

    def command(*arguments: str) -> tuple[int, str]:
        status, output = commands.run(*arguments, "-c", str(config), environment=environment)
        secrets = [value for name, value in environment.items() if name.endswith(("SECRET", "KEY", "PEM"))]
        assert not any(secret in output for secret in secrets)
        return status, output

    return command


def said(output: str) -> object:
    return json.loads(output[min(output.index(mark) for mark in "[{" if mark in output) :])


def test_a_sync_of_one_entity(run: Run) -> None:
    status, output = run("sync", "--entity", "usage_events", "--json")
    assert status == 0, output
    assert "meter" in output
    assert "billing" not in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "2026-11-01"), "names no time zone; write 2026-11-01T00:00:00Z"),
        (("--full", "--since", "2026-11-01T00:00:00Z"), "--full reads everything, so --since says nothing beside it"),
    ],
)
def test_what_cannot_be_asked_is_status_2(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    status, output = run("sync", *arguments)
    assert status == 2
    assert sentence in " ".join(output.replace("│", " ").split())


def test_files_are_said_not_to_be_comparable(run: Run) -> None:
    status, output = run("reconcile", "--source", "meter", "--json")
    assert status == 0, output
    document = said(output)
    assert isinstance(document, dict)
    usage = document["sources"]["meter"]["usage"]
    assert usage["comparable"] is False
    assert usage["trouble"].startswith("Files bring news and never say what is gone")


def test_the_doctor_of_a_healthy_folder(run: Run) -> None:
    assert run("sync", "--source", "meter")[0] == 0
    status, output = run("doctor", "--source", "meter")
    assert status == 0, output
    assert "1 of 1 objects can be read." in output
    assert "0 to watch, 0 to mend." in output


def test_the_doctor_of_a_source_that_is_down(run: Run, live_systems: Systems) -> None:
    live_systems.zuora.stop()
    status, output = run("doctor", "--source", "billing", "--json")
    live_systems.zuora.start()
    assert status == 1
    findings = said(output)
    assert isinstance(findings, list)
    (failed,) = [finding for finding in findings if finding["level"] == "fail"]
    assert (failed["source"], failed["topic"]) == ("billing", "reach")
    assert "Check base_url" in failed["advice"]


def test_mappings_are_listed_compared_and_accepted(run: Run) -> None:
    status, output = run("mappings", "list", "--json", "--source", "meter")
    assert status == 0, output
    assert said(output) == [
        {
            "source": "meter",
            "object": "usage",
            "entities": ["usage_events"],
            "fields": 4,
            "cursor": "at",
            "on_demand": False,
        }
    ]
    assert run("sync", "--source", "meter")[0] == 0
    status, output = run("mappings", "diff", "--source", "meter")
    assert (status, output.strip()) == (0, "The mappings fit their sources, and the fields mean what they meant.")
    status, output = run("mappings", "accept", "--source", "meter")
    assert (status, output.strip()) == (0, "meter: the values of 0 fields are what is normal from now on.")


def test_billing_is_examined_compared_and_repaired(run: Run, live_systems: Systems) -> None:
    account = live_systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    for n in range(3):
        live_systems.tenant.put("Invoice", invoice(account, f"INV-{n}"))
    assert run("sync", "--source", "billing")[0] == 0
    gone = live_systems.tenant.put("Invoice", invoice(account, "INV-9"))
    status, output = run("doctor", "--source", "billing", "--json")
    findings = said(output)
    assert isinstance(findings, list)
    assert [finding for finding in findings if finding["level"] == "fail"] == [], output
    status, output = run("reconcile", "--source", "billing", "--values", "--json")
    assert status == 1, output
    document = said(output)
    assert isinstance(document, dict)
    bills = document["sources"]["billing"]["Invoice"]
    assert (bills["counted"], bills["listed"], bills["missing"], bills["repaired"]) == (4, 4, 1, 1), gone
    status, output = run("reconcile", "--source", "billing", "--values")
    assert status == 0, output
    assert "The books hold what the sources hold." in output


def test_an_instant_is_in_utc_whatever_zone_it_was_written_in() -> None:
    assert instant("2026-11-01T02:00:00+02:00").isoformat() == "2026-11-01T00:00:00+00:00"
    for text in ("2026-11-01T02:00:00", "yesterday", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(typer.BadParameter, match="write 2026-11-01T00:00:00Z"):
            instant(text)
