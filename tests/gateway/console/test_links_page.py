from decimal import Decimal

import httpx

from gateway.crosswalk.tables import Basis, Link
from tests.gateway.console.console_pages import page, token
from tests.gateway.console.console_world import NOW, World


def proposed(world: World, key: str) -> str:
    """A proposal that an account of the ERP is the customer 001."""
    link = Link(
        left_system="netsuite",
        left_entity="accounts",
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
