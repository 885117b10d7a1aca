"""What the doctor finds, and what it says to do about it."""

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from connectors.contract import Limit
from connectors.errors import LoginRefused
from gateway.cli.doctor import _print
from gateway.cli.shared import out
from gateway.config import parse
from gateway.db.session import Database
from gateway.doctor.examine import examine
from gateway.doctor.finding import Finding, Level
from gateway.errors import ConfigError
from gateway.installation import Installation
from tests.gateway.sync.memory import FIELDS, MemoryInstallation, filled, is_down, is_hidden

SECRET = "only-the-environment-knows"


class Doorstep(BaseHTTPRequestHandler):
    """Answers every HEAD with a refusal, which is an answer."""

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Doorstep) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def installed(tmp_path: Path, database: Database, address: str, monkeypatch: pytest.MonkeyPatch) -> MemoryInstallation:
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET"):
        monkeypatch.setenv(f"TIEOUT_MEM_{name}", SECRET)
    memory = filled()
    memory.used = (Limit("requests a day", 10, 100),)
    opened = MemoryInstallation(tmp_path, database, memory, settings={"base_url": address})
    opened.sync()
    return opened


def found(installed: Installation, topic: str, level: Level = Level.FAIL) -> list[Finding]:
    return [finding for finding in examine(installed) if (finding.topic, finding.level) == (topic, level)]


def test_all_is_well(installed: MemoryInstallation) -> None:
    findings = list(examine(installed))
    assert {finding.level for finding in findings} == {Level.OK}
    topics = {finding.topic for finding in findings}
    assert topics == {
        "database",
        "books",
        "settings",
        "reach",
        "login",
        "clock",
        "permissions",
        "fields",
        "limits",
        "freshness",
        "last poll",
        "rejects",
    }
    with out.capture() as printed:
        _print(findings)
    assert "0 to watch, 0 to mend." in printed.get()
    assert SECRET not in printed.get()


def test_a_missing_secret_is_named_and_nothing_is_asked(
    installed: MemoryInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIEOUT_MEM_CONSUMER_KEY")
    installed.memory.asked.clear()
    (finding,) = found(installed, "settings")
    assert finding.text == "1 of the settings that it needs is missing."
    assert "TIEOUT_MEM_CONSUMER_KEY" in finding.advice
    assert "TIEOUT_MEM_CONSUMER_SECRET" not in finding.advice
    assert installed.memory.asked == []


def test_an_address_that_nobody_answers_ends_the_visit(
    installed: MemoryInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_MEM_BASE_URL", "http://127.0.0.1:9")
    installed.memory.asked.clear()
    (finding,) = found(installed, "reach")
    assert finding.text == "127.0.0.1 gave no answer (ConnectError)."
    assert installed.memory.asked == []
    assert found(installed, "freshness", Level.OK), "what the database knows is told all the same"


def test_a_source_that_is_down_is_asked_once(installed: MemoryInstallation) -> None:
    installed.memory.down = is_down()
    installed.memory.asked.clear()
    (finding,) = found(installed, "login")
    assert finding.text == "mem: the system gave no answer."
    assert "Wait" in finding.advice
    assert installed.memory.asked == ["source_time"]


def test_one_that_goes_down_on_the_way_is_left_alone_from_there(installed: MemoryInstallation) -> None:
    installed.memory.refused["Bill"] = is_down()
    installed.memory.asked.clear()
    assert len(found(installed, "permissions")) == 1
    assert installed.memory.asked[-1] == "fields Bill"


def test_a_refused_login_says_where_the_credentials_come_from(installed: MemoryInstallation) -> None:
    installed.memory.down = LoginRefused("mem refused the login.")
    (finding,) = found(installed, "login")
    assert "TIEOUT_MEM_CONSUMER_SECRET" in finding.advice
    assert SECRET not in str(finding)


def test_an_object_that_may_not_be_read_is_one_line(installed: MemoryInstallation) -> None:
    installed.memory.refused["Bill"] = is_hidden("Bill")
    (finding,) = found(installed, "permissions")
    assert finding.text == "Bill: mem does not show Bill."
    (others,) = found(installed, "permissions", Level.OK)
    assert others.text == "2 of 3 objects can be read."


def test_a_mapped_field_that_is_not_there_says_what_it_fills(installed: MemoryInstallation) -> None:
    installed.memory.describe("Bill", **{name: kind for name, kind in FIELDS["Bill"].items() if name != "Total"})
    (finding,) = found(installed, "fields")
    assert finding.text == (
        "Bill has no Total that the integration user sees; it fills invoices.total, credit_memos.amount."
    )


@pytest.mark.parametrize(("minutes", "level"), [(5, Level.OK), (-5, Level.OK), (6, Level.WARN), (-6, Level.WARN)])
def test_clocks_may_differ_a_little(installed: MemoryInstallation, minutes: int, level: Level) -> None:
    installed.memory.ahead = timedelta(minutes=minutes)
    assert len(found(installed, "clock", level)) == 1


@pytest.mark.parametrize(("used", "level"), [(79, Level.OK), (80, Level.WARN), (99, Level.WARN), (100, Level.FAIL)])
def test_limits_that_run_out(installed: MemoryInstallation, used: int, level: Level) -> None:
    installed.memory.used = (Limit("requests a day", used, 100),)
    (finding,) = found(installed, "limits", level)
    assert finding.text == f"requests a day: {used} of 100 used."


def test_what_the_sync_remembers(installed: MemoryInstallation) -> None:
    installed.memory.put("Bill", "B9", Number="INV-9", Customer="C0", Total="much", Kind="Invoice")
    installed.sync()
    installed.memory.refused["Note"] = is_hidden("Note")
    installed.sync()
    installed.memory.forward(hours=2)
    (stale,) = found(installed, "freshness")
    assert stale.text.startswith("Each of the 4 entities was last read at 2026-12-01 09:30 UTC")
    (failed,) = found(installed, "last poll")
    assert failed.text == "Note: mem does not show Note."
    (rejected,) = found(installed, "rejects", Level.WARN)
    assert rejected.text == "1 record is not in the books."


def test_before_the_first_sync(tmp_path: Path, database: Database, installed: MemoryInstallation) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    with database.session() as session:
        session.connection().exec_driver_sql("TRUNCATE snapshots, sync_objects")
    assert [f.advice for f in found(installed, "freshness", Level.WARN)] == ["Run `tieout sync --source mem`."]


def test_a_clock_that_is_put_ahead_is_told(installed: MemoryInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_DEMO_CLOCK_AHEAD_S", "3600")
    (told,) = (finding for finding in found(installed, "clock", Level.WARN) if not finding.source)
    assert told.text == "TIEOUT_DEMO_CLOCK_AHEAD_S puts it +3,600 s off this machine's: stale may pass for fresh."


def test_a_watermark_ahead_of_our_clock_is_not_mended_by_reading(installed: MemoryInstallation) -> None:
    installed.memory.forward(hours=2)
    installed.sync()
    installed.memory.forward(hours=-2)
    (finding,) = found(installed, "freshness")
    assert "ahead of our clock" in finding.text
    assert "NTP" in finding.advice


def test_login_of_connectors_that_need_whole_logins_is_settled_before_settings_are_good(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_ERP_CLIENT_ID", "half-a-login")
    settings = {"account_id": "1234567"}
    source = {"connector": "netsuite", "roles": ["erp"], "mapping": "netsuite", "settings": settings}
    halved = Installation(parse({"sources": {"erp": source}}, tmp_path))
    halved.database = database
    (finding,) = [finding for finding in examine(halved) if finding.topic == "settings"]
    assert finding.level is Level.FAIL
    assert "TIEOUT_ERP_CERTIFICATE_ID" in finding.advice


def test_a_database_that_does_not_answer_is_a_line_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.setenv("TIEOUT_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1:9/none")
    source = {"connector": "files", "roles": ["usage"], "mapping": "metering", "settings": {"folder": "in"}}
    installed = Installation(parse({"sources": {"meter": source}}, tmp_path))
    findings = list(examine(installed))
    assert (findings[0].topic, findings[0].level) == ("database", Level.FAIL)
    assert SECRET not in str(findings)
    assert {finding.topic for finding in findings} >= {"books", "settings", "reach"}
    assert "freshness" not in {finding.topic for finding in findings}


def test_an_unknown_source(installed: MemoryInstallation) -> None:
    with pytest.raises(ConfigError, match="has no source 'men'; it has: mem"):
        list(examine(installed, ["men"]))
