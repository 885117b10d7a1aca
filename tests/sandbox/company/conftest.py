"""Companies are built once per run: they are never changed."""

from functools import cache

import pytest

from sandbox.company import Company, build
from tests.sandbox.company.company_sheets import Sheets

SEEDS = (7, 4011)
FEW = 200
"""Accounts of a small company."""


@cache
def _company(seed: int, accounts: int, defects: bool) -> Company:
    return build(seed, accounts, defects=defects)


@pytest.fixture(scope="session", params=SEEDS)
def clean(request: pytest.FixtureRequest) -> Sheets:
    """A company without defects."""
    return Sheets(_company(request.param, FEW, False))


@pytest.fixture(scope="session", params=SEEDS)
def flawed(request: pytest.FixtureRequest) -> Sheets:
    """The same companies with their defects."""
    return Sheets(_company(request.param, FEW, True))


@pytest.fixture(scope="session")
def shipped() -> Company:
    """The company as the demo shows it."""
    return _company(7, 600, True)


@pytest.fixture(scope="session")
def fifth() -> Company:
    """A small company of a seed of its own, to be compared with others."""
    return _company(5, FEW, True)
