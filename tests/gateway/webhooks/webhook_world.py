"""An installation with its API on a socket, and the means to post to it what systems post."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
from fastapi import FastAPI

from alerts.webhook import signature
from books.reading import Books
from checks.catalogue import CATALOGUE
from checks.ruleset import Ruleset
from gateway.api import problems, webhooks
from gateway.installation import Installation
from gateway.owners.reading import load as load_owners
from gateway.webhooks.pending import counts
from gateway.webhooks.processing import Processed, process
from sandbox.serving import LoopbackServer
from tests.gateway.sync.systems import Reader, Row, Systems
from tests.tls import TLS

ROOT = Path(__file__).resolve().parents[3]
CRM_SECRET, BILLING_SECRET = "crm-webhook-secret-1f", "tieout:callout-password-2e"
SECRETS = {"TIEOUT_CRM_WEBHOOK_SECRET": CRM_SECRET, "TIEOUT_BILLING_WEBHOOK_SECRET": BILLING_SECRET}


def webhook_app(installed: Installation) -> FastAPI:
    """The API's webhooks alone: to open the gate beside them takes longer than a test."""
    app = FastAPI()
    app.state.installation = installed
    problems.install(app)
    app.include_router(webhooks.router)
    return app


class WebhookWorld:
    """Post with `signed` and `called_out`; `run` is one run of the job."""

    def __init__(self, systems: Systems, reader: Reader) -> None:
        self.reader = reader
        self.systems = systems
        self.installed = reader.installed
        self.installed.owners = load_owners(ROOT / "owners.yaml")
        self._server = LoopbackServer(webhook_app(reader.installed))

    def __enter__(self) -> Self:
        self.http = httpx.Client(base_url=self._server.start(), timeout=30, verify=TLS)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._server.stop()

    @property
    def now(self) -> datetime:
        return self.systems.reader_clock()

    def post(self, source: str, body: bytes, headers: Mapping[str, str | bytes]) -> httpx.Response:
        said = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers.items()]
        return self.http.post(f"/v1/webhooks/{source}", content=body, headers=said)

    def signed(
        self, records: Mapping[str, Sequence[str]], id_: str = "e-1", source: str = "crm", at: datetime | None = None
    ) -> httpx.Response:
        """A message in our own way, of a sender who knows the secret of the CRM."""
        body = json.dumps({"id": id_, "kind": "changed", "records": records}).encode()
        stamp = int((at or self.now).timestamp())
        return self.post(source, body, {"Tieout-Signature": signature(CRM_SECRET.encode(), stamp, body)})

    def called_out(self, object_: str, *ids: str, session: str = "n-1") -> httpx.Response:
        """A callout of Zuora, with the password that it sends when it is asked for one."""
        body = json.dumps({"kind": f"{object_} changed", "object": object_, "ids": ",".join(ids)}).encode()
        user, _, password = BILLING_SECRET.partition(":")
        headers = {"Zuora-Notification-Id": session, "Content-Type": "application/json"}
        auth = httpx.BasicAuth(user, password)
        return self.http.post("/v1/webhooks/billing", content=body, headers=headers, auth=auth)

    def run(self) -> Processed:
        self.installed.ruleset = _ruleset(self.installed.books)
        return process(self.installed, self.now)

    def snapshot(self) -> str | None:
        return self.installed.ledger.latest_id()

    def states(self) -> dict[str, int]:
        return counts(self.installed.database)

    def row(self, entity: str, system: str, key: str) -> Row:
        return self.reader.rows(entity, system)[key]

    def asked(self) -> dict[str, int]:
        """How often billing was asked for what."""
        return dict(self.systems.zuora.requests)

    def standing(self) -> list[tuple[Any, ...]]:
        """Positions and watermarks of every object, as the ledger has them."""
        said = (
            "SELECT system, object, stamp, record_id, token, watermark, deletions_from, census_at, polled_at, failure"
        )
        with self.installed.database.engine.connect() as connection:
            rows = connection.exec_driver_sql(f"{said} FROM sync_objects ORDER BY system, object")
            return [tuple(row) for row in rows]


_made: list[Ruleset] = []


def _ruleset(books: Books) -> Ruleset:
    """Of all checks two, made once: to put together all of them takes longer than a test, and the books are alike."""
    if not _made:
        chosen = [CATALOGUE[name] for name in ("invoice_not_in_erp", "broken_amendment_link")]
        _made.append(Ruleset(chosen, books))
    return _made[0]
