"""Systems that are up, an installation that has read them once, and its API on a socket of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.gateway.sync.conftest import MakeReader, live_systems, reading, systems
from tests.gateway.sync.systems import Systems
from tests.gateway.webhooks.webhook_world import SECRETS, WebhookWorld

__all__ = ["live_systems", "reading", "systems"]


@pytest.fixture
def world(systems: Systems, reading: MakeReader, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookWorld]:
    """The CRM takes messages that are signed in our own way, billing takes callouts; the ERP takes none."""
    for variable, secret in SECRETS.items():
        monkeypatch.setenv(variable, secret)
    with ExitStack() as stack:
        yield stack.enter_context(WebhookWorld(systems, reading("crm", "billing", "erp")))
