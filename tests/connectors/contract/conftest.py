"""A source of the kind that a test is parametrised with, and a reader of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.retries import RetryPolicy
from tests.connectors.conftest import Clock
from tests.connectors.contract.mirror import Mirror
from tests.connectors.contract.source import ContractSource
from tests.connectors.contract.sources import SOURCES


@pytest.fixture
def source(name: str, clock: Clock, tmp_path: Path) -> Iterator[ContractSource]:
    made = SOURCES[name](clock, tmp_path)
    yield made
    made.close()


@pytest.fixture
def mirror(source: ContractSource, clock: Clock, retries: RetryPolicy) -> Iterator[Mirror]:
    with ExitStack() as stack:
        yield Mirror(source, clock, retries, stack)


_FOLDER = Path(__file__).parent
_EVERY_TIME = {"salesforce", "zuora", "netsuite", "files"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For every change the contract is asked of the kinds that the demo reads; the rest is thorough."""
    for item in items:
        if _FOLDER in item.path.parents:
            kind = item.name.partition("[")[2].partition("]")[0].split("-")[0]
            if item.path.name != "test_contract.py" or kind not in _EVERY_TIME:
                item.add_marker(pytest.mark.thorough)
