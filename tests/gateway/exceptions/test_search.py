"""The list and the file of a case."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from checks.contract import MoneyKind, Severity
from checks.findings import Record
from checks.judging import Bands
from gateway.db.session import Database
from gateway.exceptions.actions import Acting, acknowledge, resolve
from gateway.exceptions.clocks import ClockState
from gateway.exceptions.errors import CaseUnknown
from gateway.exceptions.queue import take_in
from gateway.exceptions.search import Page, Query, Sort, Total, case_file, clocks_of, search
from gateway.exceptions.states import Resolution
from tests.gateway.exceptions.queue_world import DAY, HOUR, NOW, OWNERS, STALE, context, failed, finding

NETSUITE = Record("netsuite", "invoices", "77")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Four cases: two leaks in dollars, one overbilling in euros, and a stale source."""
    with database.session() as opened:
        found = failed(
            finding("old", amount="100.00", fails_from=NOW - 100 * DAY),
            finding("large", amount="4000.00", fails_from=NOW - DAY, severity=Severity.S1),
            finding("euro", amount="900.00", currency="EUR", kind=MoneyKind.OVERBILL, record=NETSUITE),
        )
        stale = failed(finding("metering", of=STALE, amount="0.00", currency=None, account_key=None), of=STALE)
        bands = Bands(rates={"EUR": Decimal(2)})
        take_in(opened, [found, stale], context(NOW, bands=bands, names={"A-large": "100% Acme_Co"}), NOW)
        yield opened


def subjects(page: Page) -> list[str]:
    return [case.subject for case in page.cases]


def test_the_most_dollar_days_come_first(session: Session) -> None:
    # 100 × 100 days; 900 EUR at 2 × 3 days; 4,000 × 1 day.
    assert subjects(search(session, Query(), NOW)) == ["old", "euro", "large", "metering"]


def test_totals_never_mix_currencies_or_kinds(session: Session) -> None:
    totals = search(session, Query(per_page=1), NOW).totals
    assert set(totals) == {
        Total("USD", "leak", 2, Decimal("4100.0000")),
        Total("EUR", "overbill", 1, Decimal("900.0000")),
        Total(None, "leak", 1, Decimal("0.0000")),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(severity=("S1",)), ["large"]),
        (Query(check=("source_stale",)), ["metering"]),
        (Query(system=("netsuite",)), ["euro"]),
        (Query(account=("A-old", "A-euro")), ["old", "euro"]),
        (Query(money_kind=("overbill",)), ["euro"]),
        (Query(owner=("ann",)), ["old", "euro", "large"]),
        (Query(owner=("ida",)), ["old", "euro", "large", "metering"]),
        (Query(team=("billing",)), ["old", "euro", "large"]),
        (Query(state=("verified",)), []),
        (Query(text="100% acme_"), ["large"]),
        (Query(text="A-ol_"), []),
        (Query(sort=Sort.AMOUNT), ["large", "euro", "old", "metering"]),
        (Query(sort=Sort.SEVERITY), ["large", "euro", "old", "metering"]),
        (Query(owner=("ann",), severity=("S2",)), ["old", "euro"]),
    ],
)
def test_searching(session: Session, query: Query, found: list[str]) -> None:
    assert subjects(search(session, query, NOW)) == found


def test_a_reference_finds_its_case(session: Session) -> None:
    case = search(session, Query(check=("source_stale",)), NOW).cases[0]
    assert subjects(search(session, Query(text=case.reference.lower()), NOW)) == ["metering"]


def test_due_sorts_by_the_earliest_deadline_that_still_runs(session: Session) -> None:
    assert subjects(search(session, Query(sort=Sort.DUE), NOW))[0] == "large"
    large = search(session, Query(severity=("S1",)), NOW).cases[0]
    acknowledge(Acting(session, OWNERS, "ann", NOW), large.reference)
    first = search(session, Query(sort=Sort.DUE), NOW)
    assert subjects(first)[0] != "large"


def test_late_is_past_a_deadline_that_still_counts(session: Session) -> None:
    assert subjects(search(session, Query(late=True), NOW + HOUR)) == []
    late = NOW + 2 * HOUR
    assert subjects(search(session, Query(late=True), late)) == ["large"]
    large = search(session, Query(severity=("S1",)), NOW).cases[0]
    acting = Acting(session, OWNERS, "ann", late)
    acknowledge(acting, large.reference)
    resolve(acting, large.reference, Resolution.FIXED_AT_SOURCE, "done")
    assert subjects(search(session, Query(late=True), late)) == []


def test_pages(session: Session) -> None:
    first = search(session, Query(per_page=3), NOW)
    assert (first.found, first.pages, len(first.cases)) == (4, 2, 3)
    second = search(session, Query(per_page=3, page=2), NOW)
    assert subjects(first) + subjects(second) == ["old", "euro", "large", "metering"]
    assert search(session, Query(page=99), NOW).page == 1


def test_the_file_of_a_case_has_its_story_and_its_clocks(session: Session) -> None:
    large = search(session, Query(severity=("S1",)), NOW).cases[0]
    acknowledge(Acting(session, OWNERS, "ann", NOW + HOUR / 2), large.reference, "mine")
    found = case_file(session, OWNERS, large.reference, NOW + HOUR)
    assert [(event.move, event.note) for event in found.events] == [("opened", None), ("acknowledged", "mine")]
    cycle = found.cycles[-1]
    assert cycle.ack is not None
    assert (cycle.ack.state, cycle.ack.elapsed) == (ClockState.MET, HOUR / 2)
    assert cycle.resolve.elapsed == HOUR
    with pytest.raises(CaseUnknown, match="EXC-4711"):
        case_file(session, OWNERS, "EXC-4711", NOW)


def test_the_clocks_of_a_page(session: Session) -> None:
    page = search(session, Query(), NOW)
    clocks = clocks_of(session, OWNERS, page.cases, NOW)
    assert {number: found[-1].resolve.due_at for number, found in clocks.items()} == {
        case.number: case.resolve_due_at for case in page.cases
    }
