"""What is posted, signed, to a files source is a file of it, once, and in the books after the next poll."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from alerts.webhook import signature
from books.store import Store
from checks.ruleset import Ruleset
from gateway.api.v1 import create_api
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sync.run import sync_now
from sandbox.serving import LoopbackServer
from tests.tls import TLS

SECRET = "only-the-platform-knows-it"
ERROR = {"error_id": "E-1", "flow": "quotes", "status": "Open", "amount": 1200.50, "currency": "USD"}
CSV_MAPPING = """
connector: files
objects:
  lines:
    pattern: lines/*.csv
    key: id
    targets:
      - entity: integration_runs
        columns: {flow: flow}
"""


def later() -> datetime:
    """A moment at which a file that was written just now has been left alone for a while."""
    return datetime.now(UTC) + timedelta(seconds=60)


@pytest.fixture
def installed(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Installation:
    (tmp_path / "platform").mkdir()
    (tmp_path / "csv.yaml").write_text(CSV_MAPPING)
    files = {"connector": "files", "roles": ["integration"], "settings": {"folder": "platform"}}
    billing = {"connector": "zuora", "roles": ["billing"], "mapping": "zuora", "settings": {"base_url": "https://z"}}
    sources = {
        "platform": {**files, "mapping": "integrations"},
        "other": {**files, "mapping": "csv.yaml"},
        "closed": {**files, "mapping": "integrations"},
        "zuora": billing,
    }
    for source in ("PLATFORM", "OTHER", "ZUORA"):
        monkeypatch.setenv(f"TIEOUT_{source}_INBOX_SECRET", SECRET)
    installation = Installation(parse({"sources": sources, "books": "books"}, tmp_path), later)
    installation.database = database
    installation.ruleset = Ruleset((), installation.books)  # compiling the catalogue takes seconds, and nothing asks it
    installation.runs = {}
    return installation


class Sender:
    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, verify=TLS)

    def post(
        self, body: Any, path: str = "platform/errors", *, key: str | None = None, secret: str = SECRET
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Tieout-Signature": signature(secret.encode(), int(later().timestamp()), content)}
        headers |= {"Idempotency-Key": key} if key else {}
        return self._client.post(f"/v1/inbox/{path}", content=content, headers=headers)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def sender(installed: Installation) -> Iterator[Sender]:
    with LoopbackServer(create_api(installed)) as server:
        sender = Sender(server.url)
        yield sender
        sender.close()


def _files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "platform").rglob("*") if path.is_file())


def test_an_error_that_is_posted_is_in_the_books_after_the_next_poll(
    sender: Sender, installed: Installation, tmp_path: Path
) -> None:
    answer = sender.post({**ERROR, "record_key": "Q-7", "first_seen_at": "2026-11-30T08:00:00Z"})
    assert answer.status_code == 202
    (path,) = _files(tmp_path)
    assert answer.json() == {"records": 1, "file": f"errors/{path.name}", "repeated": False}
    report = sync_now(installed, names=["platform"])
    assert report.sources["platform"].failure is None
    (row,) = _rows(installed.store, "integration_errors")
    assert (row["key"], row["status"], str(row["amount"]), row["record_key"]) == ("E-1", "open", "1200.5000", "Q-7")
    assert row["raised_at"] == datetime(2026, 11, 30, 8, tzinfo=UTC)
    sender.post({**ERROR, "status": "Resolved"})
    sync_now(installed, names=["platform"])
    assert [row["status"] for row in _rows(installed.store, "integration_errors")] == ["resolved"]


def _rows(store: Store, entity: str) -> list[dict[str, Any]]:
    version = store.version(entity)
    assert version is not None
    rows: list[dict[str, Any]] = pq.read_table(store.files(entity, version)).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b'[{"error_id": "1"}, {"error_id": "2"}]', 2),
        (b'{"error_id": "1"}\n\n{"error_id": "2", "amount": 0.1}\n{"error_id": "3"}', 3),
        (b'\xef\xbb\xbf{\n "error_id": "1"\n}\n', 1),
        ('{"error_id": "é\\ud800"}'.encode(), 1),
    ],
)
def test_an_object_an_array_or_json_lines(sender: Sender, tmp_path: Path, body: bytes, records: int) -> None:
    assert sender.post(body).json()["records"] == records
    (path,) = _files(tmp_path)
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == records


def test_what_is_sent_again_is_taken_once(sender: Sender, tmp_path: Path) -> None:
    first, again = sender.post(ERROR), sender.post(ERROR)
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert first.json()["file"] == again.json()["file"]
    assert (again.status_code, len(_files(tmp_path))) == (202, 1)
    changed = _files(tmp_path)[0].stat().st_mtime_ns
    sender.post(ERROR)
    assert _files(tmp_path)[0].stat().st_mtime_ns == changed


def test_an_idempotency_key_stands_for_one_body(sender: Sender, tmp_path: Path) -> None:
    assert sender.post(ERROR, key="k-1").json()["repeated"] is False
    assert sender.post(ERROR, key="k-1").json()["repeated"] is True
    assert sender.post(ERROR, key="k-2").json()["repeated"] is False
    conflict = sender.post({**ERROR, "flow": "other"}, key="k-1")
    assert (conflict.status_code, conflict.json()["type"]) == (409, "urn:tieout:problem:idempotency-conflict")
    assert len(_files(tmp_path)) == 2


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "line 1, position 1"),
        (b'{"a": 1', "line 1, position 8"),
        (b'[{"a": 1},\n {"a" 2}]', "line 2, position 7"),
        (b'{"a": 1}\n{"a": 2}\n{"a" 3}\n', "line 3, position 6"),
        (b'{"a": 1}\n[]\n', "line 2, position 1"),
        (b'[{"a": 1}, 7]', "line 1, position 1"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "line 2, position 8"),
        (b'{"a": NaN}', "line 1, position 1"),
        (b"[" * 100_000, "line 1, position 1"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_its_place(
    sender: Sender, tmp_path: Path, body: bytes, where: str
) -> None:
    answer = sender.post(body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert where in answer.json()["detail"]
    assert _files(tmp_path) == []


def test_no_record_is_no_news(sender: Sender) -> None:
    assert sender.post([]).status_code == 400


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("nobody/errors", 404, "There is no such inbox."),
        ("platform/nothing", 404, "has no object 'nothing'; it has runs, errors"),
        ("zuora/invoice", 409, "zuora is a zuora source"),
        ("closed/errors", 404, "There is no such inbox."),
        ("other/lines", 409, "lines reads lines/*.csv"),
    ],
)
def test_a_place_that_takes_nothing(sender: Sender, path: str, status: int, sentence: str) -> None:
    answer = sender.post(ERROR, path)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True)


def test_a_wrong_signature_writes_nothing(sender: Sender, tmp_path: Path) -> None:
    answer = sender.post(ERROR, secret="somebody else's")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:tieout:problem:signature-refused")
    assert answer.headers["www-authenticate"].startswith("Tieout-Signature")
    assert SECRET not in answer.text
    assert _files(tmp_path) == []


def test_a_stranger_learns_nothing_about_sources(sender: Sender) -> None:
    paths = ("platform/errors", "platform/nothing", "zuora/invoice", "other/lines")
    answers = {sender.post(ERROR, path, secret="somebody else's").text for path in paths}
    assert len(answers) == 1
    assert "signature-refused" in answers.pop()


def test_a_folder_that_cannot_be_written_is_said_at_once(sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "platform" / "errors").write_text("in the way")
    answer = sender.post(ERROR)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
