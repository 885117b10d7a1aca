"""owners.yaml: what is read, what is refused, and that the shipped one holds."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checks.contract import Owner, Severity
from gateway.exceptions.calendar import add
from gateway.exceptions.span import Span
from gateway.exceptions.terms import Terms
from gateway.owners.errors import OwnersError
from gateway.owners.hours import window
from gateway.owners.model import Owners
from gateway.owners.reading import load, parse
from tests.gateway.exceptions.queue_world import HOUR, NOW, owners, said

SHIPPED = Path(__file__).resolve().parents[3] / "owners.yaml"


def test_the_shipped_file_is_usable() -> None:
    shipped = load(SHIPPED)
    assert shipped.teams[shipped.roles[Owner.BILLING_OPS]].name == "Billing Operations"
    assert all(shipped.business_calendars)


def test_a_missing_file_and_no_yaml_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(OwnersError, match=r"There is no owners\.yaml"):
        load(tmp_path / "owners.yaml")
    (tmp_path / "owners.yaml").write_text("people: [")
    with pytest.raises(OwnersError, match="is not YAML"):
        load(tmp_path / "owners.yaml")


def changed(path: str, value: object) -> dict[str, Any]:
    """The sample with one part replaced, named by its keys: "teams.it.lead"."""
    whole = said()
    *way, last = path.split(".")
    part: Any = whole
    for key in way:
        part = part[int(key)] if isinstance(part, list) else part[key]
    part[int(last) if isinstance(part, list) else last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("people.ann.email", "ann", "is not an e-mail address"),
        ("people.ann.timezone", "Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("people.ann.away", [{"start": "2026-12-02", "until": "2026-12-02", "deputy": "bob"}], "ends before it begins"),
        ("people.ann.away", [{"start": "2026-12-02", "until": "2026-12-03", "deputy": "zed"}], "the person 'zed'"),
        ("people.ann.nickname", "A", "Extra inputs"),
        ("teams.it.lead", "zed", "The team it names the person 'zed', which is not defined."),
        ("teams.it.channels", ["fax"], "the channel 'fax'"),
        ("teams.it.calendar", "mars", "the calendar 'mars'"),
        ("teams.it.rota", {"start": "2026-12-01", "order": ["zed"]}, "the person 'zed'"),
        ("roles", {"it": "it"}, "The role billing_ops is given to no team"),
        ("roles.revops", "sales", "the team 'sales'"),
        ("channels.ops", {"kind": "pager", "url_env": "X"}, "pager"),
        ("calendars.east", [], "The calendar east has no hours at all."),
        ("calendars.east.0.hours", {"mon": ["17:00-09:00"]}, "do not end after they begin"),
        ("calendars.east.0.hours", {"mon": ["09:00-12:00", "11:00-17:00"]}, "overlap"),
        ("calendars.east.0.hours", {"mon": ["9-17"]}, "are no hours"),
        ("sla.S1.ack", "1 hour", "write 30m, 1h or 2bd"),
        ("sla.S1.ladder", "rope", "the ladder 'rope'"),
        ("ladders.quick.steps", [{"to": "person:zed", "after": "1h"}], "the person 'zed'"),
        ("ladders.quick.steps", [{"to": "role:sales", "after": "1h"}], "the role 'sales'"),
        ("ladders.quick.steps", [{"to": "boss", "after": "1h"}], "names nobody"),
        ("ladders.quick.steps", [{"to": "lead", "after": "1bd"}], "wall-clock ladder"),
        ("ladders.calm.steps", [{"to": "lead", "after": "0m"}], "time between its steps"),
        ("routes", [], "at least 1 item"),
        ("routes", [{"match": {}, "business": {"team": "sales"}}], "Route 1 names the team 'sales'"),
        ("version", 2, "version"),
    ],
)
def test_mistakes_are_refused_with_a_sentence(path: str, value: object, sentence: str) -> None:
    with pytest.raises(OwnersError, match=sentence):
        parse(changed(path, value))


def test_windows() -> None:
    assert window("09:00-24:00") == (540, 1440)
    for wrong in ("24:30-24:45", "09:00-09:00", "00:00-24:01"):
        with pytest.raises(ValueError, match=r"09:00|do not end"):
            window(wrong)


def test_terms_of_a_check_differ_where_it_says_so() -> None:
    world = said()
    world["sla"]["checks"] = {"source_stale": {"ack": "30m"}, "bill_to_incomplete": {"before_cut_off": True}}
    found = owners(**world)
    assert found.terms("source_stale").policies["S3"].ack == Span.parse("30m")
    assert found.terms("source_stale").policies["S3"].resolve == Span.parse("5bd")
    assert found.terms("bill_to_incomplete").policies["S3"].before_cut_off
    assert not found.terms("anything").policies["S3"].before_cut_off
    assert found.terms("anything").policies["S1"].before_cut_off


def test_terms_survive_their_document() -> None:
    terms = owners().terms("anything")
    assert Terms.from_document(terms.document) == terms
    assert Terms.from_document(terms.document).digest == terms.digest
    assert set(terms.policies) == set(Severity)


def test_a_lost_calendar_leads_to_its() -> None:
    found = owners()
    assert found.business_calendars["gone"] is found.business_calendars["east"]


def test_holidays_are_the_dates_in_the_file() -> None:
    world = said(holidays={"US": {date(2026, 12, 1): "A day off"}})
    world["calendars"]["east"][0]["holidays"] = ["US"]
    with_holiday: Owners = owners(**world)
    assert add(with_holiday.business_calendars["east"], NOW, Span.parse("1h")) == NOW + 24.5 * HOUR
