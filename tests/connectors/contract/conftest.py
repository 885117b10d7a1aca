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
