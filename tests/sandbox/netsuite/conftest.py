"""An empty account whose clock stands still."""

import pytest

from sandbox.netsuite import NetSuiteAccount
from tests.sandbox.netsuite.netsuite_asking import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> NetSuiteAccount:
    return NetSuiteAccount(clock)
