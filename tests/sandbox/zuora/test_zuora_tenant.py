from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from sandbox.zuora import STANDARD_OBJECTS, ZuoraTenant, make_id
from sandbox.zuora.schema import PYTHON_TYPES, Value


def test_ids_are_thirty_two_hex_digits_and_always_the_same() -> None:
    assert make_id("Invoice", 7) == make_id("Invoice", 7)
    assert len({make_id(kind, n) for kind in ("Invoice", "Account") for n in range(200)}) == 400
    assert len(make_id("Invoice", 7)) == 32
    assert int(make_id("Invoice", 7), 16) > 0


def test_the_standard_objects_use_known_types() -> None:
    assert {kind for fields in STANDARD_OBJECTS.values() for kind in fields.values()} <= set(PYTHON_TYPES)


def test_a_new_record_gets_an_id_and_stamps(tenant: ZuoraTenant) -> None:
    identity = tenant.put("Account", {"Name": "Acme"})
    assert tenant.rows("Account") == [
        {"Id": identity, "Name": "Acme", "CreatedDate": tenant.clock(), "UpdatedDate": tenant.clock()}
    ]


def test_an_update_keeps_the_other_fields_and_moves_the_stamp(
    tenant: ZuoraTenant, advance: Callable[[timedelta], None]
) -> None:
    created = tenant.clock()
    identity = tenant.put("Account", {"Name": "Acme", "CrmId": "001", "Balance": Decimal(5)})
    advance(timedelta(minutes=3))
    assert tenant.put("Account", {"Id": identity, "Balance": 6, "CrmId": None}) == identity
    assert tenant.rows("Account") == [
        {
            "Id": identity,
            "Name": "Acme",
            "Balance": Decimal(6),
            "CreatedDate": created,
            "UpdatedDate": created + timedelta(minutes=3),
        }
    ]


def test_a_stamp_that_is_given_stays_cut_to_milliseconds(tenant: ZuoraTenant) -> None:
    stamp = datetime(2020, 1, 1, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=2)))
    tenant.put("Account", {"UpdatedDate": stamp})
    assert tenant.rows("Account")[0]["UpdatedDate"] == datetime(2019, 12, 31, 23, 2, 3, 456000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Name", 5),
        ("AutoPay", 1),
        ("AutoPay", "true"),
        ("BillCycleDay", True),
        ("BillCycleDay", Decimal(1)),
        ("Balance", 1.5),
        ("Balance", "1.5"),
        ("Balance", Decimal("NaN")),
        ("LastInvoiceDate", datetime(2026, 1, 1, tzinfo=UTC)),
        ("LastInvoiceDate", "2026-01-01"),
        ("UpdatedDate", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("UpdatedDate", date(2026, 1, 1)),
    ],
)
def test_a_value_must_suit_its_field(tenant: ZuoraTenant, field: str, value: Value) -> None:
    with pytest.raises(ValueError, match=rf"Account\.{field}"):
        tenant.put("Account", {field: value})
    assert tenant.rows("Account") == []


def test_unknown_names_are_refused(tenant: ZuoraTenant) -> None:
    with pytest.raises(ValueError, match="no object 'Spaceship'"):
        tenant.put("Spaceship", {})
    with pytest.raises(ValueError, match="no object 'Spaceship'"):
        tenant.rows("Spaceship")
    with pytest.raises(ValueError, match="Account has no field Colour, Shape"):
        tenant.put("Account", {"Shape": "round", "Colour": "red"})
    with pytest.raises(ValueError, match="no Account with the id 'x'"):
        tenant.remove("Account", "x")


def test_custom_fields_and_objects_can_be_added_and_taken_away(tenant: ZuoraTenant) -> None:
    tenant.define("Subscription", {"SfContract__c": "text"})
    tenant.define("Contract__c", {"Seats__c": "integer"})
    tenant.put("Subscription", {"SfContract__c": "800", "Name": "A-S1"})
    tenant.put("Contract__c", {"Seats__c": 5})
    tenant.drop_field("Subscription", "SfContract__c")
    assert tenant.rows("Subscription")[0].keys() == {"Id", "Name", "CreatedDate", "UpdatedDate"}
    with pytest.raises(ValueError, match="SfContract__c"):
        tenant.put("Subscription", {"SfContract__c": "800"})
    with pytest.raises(ValueError, match="cannot be removed"):
        tenant.drop_field("Subscription", "Id")


def test_a_definition_cannot_contradict_an_earlier_one(tenant: ZuoraTenant) -> None:
    with pytest.raises(ValueError, match=r"Account\.Name is already a text"):
        tenant.define("Account", {"Name": "integer"})
    with pytest.raises(ValueError, match="no field type 'money'"):
        tenant.define("Account", {"Value__c": "money"})


def test_a_removed_record_is_gone(tenant: ZuoraTenant) -> None:
    first, second = tenant.put("Account", {"Name": "a"}), tenant.put("Account", {"Name": "b"})
    tenant.remove("Account", first)
    assert [row["Id"] for row in tenant.rows("Account")] == [second]
