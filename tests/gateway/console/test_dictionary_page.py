import httpx

from connectors.mapping_file import shipped
from tests.gateway.console.console_pages import page
from tests.gateway.console.console_world import World

MAPPINGS = {"salesforce": "salesforce_cpq", "zuora": "zuora", "netsuite": "netsuite"}


def test_the_dictionary_says_who_is_right_and_what_each_means(world: World, client: httpx.Client) -> None:
    world.installed.mappings = {source: shipped(name) for source, name in MAPPINGS.items()}
    shown = page(client, "/dictionary")
    for words in (
        "crm Right contracts.end_date Salesforce, Contract: EndDate the source names the last day that is covered",
        "TCV total contract value",
        "seats entitlements.active_quantity no source fills it",
        "invoices.status Billing billing Right invoices.status Zuora, Invoice: Status",
    ):
        assert words in shown.text
    assert shown.links["Dictionary"] == "/dictionary"
