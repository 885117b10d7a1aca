"""What is asked of Salesforce beside the walk: records by key, counts, fields; and queries that take too long."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from connectors.contract import Position, SourceField
from connectors.errors import CursorLost, MappingError, SchemaChanged, TransientError
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from connectors.salesforce.soql import Select, chunks, text
from sandbox.faults import Again, Reply
from sandbox.salesforce import SalesforceOrg, SalesforceServer, make_id
from tests.connectors.conftest import NOON, Clock
from tests.connectors.salesforce_org import LINES, connected, ids, line_org

TIMEOUT = Reply(400, '[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]')
FORMULAS = LINES.replace("modified: SystemModstamp", "modified: SystemModstamp\n    reread_hours: 24")


@pytest.fixture
def org(clock: Clock) -> SalesforceOrg:
    return line_org(clock)


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[SalesforceServer]:
    with SalesforceServer(org) as running:
        yield running


@pytest.fixture
def connector(server: SalesforceServer, clock: Clock, retries: RetryPolicy) -> Iterator[Salesforce]:
    with connected(server.url, clock, retries) as opened:
        yield opened


def test_records_by_key(server: SalesforceServer, org: SalesforceOrg, connector: Salesforce) -> None:
    made = [org.put("Line__c", {"Quantity__c": n}) for n in range(1_000)]
    org.remove("Line__c", made[3])
    asked = [*made[:900], made[0], make_id("a00", 99_999), "no id", "it's"]
    found = [record for records in connector.fetch("Line__c", asked) for record in records]
    assert sorted(record["Id"] for record in found) == sorted({*made[:900]} - {made[3]})
    assert {record["Quantity__c"] for record in found} > {"0.0", "899.0"}
    assert server.requests["query"] == 3
    assert list(connector.fetch("Line__c", [])) == []


def test_records_by_key_obey_the_filter_and_small_pages(org: SalesforceOrg, clock: Clock, retries: RetryPolicy) -> None:
    made = [org.put("Line__c", {"Months__c": n % 2}) for n in range(20)]
    filtered = LINES.replace("key: Id", "key: Id\n    filter: Months__c = 1 OR Months__c = 7")
    with SalesforceServer(org, page_size=3) as small, connected(small.url, clock, retries, filtered) as connector:
        found = [record["Id"] for records in connector.fetch("Line__c", made) for record in records]
        assert connector.count("Line__c") == 10
    assert sorted(found) == sorted(made[1::2])


@pytest.mark.parametrize(
    ("key", "asked", "expected"),
    [
        ("Note__c", ["it's \\ here", "", "x"], {"it's \\ here"}),
        ("Months__c", ["7", "1 OR 1=1", "7.0"], {"it's \\ here"}),
        ("Months__c\n      - Note__c", ["7/it's \\ here", "7/other", "7"], {"it's \\ here"}),
    ],
)
def test_other_keys_than_ids(
    server: SalesforceServer,
    org: SalesforceOrg,
    clock: Clock,
    retries: RetryPolicy,
    key: str,
    asked: list[str],
    expected: set[str],
) -> None:
    for number, note in ((7, "it's \\ here"), (8, "another")):
        org.put("Line__c", {"Months__c": number, "Note__c": note})
    listed = f"key:\n      - {key}" if "\n" in key else f"key: {key}"
    with connected(server.url, clock, retries, LINES.replace("key: Id", listed)) as connector:
        found = [record["Note__c"] for records in connector.fetch("Line__c", asked) for record in records]
    assert set(found) == expected


def test_a_url_is_never_too_long() -> None:
    select = Select("Line__c", tuple(f"A_field_with_a_long_name_{n}__c" for n in range(60)), "Id")
    literals = [text(make_id("a00", n)) for n in range(5_000)]
    parts = list(chunks(select, literals))
    asked = [part.page(Position(id=make_id("a00", 1))) for part in parts]
    assert sum(soql.count("'a00") for soql in asked) == 5_000 + len(parts)
    assert max(map(len, asked)) < 16_000
    assert all(literal in soql for soql, literal in zip(asked, literals[:1], strict=False))


def test_fields_tell_formulas_and_values(org: SalesforceOrg, connector: Salesforce) -> None:
    org.define("Line__c", {"Net__c": "double(formula)", "Kind__c": "picklist(One|Two)", "On__c": "boolean"})
    found = {field.name: field for field in connector.fields("Line__c")}
    assert found["Net__c"] == SourceField("Net__c", "double(formula)")
    assert found["Kind__c"] == SourceField("Kind__c", "picklist", values=("One", "Two"))
    assert found["On__c"] == SourceField("On__c", "boolean", nullable=False)
    assert found["Id"] == SourceField("Id", "id", nullable=False)
    org.hide("Line__c", "Net__c")
    assert "Net__c" not in {field.name for field in connector.fields("Line__c")}


def test_an_object_that_is_hidden_is_said_and_never_empty(org: SalesforceOrg, connector: Salesforce) -> None:
    org.put("Line__c", {})
    (page,) = connector.changes("Line__c", None)
    org.hide("Line__c")
    for asking in (
        lambda: list(connector.changes("Line__c", page.position)),
        lambda: list(connector.census("Line__c")),
        lambda: connector.count("Line__c"),
        lambda: connector.fields("Line__c"),
        lambda: list(connector.deletions("Line__c", NOON)),
    ):
        with pytest.raises(SchemaChanged, match="Give the integration user access"):
            asking()
    org.show("Line__c")
    assert connector.count("Line__c") == 1


def _hide(org: SalesforceOrg) -> None:
    org.hide("Line__c", "Note__c")


def _show(org: SalesforceOrg) -> None:
    org.show("Line__c", "Note__c")


def _rename(org: SalesforceOrg) -> None:
    org.rename("Line__c", "Note__c", "Notes__c")


def _rename_back(org: SalesforceOrg) -> None:
    org.rename("Line__c", "Notes__c", "Note__c")


@pytest.mark.parametrize(("change", "undo"), [(_hide, _show), (_rename, _rename_back)])
def test_a_field_that_is_hidden_or_renamed_overnight(
    server: SalesforceServer,
    org: SalesforceOrg,
    clock: Clock,
    retries: RetryPolicy,
    change: Callable[[SalesforceOrg], None],
    undo: Callable[[SalesforceOrg], None],
) -> None:
    org.put("Line__c", {"Note__c": "kept"})
    change(org)
    with (
        connected(server.url, clock, retries) as connector,
        pytest.raises(SchemaChanged, match="does not show Note__c of Line__c"),
    ):
        list(connector.changes("Line__c", None))
    undo(org)
    with connected(server.url, clock, retries) as connector:
        (page,) = connector.changes("Line__c", None)
    assert page.records[0]["Note__c"] == "kept"


def test_a_row_that_commits_after_its_stamp(org: SalesforceOrg, connector: Salesforce, clock: Clock) -> None:
    late = org.put_uncommitted("Line__c", {})
    clock.forward(minutes=5)
    first = org.put("Line__c", {})
    (page,) = connector.changes("Line__c", None)
    assert [record["Id"] for record in page.records] == [first]
    clock.forward(minutes=3)
    org.commit()
    assert late in ids(list(connector.changes("Line__c", page.position)))


def test_a_query_that_takes_too_long_is_asked_for_less(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce
) -> None:
    old = [org.put("Line__c", {"SystemModstamp": NOON - timedelta(days=n)}) for n in range(30)]
    server.faults.add(TIMEOUT, path="/query", times=4)
    position = Position(NOON - timedelta(days=29))
    pages = list(connector.changes("Line__c", position))
    assert sorted(ids(pages)) == sorted(old)
    # A sixteenth of the time each, the first of which began with the look-back.
    assert 16 <= server.requests["query"] <= 18


def test_a_first_load_that_takes_too_long_is_a_bulk_job(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce
) -> None:
    made = [org.put("Line__c", {}) for _ in range(3)]
    server.faults.add(TIMEOUT, path="/query", times=1)
    assert sorted(ids(list(connector.changes("Line__c", None)))) == made
    assert server.requests["bulk_create"] == 1


def test_a_query_that_cannot_be_smaller_is_tried_again(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce, waits: list[float]
) -> None:
    org.put("Line__c", {})
    server.faults.add(TIMEOUT, path="/query", times=1)
    assert connector.count("Line__c") == 1
    assert len(waits) == 1
    server.faults.add(TIMEOUT, path="/query", times=None)
    with pytest.raises(TransientError, match="QUERY_TIMEOUT"):
        list(connector.census("Line__c"))


def test_formulas_are_read_again_after_a_day(
    server: SalesforceServer, org: SalesforceOrg, clock: Clock, retries: RetryPolicy
) -> None:
    line = org.put("Line__c", {"Quantity__c": 1})
    with connected(server.url, clock, retries, FORMULAS) as connector:
        (page,) = connector.changes("Line__c", None)
        # A formula recalculates: another value under the old stamp.
        clock.forward(hours=12)
        org.put("Line__c", {"Id": line, "Quantity__c": 2, "SystemModstamp": NOON})
        new = org.put("Line__c", {})
        (page,) = connector.changes("Line__c", page.position)
        assert [record["Id"] for record in page.records] == [line, new]
        clock.forward(hours=11)
        later = list(connector.changes("Line__c", page.position))
        assert ids(later) == [new]
        clock.forward(hours=1)
        (page,) = connector.changes("Line__c", later[-1].position)
        assert {record["Id"]: record["Quantity__c"] for record in page.records} == {line: "2.0", new: None}
        clock.forward(hours=23)
        assert ids(list(connector.changes("Line__c", page.position))) == [new]


@pytest.mark.parametrize("hours", ["0", "soon", "-3", "true"])
def test_a_wrong_reread_is_an_error_of_the_mapping(clock: Clock, hours: str) -> None:
    wrong = LINES.replace("key: Id", f"key: Id\n    reread_hours: {hours}")
    with pytest.raises(MappingError, match="reread_hours"):
        Salesforce(SalesforceConfig("https://acme.my.salesforce.com", "k", "s"), parse(wrong), clock)


@pytest.mark.parametrize(("path", "after"), [("/query", 0), ("/query", 1), ("/deleted", 0)])
def test_an_answer_that_belongs_to_an_earlier_question(
    server: SalesforceServer, org: SalesforceOrg, clock: Clock, retries: RetryPolicy, path: str, after: int
) -> None:
    """A proxy that repeats itself costs a poll at most; nothing wrong is taken from it."""
    first, second = org.put("Line__c", {}), org.put("Line__c", {})
    with connected(server.url, clock, retries) as connector:
        connector.count("Line__c")
        list(connector.deletions("Line__c", NOON))
        org.remove("Line__c", first)
        clock.forward(hours=1)
        server.faults.add(Again(), path=path, after=after)
        assert set(connector.deletions("Line__c", NOON)) == {first}
        server.faults.clear()
        server.faults.add(Again(), path=path, after=after)
        found = [record["Id"] for records in connector.census("Line__c") for record in records]
    assert found == [second]


def test_a_page_without_records_that_is_not_the_last_is_not_the_end(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce
) -> None:
    org.put("Line__c", {})
    position = list(connector.changes("Line__c", None))[-1].position
    org.put("Line__c", {})
    more = '{"totalSize":2,"done":false,"records":[],"nextRecordsUrl":"/services/data/v67.0/query/01g1-0"}'
    server.faults.add(Reply(200, more, "application/json"), path="/query")
    assert [len(page.records) for page in connector.changes("Line__c", position)] == [2]


@pytest.mark.parametrize(
    "reply", ['{"totalSize":1,"done":true,"records":["odd"]}', '["odd"]', '"odd"', "[" * 100_000], ids=range(4)
)
def test_a_reply_of_another_shape_is_asked_for_again(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce, reply: str
) -> None:
    org.put("Line__c", {})
    server.faults.add(Reply(200, reply, "application/json"), path="/query")
    assert [len(page.records) for page in connector.changes("Line__c", None)] == [1]


def test_a_census_that_is_not_whole_is_not_believed(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce
) -> None:
    for _ in range(5):
        org.put("Line__c", {})
    partly = '{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Line__c"},"Id":"a00000000000003AAA"}]}'
    server.faults.add(Reply(200, partly, "application/json"), path="/query", after=1)
    with pytest.raises(TransientError, match="gave 1 records of Line__c and counts 5"):
        list(connector.census("Line__c"))
    nothing = '{"totalSize":0,"done":true,"records":[]}'
    server.faults.add(Reply(200, nothing, "application/json"), path="/query")
    with pytest.raises(TransientError, match="gave 0 records of Line__c and counts 5"):
        list(connector.changes("Line__c", None))


def test_a_list_of_deletions_that_lags_behind_is_said(
    server: SalesforceServer, org: SalesforceOrg, connector: Salesforce, clock: Clock
) -> None:
    gone = org.put("Line__c", {})
    org.remove("Line__c", gone)
    clock.forward(hours=2)
    lagging = (
        '{"deletedRecords":[],"earliestDateAvailable":"2026-11-20T00:00:00.000+0000",'
        '"latestDateCovered":"2026-12-01T12:30:00.000+0000"}'
    )
    server.faults.add(Reply(200, lagging, "application/json"), path="/deleted", times=None)
    found: list[str] = []
    with pytest.raises(CursorLost, match="after 2026-12-01 12:30"):
        found.extend(connector.deletions("Line__c", NOON))
    assert found == [gone]
