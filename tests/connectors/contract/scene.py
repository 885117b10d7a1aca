"""What the contract's test modules share: for which sources a test runs, records to read, and what an error must be."""

import re

import pytest

from connectors.errors import ConnectorError
from tests.connectors.conftest import Clock
from tests.connectors.contract.source import ContractSource
from tests.connectors.contract.sources import SERVED, SOURCES

served = pytest.mark.parametrize("name", SERVED)
every = pytest.mark.parametrize("name", SOURCES)


def fill(source: ContractSource, count: int = 14) -> None:
    """Records that all carry the same stamp, more than a page holds."""
    for number in range(count):
        source.put(number, f"text {number}")


def fill_over_days(source: ContractSource, clock: Clock, batches: int = 3, ties: int = 7) -> None:
    """Records of every object in batches that tie, too far apart for any look-back to make good what was missed."""
    for batch in range(batches):
        for number in range(2 * ties * batch, 2 * ties * (batch + 1)):
            source.put(number, f"text {number}")
        clock.forward(days=3)


def is_a_sentence(error: ConnectorError, source: ContractSource) -> None:
    """It begins, ends, says what to think of it, and holds nothing that is nobody's business."""
    said = str(error)
    assert re.fullmatch(r"\S.*[.)]", said, re.DOTALL), said
    assert len(said.split()) > 3, said
    assert not re.search(r"Bearer |Basic |https?://\S*\?", said), said
    for secret in source.secrets().values():
        assert not any(line in said for line in secret.splitlines() if len(line) > 5)
