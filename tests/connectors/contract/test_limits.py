"""No connector sends a request that its vendor would refuse for its number, as the simulators count them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from math import ceil

import pytest

from connectors.errors import ConnectorError
from connectors.retries import RetryPolicy
from tests.connectors.conftest import Clock
from tests.connectors.contract.billingplatform_source import BillingPlatformSource
from tests.connectors.contract.mirror import Mirror
from tests.connectors.contract.netsuite_soap_source import NetSuiteSoapSource
from tests.connectors.contract.netsuite_source import NetSuiteSource
from tests.connectors.contract.salesforce_source import SalesforceSource
from tests.connectors.contract.scene import fill, is_a_sentence
from tests.connectors.contract.source import ContractSource
from tests.connectors.contract.stripe_source import StripeSource
from tests.connectors.contract.zuora_source import ZuoraSource

# Simulators whose limit a few polls would reach.
TIGHT: Mapping[str, Callable[[Callable[[], datetime]], ContractSource]] = {
    "salesforce": lambda clock: SalesforceSource(clock, daily_limit=60),
    "zuora": lambda clock: ZuoraSource(clock, per_minute=12),
    "stripe": lambda clock: StripeSource(clock, per_s=60),
    "billingplatform": lambda clock: BillingPlatformSource(clock, per_minute=30),
    "netsuite": lambda clock: NetSuiteSource(clock, concurrency=1),
    "netsuite_soap": lambda clock: NetSuiteSoapSource(clock, concurrency=1),
}
POLLS = 8


@pytest.fixture
def source(name: str, clock: Clock) -> Iterator[ContractSource]:
    made = TIGHT[name](clock)
    yield made
    made.close()


@pytest.fixture
def mirror(source: ContractSource, clock: Clock) -> Iterator[Mirror]:
    """Waiting takes the clock's time, in whole seconds as the slowest source stamps, and nobody's."""
    retries = RetryPolicy(attempts=6, budget_s=600.0, sleep=lambda seconds: clock.forward(seconds=ceil(seconds)))
    with ExitStack() as stack:
        yield Mirror(source, clock, retries, stack)


@pytest.mark.parametrize("name", TIGHT)
def test_many_polls_stay_within_the_limit(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    """A poll that has to wait, or that ends with an error that says so, is well; a request too many is not."""
    connector = mirror.connector()
    for number in range(POLLS):
        fill(source)
        source.put(number, "changed")
        try:
            mirror.poll(connector)
        except ConnectorError as error:
            is_a_sentence(error, source)
        clock.forward(seconds=1)
    assert source.over_limit() == 0
    clock.forward(hours=25)
    mirror.poll_until_well()
    mirror.agrees()
    assert source.over_limit() == 0
