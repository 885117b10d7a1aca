"""A mapping file that is wrong says where and what; a right one says what it means."""

from pathlib import Path

import pytest

from connectors.errors import MappingError
from connectors.mapping_file import load, parse, shipped

RIGHT = """
connector: salesforce
objects:
  Contract:
    key: Id
    modified: SystemModstamp
    targets:
      - entity: contracts
        account: AccountId
        columns:
          number: ContractNumber
          end_date: {from: EndDate, as: day_after}
"""
SHIPPED = ("salesforce_cpq", "zuora", "netsuite", "billingplatform", "metering", "reference")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_mappings_that_come_with_tieout_are_right(name: str) -> None:
    mapping = shipped(name)
    assert mapping.walked
    assert mapping.hash.startswith("sha256:")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("connector: salesforce", "connector: sap", "names the connector 'sap'; there are salesforce, zuora"),
        ("connector: salesforce\n", "", "has no 'connector', which it needs"),
        ("    key: Id\n", "", "Contract has no 'key', which it needs"),
        (
            "entity: contracts",
            "entity: contract",
            "target 1 fills the unknown entity 'contract'; the books know",
        ),
        ("number: C", "nummer: C", "target 1 fills contracts.nummer, which is no column; it has number, status"),
        ("as: day_after", "as: week_after", "end_date has the transform 'week_after', which gives no date"),
        ("as: day_after", "as: negate", "end_date has the transform 'negate', which gives no date"),
        ("as: day_after", "az: day_after", "end_date has the unknown key 'az'; known are as, constant, from"),
        ("from: EndDate", "constant: 2026-02-30", "end_date has a value that is not a date"),
        ("from: EndDate, ", "", "end_date must have exactly one of 'from', 'join' and 'constant'"),
        ("from: EndDate", "from: EndDate, constant: x", "must have exactly one of"),
        ("from: EndDate", "from: []", "end_date has an empty 'from'"),
        ("as: day_after", "as: choice", "has the transform 'choice', which gives no date"),
        ("number: ContractNumber", "number: {from: N, as: choice}", "'values' only with, and always with"),
        ("number: ContractNumber", "number: {from: N, values: {a: b}}", "'values' only with, and always with"),
        ("number: ContractNumber", "number: 7", "number must be a table of keys and values"),
        ("modified: SystemModstamp", "modified: [A, B]", "'modified' that is not one field"),
        ("modified: SystemModstamp", "look_back: soon", "'look_back' set to 'soon'; it must be a whole number"),
        ("account: AccountId", "account: {from: A, by: name}", "account is matched by 'name'; it can be own, crm"),
        (
            "entity: contracts",
            "entity: contracts\n        where: {A: {filled: yes}}",
            "'filled' set to 'yes'; it must be",
        ),
        ("entity: contracts", "entity: contracts\n        where: {A: {full: true}}", "has the unknown key 'full'"),
        ("modified: SystemModstamp", "pattern: '*.csv'", "has the unknown key 'pattern'"),
        ("    key: Id", "    key: Id\n    key: Name", "the key 'key' stands twice"),
        ("as: day_after", "as: day_after, zone: Mars/Olympus", "has the unknown time zone 'Mars/Olympus'"),
        ("objects:", "objects: [", "is not readable YAML"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(before: str, after: str, sentence: str) -> None:
    assert before in RIGHT
    with pytest.raises(MappingError) as caught:
        parse(RIGHT.replace(before, after, 1), "mine.yaml")
    assert str(caught.value).startswith("mine.yaml")
    assert sentence in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(MappingError, match=r"gone\.yaml cannot be read"):
        load(Path("gone.yaml"))


def test_the_hash_is_of_what_is_said_not_of_how() -> None:
    commented = RIGHT.replace("key: Id", "key: Id  # the key") + "\n\n"
    changed = RIGHT.replace("ContractNumber", "Number__c")
    assert parse(RIGHT).hash == parse(commented).hash != parse(changed).hash


def test_words_stay_words() -> None:
    text = RIGHT.replace(
        "number: ContractNumber", "number: {from: N, as: choice, values: {No: none, 007: bond, on: up}}"
    )
    column = parse(text).objects["Contract"].targets[0].columns[0]
    assert column.convert is not None
    assert [column.convert(word) for word in ("No", "007", "on")] == ["none", "bond", "up"]


def test_the_fields_that_a_connector_must_read() -> None:
    charge = shipped("zuora").objects["RatePlanCharge"]
    assert {"Id", "UpdatedDate", "RatePlanId", "RatePlan.SubscriptionId", "FirstTier.Price"} <= set(charge.fields)
    assert set(charge.census_fields) == {"Id", "OriginalId", "IsLastSegment"}


def test_pseudo_fields_are_not_read_from_the_source() -> None:
    text = (
        "connector: files\nobjects:\n  rates:\n    pattern: r.csv\n    key: [_file, _line]\n"
        "    targets:\n      - entity: fx_rates\n        columns: {rate: rate}\n"
    )
    assert parse(text).objects["rates"].fields == ("rate",)
