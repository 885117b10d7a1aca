"""Records become rows, or rejects with a sentence; nothing that a record holds raises or gets lost."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping import ObjectMapping, Reject
from connectors.mapping_file import parse, shipped
from connectors.tables import booked

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
CHARGE = shipped("zuora").objects["RatePlanCharge"]
GOOD: dict[str, Any] = {
    "Id": "c1",
    "OriginalId": "o1",
    "IsLastSegment": True,
    "UpdatedDate": "2026-11-30T00:00:00.000-08:00",
    "ChargeNumber": "C-1",
    "ChargeType": "Recurring",
    "Quantity": "500",
    "BillingPeriod": "Semi_Annual",
    "EffectiveStartDate": "2026-01-01",
    "RatePlan": {"Id": "r1", "SubscriptionId": "s1"},
    "FirstTier": {"Price": "40.00"},
}


def _object(columns: str, more: str = "") -> ObjectMapping:
    text = (
        "connector: salesforce\nobjects:\n  Thing:\n    key: Id\n    modified: Stamp\n"
        f"{more}    targets:\n      - entity: invoices\n        columns: {{{columns}}}\n"
    )
    return parse(text).objects["Thing"]


def _row(mapped: ObjectMapping, record: dict[str, Any]) -> dict[str, Any]:
    row = mapped.targets[0].row(record, "crm", NOW)
    assert isinstance(row, dict), row
    return row


def _reason(mapped: ObjectMapping, record: dict[str, Any]) -> str:
    row = mapped.targets[0].row(record, "crm", NOW)
    assert isinstance(row, Reject), row
    return row.reason


def test_a_target_may_ask_for_a_value_or_for_none() -> None:
    for filled, taken in (("true", [False, False, True, True]), ("false", [True, True, False, False])):
        text = (
            "connector: salesforce\nobjects:\n  Thing:\n    key: Id\n    targets:\n      - entity: invoices\n"
            f"        where: {{Run: {{filled: {filled}}}}}\n        columns: {{number: N}}\n"
        )
        (target,) = parse(text).objects["Thing"].targets
        assert [target.takes(r) for r in ({}, {"Run": ""}, {"Run": "r"}, {"Run": 0})] == taken


def test_one_record_fills_two_entities() -> None:
    line, schedule = CHARGE.book([GOOD], "zuora", NOW).rows
    assert (line[0].entity.name, schedule[0].entity.name) == ("subscription_lines", "billing_schedules")
    row = dict(line[1][0])
    raw = json.loads(row.pop("raw"))
    assert raw["RatePlan.SubscriptionId"] == "s1"
    assert "UpdatedDate" not in raw
    filled = {name: value for name, value in row.items() if value is not None}
    assert filled == {
        "system": "zuora",
        "key": "o1",
        "modified_at": datetime(2026, 11, 30, 8, tzinfo=UTC),
        "synced_at": NOW,
        "deleted": False,
        "number": "C-1",
        "subscription_key": "s1",
        "charge_type": "recurring",
        "quantity": Decimal(500),
        "unit_price": Decimal(40),
        "price_months": 1,
        "billing_months": 6,
    }
    assert set(row) == {column.name for column in line[0].entity.columns} - {"raw"}
    assert schedule[1][0]["key"] == "c1"
    assert schedule[1][0]["start_date"] == date(2026, 1, 1)


def test_a_record_goes_only_where_its_conditions_hold() -> None:
    line, schedule = CHARGE.book([{**GOOD, "IsLastSegment": False}], "zuora", NOW).rows
    assert (len(line[1]), len(schedule[1])) == (0, 1)


def test_a_record_without_a_key_is_rejected() -> None:
    assert CHARGE.targets[1].row({}, "zuora", NOW) == Reject(
        "RatePlanCharge", "", "The record has no usable Id, which is its key."
    )


def test_a_value_that_does_not_fit_is_named_with_its_field_and_column() -> None:
    record = {**GOOD, "Quantity": "0.0000001"}
    assert CHARGE.targets[1].row(record, "zuora", NOW) == Reject(
        "RatePlanCharge",
        "c1",
        "Quantity has more than 6 digits after the point: '0.0000001'. It fills billing_schedules.quantity.",
    )


def test_a_sensitive_value_is_neither_kept_nor_shown() -> None:
    mapped = _object("total: Salary, number: No", "    sensitive: [Salary]\n")
    row = _row(mapped, {"Id": "1", "Salary": "12", "No": "n"})
    assert json.loads(row["raw"]) == {"Id": "1", "No": "n"}
    reason = _reason(mapped, {"Id": "1", "Salary": "lots"})
    assert "lots" not in reason
    assert "sensitive" in reason


def test_the_first_field_with_a_value_counts() -> None:
    mapped = _object("number: [A, B]")
    assert [_row(mapped, {"Id": "1", **r})["number"] for r in ({"A": "a", "B": "b"}, {"A": "", "B": "b"}, {})] == [
        "a",
        "b",
        None,
    ]


def test_fields_joined_like_a_key_and_constants() -> None:
    mapped = _object("number: {join: [A, B]}, currency: {constant: USD}, total: {constant: 1.50}")
    row = _row(mapped, {"Id": "1", "A": "a", "B": 2})
    assert (row["number"], row["currency"], row["total"]) == ("a/2", "USD", Decimal("1.5"))


def test_otherwise_stands_for_empty_and_in_a_choice_for_the_rest() -> None:
    mapped = _object(
        "status: {from: V, as: choice, values: {T: void}, otherwise: posted}, tax: {from: X, otherwise: 0}"
    )
    found = [_row(mapped, {"Id": "1", **record}) for record in ({}, {"V": "T"}, {"V": "F", "X": "2"})]
    assert [(row["status"], row["tax"]) for row in found] == [("posted", 0), ("void", 0), ("posted", 2)]


def test_an_unknown_choice_names_the_known_ones() -> None:
    mapped = _object("status: {from: V, as: choice, values: {Open: draft, true: posted}}")
    assert "V is 'Paid', which is none of: Open, true." in _reason(mapped, {"Id": "1", "V": "Paid"})
    assert _row(mapped, {"Id": "1", "V": True})["status"] == "posted"


def test_an_unreadable_record_is_one_reject_with_its_place() -> None:
    record = {"_file": "usage/a.jsonl", "_line": 7, "_unreadable": "The line does not parse."}
    assert CHARGE.book([record], "files", NOW).rejects == [
        Reject("RatePlanCharge", "usage/a.jsonl:7", "The line does not parse.")
    ]


def test_equal_records_that_are_bad_are_as_many_rejects() -> None:
    bad = {**GOOD, "Quantity": "many"}
    assert len(CHARGE.book([bad, bad], "zuora", NOW).rejects) == 4
    assert len(booked(CHARGE, [bad, bad], "zuora", NOW).rejects) == 4


def test_true_and_one_are_not_the_same_word() -> None:
    mapped = _object("number: No")
    records: list[dict[str, Any]] = [{"Id": "a", "No": True}, {"Id": "b", "No": 1}, {"Id": "c", "No": [1]}]
    (table,) = [table for _, table in booked(mapped, records, "crm", NOW).tables]
    assert table["number"].to_pylist() == ["true", "1"]


def test_half_a_character_in_a_kept_field_is_kept_as_its_escape() -> None:
    mapped = _object("number: No", more="    raw: [Note]\n")
    (table,) = [table for _, table in booked(mapped, [{"Id": "a", "No": "1", "Note": "\ud800"}], "crm", NOW).tables]
    assert table["raw"].to_pylist() == ['{"Id":"a","No":"1","Note":"\\ud800"}']


VALUES = st.one_of(
    st.none(),
    st.sampled_from(["", "1", "1.0", "true", "Recurring", "Month", "2026-02-28", "\ud800", "é", "0.0000001"]),
    st.integers(-5, 5),
    st.booleans(),
    st.text(max_size=5),
    st.lists(st.integers(0, 1), max_size=1),
    st.just({"SubscriptionId": "s", "Price": "1"}),
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from([*GOOD, "_unreadable"]), VALUES, max_size=12).flatmap(
        lambda odd: st.sampled_from([{**GOOD, **odd}, odd])
    ),
    max_size=6,
)


@given(RECORDS)
def test_column_by_column_is_row_by_row(records: list[dict[str, Any]]) -> None:
    singly, together = CHARGE.book(records, "zuora", NOW), booked(CHARGE, records, "zuora", NOW)
    expected = [(t, pa.Table.from_pylist(list(rows), t.entity.arrow)) for t, rows in singly.rows if rows]
    assert list(together.tables) == expected
    assert list(together.rejects) == list(singly.rejects)


@given(RECORDS)
def test_every_record_is_a_row_or_a_reject(records: list[dict[str, Any]]) -> None:
    result = CHARGE.book(records, "zuora", NOW)
    schedules = result.rows[1][1]
    refused_by_schedules = [r for r in records if isinstance(CHARGE.targets[1].row(r, "zuora", NOW), Reject)]
    assert len(schedules) + len(refused_by_schedules) == len(records)
    assert len(result.rejects) >= len(refused_by_schedules)
