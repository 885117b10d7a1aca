from decimal import Decimal

import httpx
import pyarrow as pa

from books.store import table_from
from gateway.crosswalk.tables import Basis, Link
from tests.gateway.console.console_pages import page, token
from tests.gateway.console.console_world import NOW, World

_OWNERS = pa.schema({"key": pa.string(), "account_key": pa.string()})


def proposed(world: World, key: str, entity: str = "accounts") -> str:
    """A proposal that an account of the ERP, or what its usage is reported under, is the customer 001."""
    link = Link(
        left_system="netsuite",
        left_entity=entity,
        left_key=key,
        left_name="Northwind Tradng",
        right_system="salesforce",
        right_key="001",
        right_name="Northwind Trading",
        basis=Basis.MATCHED,
        score=Decimal("0.9696"),
        reason="similar names: Northwind Tradng and Northwind Trading",
        proposed_at=NOW,
    )
    with world.installed.database.session() as session:
        session.add(link)
        session.flush()
        return link.reference


def test_a_person_confirms_or_rejects_what_is_proposed(world: World, client: httpx.Client) -> None:
    first, second = proposed(world, "7"), proposed(world, "8")
    shown = page(client, "/links")
    for words in (
        f"{first} similar names: Northwind Tradng and Northwind Trading, score 0.9696",
        "NetSuite Northwind Tradng 7 Salesforce Northwind Trading 001",
        "2 records that may belong to a customer",
    ):
        assert words in shown.text
    said = {"form_token": token(client, "/links"), "note": "asked them"}
    for reference, decision in ((first, "confirm"), (second, "reject")):
        assert client.post(f"/links/{reference}/{decision}", data=said).status_code == 303
    assert "Nothing here" in page(client, "/links").text
    assert "Confirmed by Ann Abara" in page(client, "/links?basis=confirmed").text
    assert "(just now): asked them" in page(client, "/links?basis=rejected").text
    assert "There is no link LNK-99" in client.post("/links/LNK-99/confirm", data=said).text


def test_a_proposal_says_what_would_come_to_the_customer(world: World, client: httpx.Client) -> None:
    common = {"system": "netsuite", "modified_at": NOW, "synced_at": NOW}
    of_seven, of_eight = {**common, "account_key": "netsuite:7"}, {**common, "account_key": "netsuite:8"}
    rows: dict[str, list[dict[str, object]]] = {
        "invoices": [{**of_seven, "key": f"I{n}", "deleted": n == 3} for n in range(1, 4)],
        "payments": [{**of_seven, "key": "P1", "deleted": False}, {**of_eight, "key": "P2", "deleted": False}],
        "usage_events": [{**common, "key": "U1", "subject": "meter-9", "deleted": False}],
    }
    for entity, held in rows.items():
        world.installed.store.merge(entity, "netsuite", table_from(entity, held))
        keys = pa.table({"key": [row["key"] for row in held], "account_key": [row.get("account_key") for row in held]})
        world.installed.store.assign_accounts(entity, "netsuite", keys.cast(_OWNERS))
    for key, entity in (("7", "accounts"), ("8", "accounts"), ("9", "accounts"), ("meter-9", "usage_events")):
        proposed(world, key, entity)
    world.publish(netsuite=NOW)
    told = page(client, "/links").text.split("Would be joined ")[1:]
    assert [line.partition(" Note ")[0] for line in told] == [
        "2 invoices, 1 payments",
        "1 payments",
        "the account itself",
        "1 usage events",
    ]
