"""Takes a message in: who sent it is checked, it is kept once, and nothing else happens while the sender waits."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry import metrics
from sqlalchemy.dialects.postgresql import insert

from connectors import signed
from connectors.contract import Notified, WebhookReader
from connectors.errors import UnreadableMessage, WebhookRefused
from connectors.notified import notified
from connectors.registry import kind_of
from gateway.errors import NotFound, Refused
from gateway.installation import Installation
from gateway.source_settings import variable
from gateway.webhooks.tables import State, WebhookDelivery

log = logging.getLogger(__name__)
_received = metrics.get_meter("tieout.webhooks").create_counter(
    "tieout.webhooks.received", unit="{message}", description="Messages of sources, by what became of them."
)

# A message names records and does not carry them.
MOST_BYTES = 256 * 1024


@dataclass(frozen=True)
class Receipt:
    """What was kept. `duplicate`: the message had come before."""

    id: str
    duplicate: bool


def receive(installed: Installation, source: str, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Check and keep a message; header names are in lower case. Committed when this returns.

    Raises NotFound where no source of this name takes webhooks; Refused, of kind `webhook-refused` without telling
    why, or `malformed-request` with the reason where the sender is known and the body is no message.
    """
    secret = os.environ.get(variable(source, "webhook_secret")) if source in installed.config.sources else None
    if not secret:
        raise NotFound("There is no such webhook.")
    message = _read(installed, source, headers, body, secret)
    receipt = _keep(installed, source, message)
    _count(source, "duplicate" if receipt.duplicate else "accepted")
    return receipt


def _read(installed: Installation, source: str, headers: Mapping[str, str], body: bytes, secret: str) -> Notified:
    try:
        said = _reader(installed, source, headers)(headers, body, secret, installed.clock())
        return notified(said.id, said.kind, said.records)
    except UnreadableMessage as error:
        _count(source, "unreadable")
        log.warning("A message of %s is no use: %s", source, error)
        raise Refused(str(error), "malformed-request") from error
    except WebhookRefused as error:
        _count(source, "refused")
        log.warning("A message to the webhook of %s was refused: %s", source, error)
        raise Refused("The message is not shown to come from the source.", "webhook-refused") from error


def _reader(installed: Installation, source: str, headers: Mapping[str, str]) -> WebhookReader:
    """The vendor's own, unless it has none or the message is signed in our own way."""
    vendors = kind_of(installed.source(source).connector).webhook
    return signed.read if vendors is None or signed.HEADER in headers else vendors


def _keep(installed: Installation, source: str, message: Notified) -> Receipt:
    now = installed.clock()
    row = insert(WebhookDelivery).values(
        source=source,
        message_id=message.id,
        kind=message.kind,
        records={name: list(keys) for name, keys in message.records.items()},
        received_at=now,
        state=State.PENDING.value,
        attempts=0,
        next_at=now,
    )
    with installed.database.session() as session:
        kept = session.scalars(row.on_conflict_do_nothing().returning(WebhookDelivery.message_id)).first()
    return Receipt(message.id, duplicate=kept is None)


def _count(source: str, outcome: str) -> None:
    _received.add(1, {"source": source, "outcome": outcome})
