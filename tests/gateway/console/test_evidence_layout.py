from typing import Any

from gateway.console.evidence import MOST_COLUMNS, laid_out


def row(system: str, key: str = "1", entity: str = "contract_lines", **fields: str) -> dict[str, Any]:
    return {"system": system, "entity": entity, "key": key, "fields": fields}


def test_fields_that_differ_come_first_and_are_marked() -> None:
    shown = laid_out(
        [
            row("salesforce", currency="USD", quantity="418", number="CL-1"),
            row("zuora", currency="USD", quantity="400", number="C-9", charged_through="2026-12-01"),
        ]
    ).comparison
    assert [(line.name, line.differs) for line in shown.shared] == [
        ("quantity", True),
        ("currency", False),
        ("number", False),
    ]
    assert [(line.name, line.values) for line in shown.single] == [("charged_through", [None, "2026-12-01"])]


def test_fields_stand_in_the_order_of_the_books() -> None:
    shown = laid_out([row("zuora", own_field="x", end_date="2027-01-01", start_date="2026-01-01", quantity="4")])
    assert [line.name for line in shown.comparison.single] == ["quantity", "start_date", "end_date", "own_field"]


def test_keys_of_other_records_differ_by_nature() -> None:
    shown = laid_out([row("salesforce", contract_key="1"), row("zuora", contract_key="2")]).comparison
    assert not shown.shared[0].differs


def test_of_many_records_the_first_of_each_entity_are_compared_and_the_rest_listed() -> None:
    many = [row("metering", str(n), "usage_events", quantity=str(n)) for n in range(MOST_COLUMNS + 3)]
    shown = laid_out([row("zuora", "S", "subscriptions", status="active"), *many])
    assert [(record.entity, record.key) for record in shown.comparison.records] == [
        ("subscriptions", "S"),
        ("usage_events", "0"),
    ]
    (listing,) = shown.listings
    assert [record.key for record in listing.records] == [str(n) for n in range(1, MOST_COLUMNS + 3)]
    assert listing.columns == ["quantity"]


def test_no_evidence_is_no_comparison() -> None:
    assert laid_out([]).comparison.records == []
