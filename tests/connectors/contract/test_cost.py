"""What a poll without changes costs in requests, with the shipped mappings: as the pages in docs/systems say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.db.session import Database
from gateway.source_settings import variable
from sandbox.billingplatform import BillingPlatformServer, Organisation
from sandbox.company import Company, build
from sandbox.company.company import NOW
from sandbox.faults import Faults
from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, TokenKeys, make_key_pair
from sandbox.netsuite.soap.definition import FOLDER
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from sandbox.stripe import StripeAccount, StripeServer
from sandbox.zuora import ZuoraServer, ZuoraTenant
from tests.connectors.conftest import Clock
from tests.connectors.contract.installed import SYSTEM
from tests.gateway.sync.systems import Reader

ID, SECRET = "cost-client", "cost-secret-5b1d"
TOKEN = {"consumer_key": ID, "consumer_secret": SECRET, "token_id": "cost-token", "token_secret": "cost-token-secret"}
PRIVATE_KEY, PUBLIC_KEY = make_key_pair("ES256")


@dataclass
class Served:
    """A simulator that runs, and how a source of tieout.yaml reads it by a shipped mapping."""

    server: SalesforceServer | ZuoraServer | NetSuiteServer | StripeServer | BillingPlatformServer
    mapping: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> Faults:
        return self.server.faults

    def said(self) -> dict[str, Any]:
        """tieout.yaml, once the simulator has an address."""
        kind = self.mapping.partition("_")[0]
        settings = {"base_url": self.server.url, **self.settings}
        source = {"connector": kind, "roles": ["crm"], "mapping": self.mapping, "settings": settings}
        return {"sources": {SYSTEM: source}, "books": "books", "state": "state"}


def salesforce(company: Company, clock: Clock) -> Served:
    org = SalesforceOrg(clock)
    company.load_salesforce(org)
    server = SalesforceServer(org, client_id=ID, client_secret=SECRET)
    return Served(server, "salesforce_cpq", {}, {"consumer_key": ID, "consumer_secret": SECRET})


def zuora(company: Company, clock: Clock) -> Served:
    tenant = ZuoraTenant(clock)
    company.load_zuora(tenant)
    server = ZuoraServer(tenant, client_id=ID, client_secret=SECRET)
    return Served(server, "zuora", {}, {"client_id": ID, "client_secret": SECRET})


def _account(company: Company, clock: Clock) -> NetSuiteServer:
    account = NetSuiteAccount(clock)
    company.load_netsuite(account)
    return NetSuiteServer(
        account,
        client_id=ID,
        certificate_id="cost-certificate",
        public_key_pem=PUBLIC_KEY,
        wall_clock=clock,
        token_keys=TokenKeys(**TOKEN),
    )


def netsuite(company: Company, clock: Clock) -> Served:
    secrets = {"client_id": ID, "certificate_id": "cost-certificate", "private_key_pem": PRIVATE_KEY}
    return Served(_account(company, clock), "netsuite", {"account_id": "1234567_SB1"}, secrets)


def netsuite_soap(company: Company, clock: Clock) -> Served:
    wsdl = str(FOLDER / "netsuite.wsdl")
    settings = {"account_id": "1234567_SB1", "transport": "soap", "wsdl": wsdl}
    return Served(_account(company, clock), "netsuite_soap", settings, TOKEN)


def stripe(_: Company, clock: Clock) -> Served:
    """One of everything, and a customer whose usage one meter counts."""
    account = StripeAccount(clock)
    recurring = {"interval": "month", "interval_count": 1, "usage_type": "metered"}
    account.put("customer", {"id": "cus_1", "name": "Acme"})
    account.put("product", {"id": "prod_1", "name": "Calls"})
    meter = account.put("billing.meter", {"id": "mtr_1", "event_name": "calls"})
    price = {"id": "price_1", "product": "prod_1", "currency": "usd", "recurring": {**recurring, "meter": meter}}
    account.put("price", price)
    account.put("subscription", {"id": "sub_1", "customer": "cus_1", "currency": "usd"})
    account.put("subscription_item", {"id": "si_1", "price": account.get("price", "price_1"), "subscription": "sub_1"})
    account.put("invoice", {"id": "in_1", "customer": "cus_1", "currency": "usd", "status": "open"})
    account.put("line_item", {"id": "il_1", "invoice": "in_1", "amount": 1, "currency": "usd"})
    server = StripeServer(account, api_key=SECRET, per_s=10_000)
    return Served(server, "stripe", {"requests_per_s": 10_000}, {"api_key": SECRET})


def billingplatform(_: Company, clock: Clock) -> Served:
    """A record of each entity."""
    organisation = Organisation(clock)
    organisation.put("ACCOUNT", {"Name": "Acme", "Status": "ACTIVE", "BillableBillingProfileId": "1"})
    organisation.put("BILLING_PROFILE", {"AccountId": "1", "CurrencyCode": "USD"})
    organisation.put("PRODUCT", {"Name": "Seats"})
    organisation.put("CONTRACT", {"ContractNumber": "C-1", "ContractStatus": "ACTIVE", "AccountId": "1"})
    organisation.put("CONTRACT_RATE", {"ContractId": "1", "ProductId": "1"})
    organisation.put("PRICING", {"ContractRateId": "1", "LowerBand": 0, "UpperBand": -1, "Rate": "5"})
    organisation.put("ACCOUNT_PRODUCT", {"AccountId": "1", "ProductId": "1", "Quantity": "5", "Status": "ACTIVE"})
    organisation.put("INVOICE", {"BillingProfileId": "1", "Status": "CURRENT", "GrandTotalAmount": "20.00"})
    organisation.put("ACTIVITY", {"AccountId": "1", "AccountProductId": "1", "InvoiceId": "1", "RatedAmount": "20"})
    server = BillingPlatformServer(organisation, client_id=ID, client_secret=SECRET)
    return Served(server, "billingplatform", {}, {"client_id": ID, "client_secret": SECRET})


@dataclass(frozen=True)
class Place:
    """A folder for an installation that goes by the simulator's clock."""

    folder: Path
    reader_clock: Clock


@pytest.fixture(scope="module")
def company() -> Company:
    return build(accounts=200)


# Per poll a login, and what the page of the system counts. Each object is described and then asked for its changes.
COSTS = [
    # Twelve objects: describe, query, recycle bin, getDeleted.
    (salesforce, 1 + 12 * 4),
    # Fourteen objects and four look-ups are described; the newest record, which every poll meets again, is looked up
    # for three of them, because this company keeps no usage in Zuora.
    (zuora, 1 + 14 * 2 + 4 + 3),
    # Of ten objects three are not there, which costs two each; three others list deletions. One holds no rows yet,
    # so that it has no position, and is asked for rows without a stamp as well.
    (netsuite, 1 + 7 * 4 + 3 * 2 + 3 + 1),
    # Four objects: two for the clock, a description, a search; and three getDeleted. Every request is its own login.
    (netsuite_soap, 4 * 4 + 3),
    # Eleven objects: the clock, and whether the key may read it; the events of ten, the deletions of eight. For usage
    # two for the meters, a page of subscriptions, and one customer of one meter. The key is sent along: no login.
    (stripe, 11 * 2 + 10 + 8 + 2 + 1 + 1),
    # Seven objects: the newest key, its record, the changes. By OAuth there is nothing to log out of.
    (billingplatform, 1 + 7 * 3 + 2),  # what is read in full ends with a count
]


@pytest.mark.parametrize(("make", "requests"), COSTS, ids=[make.__name__ for make, _ in COSTS])
def test_a_poll_without_changes(
    make: Callable[[Company, Clock], Served],
    requests: int,
    company: Company,
    tmp_path: Path,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(NOW)
    served = make(company, clock)
    for key, value in served.secrets.items():
        monkeypatch.setenv(variable(SYSTEM, key), value)
    clock.forward(hours=1)
    with served.server:
        reader = Reader(Place(tmp_path, clock), database, served.said())
        assert not reader.sync().sources[SYSTEM].failures
        clock.forward(minutes=30)
        served.faults.came.clear()
        assert not reader.sync().sources[SYSTEM].failures
        assert served.faults.came.total() == requests, served.faults.came
