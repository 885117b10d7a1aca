"""Writing to the simulated organisation: each object by itself, and the life of an invoice."""

from typing import Any, Protocol

import httpx
import pytest

from sandbox.billingplatform import Organisation


class Clock(Protocol):
    def forward(self, **by: float) -> None: ...


def _put(client: httpx.Client, entity: str, objects: object) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = client.put(f"/{entity}", json={"brmObjects": objects}).json()["updateResponse"]
    return results


def test_some_are_done_and_some_are_not(client: httpx.Client, organisation: Organisation) -> None:
    given = [{"Name": "Acme"}, {"Nmae": "Bolt"}, {"Name": "Core", "AccountTypeId": "9"}, {"Name": "Data"}]
    answer = client.post("/ACCOUNT", json={"brmObjects": given})
    results = answer.json()["createResponse"]
    assert answer.status_code == 200
    assert [(r["ErrorCode"] == "0", r["ErrorElementField"], r["Id"]) for r in results] == [
        (True, "", "1"),
        (False, "Nmae", ""),
        (False, "AccountTypeId", ""),
        (True, "", "2"),
    ]
    assert [row["Name"] for row in organisation.rows("ACCOUNT")] == ["Acme", "Data"]


def test_a_single_object_needs_no_list(client: httpx.Client, organisation: Organisation, clock: Clock) -> None:
    client.post("/ACCOUNT", json={"brmObjects": {"Name": "Acme", "Status": "ACTIVE"}})
    clock.forward(minutes=1)
    assert _put(client, "ACCOUNT", {"Id": "1", "Name": "Bolt", "fieldsToNull": ["Status"]})[0]["ErrorCode"] == "0"
    record = organisation.find("ACCOUNT", "1")
    assert record is not None
    assert (record["Name"], record["Status"]) == ("Bolt", "")
    assert (record["Created"], record["Updated"]) == ("2026-11-20 17:30:00", "2026-11-20 17:31:00")
    done = client.put("/ACCOUNT/1", json={"brmObjects": {"Name": "Core"}}).json()["updateResponse"]
    assert (done[0]["Id"], _put(client, "ACCOUNT", {"Id": "7", "Name": "x"})[0]["ErrorElementField"]) == ("1", "Id")


def test_an_upsert_finds_by_an_external_id(client: httpx.Client, organisation: Organisation) -> None:
    for created, name in ((True, "Acme"), (False, "Bolt")):
        body = {"brmObjects": {"ExtAcctId": "x-1", "Name": name}, "externalIDFieldName": "ExtAcctId"}
        (result,) = client.patch("/ACCOUNT", json=body).json()["upsertResponse"]
        assert (result["Id"], result["success"], result["created"]) == ("1", True, created)
    profile = {"brmObjects": {"AccountIdObj": {"ExtAcctId": "x-1"}, "CurrencyCode": "USD"}}
    assert client.post("/BILLING_PROFILE", json=profile).json()["createResponse"][0]["Id"] == "1"
    assert organisation.rows("BILLING_PROFILE")[0]["AccountId"] == "1"
    profile = {"brmObjects": {"AccountIdObj": {"ExtAcctId": "x-2"}}}
    assert (
        client.post("/BILLING_PROFILE", json=profile).json()["createResponse"][0]["ErrorElementField"] == "AccountIdObj"
    )
    assert client.patch("/ACCOUNT", json={"brmObjects": {"Name": "x"}}).status_code == 400


def test_the_recycle_bin(client: httpx.Client, organisation: Organisation) -> None:
    key = organisation.put("ACCOUNT", {"Name": "Acme"})
    body = {"brmObjects": {"Id": key}, "EmptyRecycleBin": "0"}
    assert client.request("DELETE", "/delete/ACCOUNT", json=body).json()["deleteResponse"][0]["ErrorCode"] == "0"
    assert client.get(f"/ACCOUNT/{key}").status_code == 404
    assert client.request("DELETE", "/delete/ACCOUNT", json=body).json()["deleteResponse"][0]["ErrorCode"] == "1"
    back = client.request("DELETE", "/undelete/ACCOUNT", json={"brmObjects": [{"Id": key}]})
    assert back.json()["undeleteResponse"][0] == {"ErrorCode": "0", "ErrorText": "", "ErrorElementField": "", "Id": key}
    assert client.get(f"/ACCOUNT/{key}").status_code == 200
    client.request("DELETE", "/delete/ACCOUNT", json={**body, "EmptyRecycleBin": "1"})
    assert client.request("DELETE", "/undelete/ACCOUNT", json=body).json()["undeleteResponse"][0]["ErrorCode"] == "1"


def test_an_invoice_is_closed_and_then_approved_in_a_call_of_its_own(
    client: httpx.Client, organisation: Organisation
) -> None:
    key = organisation.put("INVOICE", {"Status": "CURRENT"})
    both = {"Id": key, "Status": "CLOSED", "ApprovalStatus": "APPROVED"}
    steps = [
        ({"Id": key, "ApprovalStatus": "APPROVED"}, "ApprovalStatus"),
        (both, "ApprovalStatus"),
        ({"Id": key, "Status": "POSTED"}, "Status"),
        ({"Id": key, "Status": "CLOSED"}, ""),
        ({"Id": key, "Status": "CURRENT"}, "Status"),
        ({"Id": key, "ApprovalStatus": "MAYBE"}, "ApprovalStatus"),
        ({"Id": key, "ApprovalStatus": "APPROVED"}, ""),
    ]
    assert [_put(client, "INVOICE", step)[0]["ErrorElementField"] for step, _ in steps] == [field for _, field in steps]
    invoice = organisation.find("INVOICE", key)
    assert invoice is not None
    assert (invoice["Status"], invoice["ApprovalStatus"]) == ("CLOSED", "APPROVED")
    assert invoice["ClosedDate"] == invoice["ApprovalDate"] == "2026-11-20 17:30:00"


@pytest.mark.parametrize("body", [None, [], {}, {"brmObjects": []}, {"brmObjects": "x"}, {"brmObjects": [{}, 1]}])
def test_a_body_without_objects(client: httpx.Client, body: object) -> None:
    assert client.post("/ACCOUNT", json=body).status_code == 400


def test_an_unknown_entity(client: httpx.Client) -> None:
    assert client.post("/ACOUNT", json={"brmObjects": {"Name": "x"}}).status_code == 404
    assert client.post("/ACCOUNT", content="{").status_code == 400


@pytest.mark.parametrize("fields", [{"Nmae": "x"}, {"Created": "yesterday"}, {"InvoiceAtThisLevel": "2"}])
def test_python_is_told_at_once(organisation: Organisation, fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        organisation.put("ACCOUNT", fields)


def test_python_is_told_of_what_is_not_there(organisation: Organisation) -> None:
    with pytest.raises(ValueError, match="no entity 'ACOUNT'"):
        organisation.put("ACOUNT", {})
    with pytest.raises(ValueError, match="no record 1"):
        organisation.remove("ACCOUNT", "1")
    with pytest.raises(ValueError, match="no type and no entity"):
        organisation.define("C_SEAT", {"C_Count": "integer"})
    with pytest.raises(ValueError, match="more than 15 digits"):
        organisation.put("INVOICE", {"GrandTotalAmount": "1234567890123.456"})


def test_a_custom_entity_and_a_custom_field(client: httpx.Client, organisation: Organisation) -> None:
    organisation.define("C_SEAT", {"C_Count": "number", "C_AccountId": "ACCOUNT"})
    organisation.define("ACCOUNT", {"C_Region": "text"})
    account = organisation.put("ACCOUNT", {"C_Region": "EMEA"})
    organisation.put("C_SEAT", {"C_Count": "5", "C_AccountId": account})
    sql = "SELECT C_Count, C_AccountIdObj.C_Region FROM C_SEAT"
    found = client.get("/query", params={"sql": sql}).json()["queryResponse"]
    assert found == [{"C_Count": "5", "C_AccountIdObj.C_Region": "EMEA"}]
