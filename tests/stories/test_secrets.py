"""A bad day at every kind of source: what was written anywhere tells what went wrong, and no secret."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.registry import needs
from gateway.db.session import Database
from gateway.source_settings import variable
from sandbox.faults import Cut, Exchange, Reply, Reset, Short, Strike, too_many, unavailable
from sandbox.netsuite import make_key_pair
from sandbox.serving import LoopbackServer
from sandbox.slack_sink import PATH, SlackSink
from sandbox.smtp_sink import SmtpSink
from sandbox.webhook_sink import WebhookSink
from tests.connectors.contract.source import ContractSource
from tests.connectors.contract.sources import SERVED, SOURCES

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[2]
HOOK_SECRET = "hook-secret-8c41f0"
MAIL_SECRET = "mail-secret-1d07b2"
SLACK_SECRET = PATH.rpartition("/")[2]
SESSION = "session-2e9b60f4"
WRONG = "wrong-secret-40b1aa"
ROLES = ("crm", "billing", "erp", "usage")
STRIKES: tuple[Strike, ...] = (too_many(), unavailable(), Cut(), Short(), Reset(), Reset(done=True))
# What a secret looks like whose letters nobody knows beforehand: a header, a signed assertion, a signature, a key.
SHAPES = (
    re.compile(r"\b(?:Bearer|Basic|OAuth) [A-Za-z0-9+/=._~!-]{8,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    re.compile(r"oauth_signature|client_assertion=|<[^<>]*signature[^<>]*>[A-Za-z0-9+/=]{8,}<", re.IGNORECASE),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)


@dataclass(frozen=True)
class Echo:
    """A refusal that quotes the credential, in the words of whatever vendor."""

    listed: bool

    async def __call__(self, exchange: Exchange) -> None:
        headers = dict(exchange.scope["headers"])
        said = headers.get(b"authorization", b"").decode()
        words = dict.fromkeys(("message", "faultMessage", "title", "detail", "ErrorText", "error_description"), said)
        body: Any = {**words, "faultCode": "X", "o:errorDetails": [words], "error": {"message": said}}
        if self.listed:
            body = [{"errorCode": "X", "message": said}]
        await Reply(400, json.dumps(body), "application/json")(exchange)


class Collector:
    """An OTLP endpoint that keeps what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        app = Starlette(routes=[Route("/{rest:path}", self._take, methods=["POST"])])
        self.server = LoopbackServer(app)

    async def _take(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return Response(status_code=200)


class Day:
    """Every kind of source, those with a server once more with wrong secrets, and where everything is told."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._stack = ExitStack()
        self.folder = folder
        self.sources: dict[str, ContractSource] = {}
        for name, make in SOURCES.items():
            (folder / name).mkdir()
            self.sources[name] = make(lambda: datetime.now(UTC), folder / name)
            self._stack.callback(self.sources[name].close)
        self.slack = self._stack.enter_context(SlackSink())
        self.mail = self._stack.enter_context(SmtpSink())
        self.hook = self._stack.enter_context(WebhookSink())
        self.collector = Collector()
        self._stack.enter_context(self.collector.server)
        self._wrong = {name: _wrong(self.sources[name].secrets()) for name in SERVED}
        self._environment = self._told(database_url)
        self._config = folder / "tieout.yaml"
        self._config.write_text(yaml.safe_dump(self._settings(), sort_keys=False), encoding="utf-8")
        shutil.copy(ROOT / "owners.yaml", folder / "owners.yaml")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> str:
        """Break everything, and let a process of its own go through it; returns what that printed and logged."""
        for name, source in self.sources.items():
            for number in range(12):
                source.put(number, f"text {number}")
            source.faults.headers["set-cookie"] = f"JSESSIONID={SESSION}; Path=/; HttpOnly"
            for arm in source.mishaps().values():
                arm()
            for place, strike in enumerate(STRIKES):
                source.faults.add(strike, after=3 * place + len(name))
            source.faults.add(Echo(listed=source.kind == "salesforce"), after=5, times=2)
        process = [sys.executable, "-m", "tests.stories.faulty_run", str(self._config)]
        done = subprocess.run(
            process, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=560, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr

    def secrets(self) -> set[str]:
        """Everything that nobody may read, a key line by line."""
        given = [source.secrets() for source in self.sources.values()] + list(self._wrong.values())
        lines = {line for secrets in given for value in secrets.values() for line in value.splitlines()}
        shown = {value for source in self.sources.values() for value in source.faults.credentials}
        tokens = {word for value in shown for word in re.split(r"[ ,]", value)}
        return {word for word in lines | tokens | {HOOK_SECRET, MAIL_SECRET, SLACK_SECRET, SESSION} if len(word) > 7}

    def _told(self, database_url: str) -> dict[str, str]:
        environment = {
            "PATH": os.environ["PATH"],
            "TIEOUT_DATABASE_URL": database_url,
            "TIEOUT_SMTP_PASSWORD": MAIL_SECRET,
            "TIEOUT_IT_WEBHOOK_URL": self.hook.url,
            "TIEOUT_IT_WEBHOOK_SECRET": HOOK_SECRET,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.server.url,
        }
        environment |= dict.fromkeys(
            ("TIEOUT_SLACK_IT", "TIEOUT_SLACK_REVOPS", "TIEOUT_SLACK_BILLING"), self.slack.webhook_url
        )
        for name, source in self.sources.items():
            environment |= {variable(name, key): value for key, value in source.secrets().items()}
        for name, secrets in self._wrong.items():
            environment |= {variable(f"{name}-wrong", key): value for key, value in secrets.items()}
        return environment

    def _settings(self) -> dict[str, Any]:
        sources = {name: self._source(name) for name in SOURCES}
        sources |= {f"{name}-wrong": self._source(name) for name in SERVED}
        mail = {"host": self.mail.host, "port": self.mail.port}
        return {"sources": sources, "mail": mail, "books": "books", "state": "state"}

    def _source(self, name: str) -> dict[str, Any]:
        source = self.sources[name]
        (self.folder / f"{name}.yaml").write_text(source.mapping, encoding="utf-8")
        settings = dict(source.settings())
        if "retries" in needs(source.kind):
            settings["retries"] = {"attempts": 3, "first_wait_s": 0.01, "budget_s": 1.0}
        said = {"connector": source.kind, "mapping": f"{name}.yaml", "settings": settings}
        return {**said, "roles": [ROLES[len(name) % len(ROLES)]], "census_hours": 0}


def _wrong(secrets: Mapping[str, str]) -> dict[str, str]:
    """Secrets of the right form that open nothing."""
    key = make_key_pair("ES256")[0]
    return {name: key if "PRIVATE KEY" in value else f"{WRONG}-{name}" for name, value in secrets.items()}


@pytest.fixture
def day(tmp_path: Path, database_url: str) -> Iterator[Day]:
    with Day(tmp_path, database_url) as made:
        yield made


def everything_in(database: Database) -> str:
    """All rows of all tables, as text."""
    with database.engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        rows = (str(row) for name in tables for row in connection.execute(text(f'SELECT * FROM "{name}"')))
        return "\n".join(rows)


def everything_below(folder: Path) -> str:
    """All files, with their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "\n".join(f"{path}\n{path.read_bytes().decode('latin-1')}" for path in files)


def told(mail: EmailMessage) -> str:
    """A mail as it was sent, and its texts as they are read."""
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(mail), *parts])


def test_a_bad_day_is_told_and_no_secret_of_it(day: Day, database: Database) -> None:
    printed = day.run()
    written = {
        "the output and the logs": printed,
        "the traces and the metrics": b"".join(day.collector.bodies).decode("latin-1"),
        "the database": everything_in(database),
        "the files": everything_below(day.folder),
        "Slack": json.dumps(day.slack.messages),
        "the mails": "".join(told(message) for message in day.mail.messages),
        "the webhooks": "".join(delivery.body.decode() for delivery in day.hook.deliveries),
    }
    tells_what_went_wrong(written)
    secrets = day.secrets()
    assert len(secrets) > 3 * len(SERVED), "no credentials were seen on the way"
    leaks = [(place, secret) for place, said in written.items() for secret in secrets if secret in said]
    leaks += [(place, found[0]) for place, said in written.items() for shape in SHAPES if (found := shape.search(said))]
    assert leaks == []


def tells_what_went_wrong(written: Mapping[str, str]) -> None:
    """A run that wrote nothing would hold no secret either."""
    printed = written["the output and the logs"]
    assert "DEBUG:__main__:Every logger speaks." in printed
    assert "sync.object" in written["the traces and the metrics"]
    assert "connector.retries" in written["the traces and the metrics"]
    for name in SERVED:
        refused = re.compile(rf"{name}-wrong\b.*refuse", re.IGNORECASE)
        assert refused.search(printed), name
        assert refused.search(written["the database"]), name
    assert "EXC-1" in printed
    assert "(withheld)" in printed, "no source quoted what it was shown"
    for place in ("the mails", "Slack", "the webhooks"):
        assert "-wrong" in written[place], place
