"""The data dictionary of the shipped installation: what the mappings fill, judged by the declarations."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.app import app
from gateway.config import parse
from gateway.dictionary import Entry, dictionary
from gateway.errors import ConfigError
from gateway.installation import Installation

ROOT = Path(__file__).parents[2]


def entries(**said: object) -> dict[str, Entry]:
    """The dictionary of three systems, and of one that plays two roles; `said` is in tieout.yaml besides."""
    sources = {
        "salesforce": {"connector": "salesforce", "roles": ["crm"], "mapping": "salesforce_cpq"},
        "zuora": {"connector": "zuora", "roles": ["billing"], "mapping": "zuora"},
        "netsuite": {"connector": "netsuite", "roles": ["erp"], "mapping": "netsuite"},
        "metering": {"connector": "files", "roles": ["usage", "seats"], "mapping": "metering"},
    }
    return {one.name: one for one in dictionary(Installation(parse({"sources": sources, **said}, ROOT)))}


def test_each_copy_says_its_field_and_what_is_meant() -> None:
    end = entries()["contract_end"]
    by_role = {copy.role: copy.filled[0] for copy in end.copies}
    assert by_role["crm"].fields == ("EndDate",)
    assert by_role["crm"].note == "the source names the last day that is covered"
    assert by_role["billing"].note == "the source names the first day that is not covered"
    assert (end.owner, end.team, end.right and end.right.role) == ("revops", "revops", "crm")


def test_every_column_of_several_sources_is_in_it_once() -> None:
    found = entries()
    status = found["invoices.status"]
    assert (status.declared, status.right and status.right.role) == (False, "billing")
    assert [copy.role for copy in found["usage_events.meter"].copies] == ["usage", "billing"]
    assert not [name for name in found if name.startswith("entitlements.")], "one source is no copy of itself"
    assert not [name for name in found if name.endswith("contract_key")]


def test_a_copy_that_nobody_fills_is_shown_and_is_not_right() -> None:
    said = {"right": "erp", "columns": {"erp": "invoices.po_number"}}
    order = entries(system_of_record={"purchase_order": said})["purchase_order"]
    assert [(copy.role, bool(copy.filled), copy.right) for copy in order.copies] == [
        ("erp", False, False),
        ("crm", True, True),
        ("billing", True, False),
    ]


def test_a_mistake_in_the_file_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="which has no copy of it"):
        entries(system_of_record={"payment_terms": {"right": "legacy"}})


def test_the_command_prints_and_says_what_there_is() -> None:
    printed = CliRunner().invoke(app, ["dictionary", "--config", str(ROOT / "tieout.yaml")])
    assert (
        "right crm       contract_lines.quantity: salesforce SBQQ__Subscription__c, SBQQ__Quantity__c" in printed.output
    )
    told = CliRunner().invoke(
        app, ["dictionary", "--attribute", "contract_value", "--json", "--config", str(ROOT / "tieout.yaml")]
    )
    (value,) = json.loads(told.output)
    assert {copy["role"]: copy["basis"] for copy in value["copies"]} == {
        "crm": "tcv",
        "billing": "mrr",
        "erp": "invoiced",
    }
