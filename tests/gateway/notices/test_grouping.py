"""From single things to tell to messages: what goes together, what waits, what is never told twice."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from checks.contract import Severity
from checks.findings import Evaluation, Finding, Record
from gateway.db.session import Database
from gateway.exceptions.actions import Acting, assign
from gateway.exceptions.escalation import run_escalations
from gateway.exceptions.queue import take_in
from gateway.exceptions.tables import Case
from gateway.notices.grouping import SHOWN, Gathered, gather
from gateway.notices.outbox import NoticeItem, NoticeRow
from gateway.notices.payload import from_document
from gateway.notices.timing import INTERVAL, WAIT
from tests.gateway.exceptions.queue_world import (
    DAY,
    HOUR,
    NOW,
    OWNERS,
    SEATS,
    STALE,
    check,
    context,
    failed,
    finding,
    passed,
)

READS = {SEATS.id: frozenset({"metering"}), STALE.id: frozenset({"metering"})}
URL = "http://127.0.0.1:8080/"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as opened:
        yield opened


def sweep(session: Session, *evaluations: Evaluation, at: datetime = NOW) -> None:
    values = {record: {"active": "518"} for record in finding().evidence}
    take_in(session, evaluations, context(at, reads=READS, evidence=lambda _: values), at)


def tell(session: Session, at: datetime = NOW) -> Gathered:
    return gather(session, OWNERS, {SEATS.id: SEATS}, URL, at)


def rows(session: Session) -> list[NoticeRow]:
    return list(session.scalars(select(NoticeRow).order_by(NoticeRow.id)))


def test_a_sweep_is_one_message_per_recipient_and_check(session: Session) -> None:
    other = check("other_check")
    sweep(session, failed(finding("CL-1"), finding("CL-2")), failed(finding("CL-3", of=other), of=other))
    assert tell(session) == Gathered(notices=4, items=6, muted=0, dropped=0)
    found = {(row.channel, row.group_key, row.reason) for row in rows(session)}
    assert found == {
        ("ops", f"team:billing|opened|{SEATS.id}|", "first"),
        ("person:ann", f"person:ann|opened|{SEATS.id}|", "first"),
        ("ops", "team:billing|opened|other_check|", "first"),
        ("person:ann", "person:ann|opened|other_check|", "first"),
    }


def test_the_message_says_what_the_owner_needs(session: Session) -> None:
    sweep(session, failed(finding("CL-1"), finding("CL-2", amount="1100.00")))
    tell(session)
    notice = from_document(rows(session)[0].payload)
    assert notice.headline == "Seat overage unbilled: 2 new; leak 2,000.00 USD"
    assert (notice.kind, notice.severity, notice.owner_name, notice.more) == ("opened", "S2", "Billing", 0)
    largest = notice.cases[0]
    assert (largest.amount, largest.expected, largest.why) == (Decimal("1100.0000"), "1,100.00 USD", "Money.")
    assert largest.due_text == "acknowledge by Tue 1 Dec 13:30 EST, resolve by Thu 3 Dec 09:30 EST"
    assert largest.link == f"{URL}exceptions/{largest.reference}"
    assert [(row.system, row.record, row.fields) for row in notice.cases[1].rows] == [
        ("salesforce", "contract_lines CL-1", (("active", "518"),)),
        ("metering", "entitlements CL-1", (("active", "518"),)),
    ]


def test_only_a_few_are_shown_and_the_others_counted(session: Session) -> None:
    sweep(session, failed(*(finding(f"CL-{number}", amount=f"{number + 1}.00") for number in range(9))))
    tell(session)
    notice = from_document(rows(session)[0].payload)
    assert [card.amount for card in notice.cases] == [Decimal(amount) for amount in (9, 8, 7, 6, 5)]
    assert notice.more == 9 - SHOWN


def test_nothing_is_told_twice(session: Session) -> None:
    sweep(session, failed(finding()))
    assert tell(session).notices == 2
    assert tell(session) == Gathered(0, 0, 0, 0)
    keys = [row.dedupe_key for row in rows(session)]
    assert len(keys) == len(set(keys))


def test_urgent_cases_do_not_wait_for_the_interval(session: Session) -> None:
    sweep(session, failed(finding("CL-1")))
    tell(session)
    sweep(session, failed(finding("CL-1"), finding("CL-2")), at=NOW + WAIT)
    assert tell(session, NOW + WAIT).notices == 2
    assert rows(session)[-1].reason == "new_and_urgent"


def test_other_groups_keep_half_an_hour_between_two_messages(session: Session) -> None:
    mild = [finding(f"CL-{number}", severity=Severity.S4, fails_from=NOW) for number in range(2)]
    sweep(session, failed(mild[0]))
    sweep(session, failed(*mild), at=NOW + HOUR / 6)
    # Both ladders reach Ann ten minutes apart, one business day after each opening.
    first, second = NOW + DAY, NOW + DAY + HOUR / 6
    run_escalations(session, OWNERS, first)
    assert tell(session, first).notices == 0, "it waits for what else comes"
    told = first + WAIT
    assert [row.kind for row in rows(session)] == []
    assert tell(session, told).notices == 1
    run_escalations(session, OWNERS, second)
    assert tell(session, second + WAIT).notices == 0
    assert tell(session, told + INTERVAL).notices == 1
    assert [row.reason for row in rows(session)] == ["first", "interval_elapsed"]


def test_a_digest_gathers_everything_of_its_owner(session: Session) -> None:
    other = check("other_check")
    sweep(
        session,
        failed(finding("CL-1", severity=Severity.S3, amount="10.00")),
        failed(finding("CL-2", of=other, severity=Severity.S3, amount="20.00", currency="EUR"), of=other),
    )
    assert tell(session).notices == 0
    opening = NOW - HOUR / 2 + DAY
    assert tell(session, opening) == Gathered(1, 2, 0, 0)
    notice = from_document(rows(session)[0].payload)
    assert (notice.kind, notice.owner_name) == ("digest", "Ann")
    assert notice.headline == "2 checks: 2 new; leak 20.00 EUR, leak 10.00 USD"


def test_a_digest_has_breaches_first_and_says_what_changed_since_the_last(session: Session) -> None:
    def mild(subject: str, amount: str, **changes: Any) -> Finding:
        return finding(subject, severity=Severity.S3, amount=amount, **changes)

    sweep(session, failed(mild("late", "10.00"), mild("grows", "20.00"), mild("quiet", "30.00"), mild("ends", "40.00")))
    tell(session, NOW - HOUR / 2 + DAY)
    late = session.scalars(select(Case).where(Case.subject == "late")).one()
    # Only this one's deadline passes; the others were acknowledged and have time.
    for case in session.scalars(select(Case).where(Case.subject != "late")):
        case.acknowledged_at, case.resolve_due_at = NOW, NOW + 30 * DAY
    for hours in (25, 26):
        still = [mild("late", "10.00"), mild("grows", "25.00"), mild("quiet", "30.00"), mild("new", "5.00")]
        sweep(session, failed(*still), at=NOW + hours * HOUR)
    tell(session, NOW - HOUR / 2 + 2 * DAY)
    digest = next(one for one in reversed(rows(session)) if one.kind == "digest")
    notice = from_document(digest.payload)
    assert notice.cases[0].reference == late.reference
    assert [card.since_last for card in notice.cases] == ["", "", "was 20.00 USD", "new", "mended"]
    assert notice.headline.endswith("2 as before, 1 with another amount, 1 past a deadline")
    assert "1 new, 1 mended" in notice.headline


def test_a_case_that_was_reassigned_stands_in_the_digest_of_its_new_owner(session: Session) -> None:
    def mild(subject: str, **changes: Any) -> Finding:
        return finding(subject, severity=Severity.S3, **changes)

    def digests(at: datetime) -> dict[str, list[tuple[str, str]]]:
        """By recipient, each case with what is said of it."""
        before = {row.id for row in rows(session)}
        tell(session, at)
        told = [row for row in rows(session) if row.id not in before and row.kind == "digest"]
        cases = {row.recipient: from_document(row.payload).cases for row in told}
        return {to: sorted((card.reference, card.since_last) for card in shown) for to, shown in cases.items()}

    opening = NOW - HOUR / 2 + DAY
    sweep(session, failed(mild("told"), mild("kept"), mild("waits")))
    told, kept, waits = session.scalars(select(Case).order_by(Case.number))
    assert (told.subject, kept.subject) == ("told", "kept")
    assign(Acting(session, OWNERS, "ann", NOW), waits.reference, "bob")
    assert digests(opening) == {
        "person:ann": [(told.reference, "new"), (kept.reference, "new")],
        "person:bob": [(waits.reference, "new")],
    }
    acting = Acting(session, OWNERS, "ann", NOW + DAY)
    assign(acting, told.reference, "bob")
    sweep(session, failed(mild("told"), mild("kept"), mild("waits"), mild("anns"), mild("bobs")), at=NOW + DAY)
    anns, bobs = session.scalars(select(Case).where(Case.subject.in_(("anns", "bobs"))).order_by(Case.subject))
    assign(acting, bobs.reference, "bob")
    assert digests(opening + DAY) == {
        "person:ann": [(kept.reference, ""), (anns.reference, "new")],
        "person:bob": [(told.reference, ""), (waits.reference, ""), (bobs.reference, "new")],
    }


def test_what_ended_before_anybody_was_told_is_kept_and_not_told(session: Session) -> None:
    sweep(session, failed(finding(severity=Severity.S3)))
    for minutes in (1, 2):
        sweep(session, passed(), at=NOW + minutes * HOUR / 60)
    opening = NOW - HOUR / 2 + DAY
    assert tell(session, opening) == Gathered(notices=0, items=0, muted=0, dropped=2)
    reasons = session.scalars(select(NoticeItem.dropped).order_by(NoticeItem.id)).all()
    assert reasons == [
        "The case was closed before it was told.",
        "It was over before anybody was told of it.",
    ]


def test_who_was_told_of_a_case_is_told_that_it_has_mended(session: Session) -> None:
    sweep(session, failed(finding()))
    tell(session)
    for hours in (1, 2):
        sweep(session, passed(), at=NOW + hours * HOUR)
    assert tell(session, NOW + 2 * HOUR) == Gathered(1, 1, 0, 0)
    notice = from_document(rows(session)[-1].payload)
    assert (notice.kind, notice.headline) == ("resolved", "Seat overage unbilled: 1 mended; leak 900.00 USD")
    assert (notice.cases[0].due_at, notice.cases[0].due_text) == (None, "")


def test_a_stale_source_mutes_its_symptoms_until_it_is_well(session: Session) -> None:
    stale = finding("metering", of=STALE, record=Record("metering", "usage_events", "*"), severity=Severity.S1)
    sweep(session, failed(stale, of=STALE), failed(finding()))
    assert tell(session) == Gathered(notices=2, items=2, muted=2, dropped=0)
    assert {row.channel for row in rows(session)} == {"it", "person:ida"}
    for hours in (1, 2):
        sweep(session, passed(STALE), failed(finding()), at=NOW + hours * HOUR)
    told = tell(session, NOW + 2 * HOUR)
    assert (told.muted, told.notices) == (0, 3)  # the symptom to its team and owner, and that the source is well
    assert any(row.group_key.endswith("|EXC-1") or row.group_key.endswith("|EXC-2") for row in rows(session))


def test_a_deadline_is_not_muted(session: Session) -> None:
    stale = finding("metering", of=STALE, record=Record("metering", "usage_events", "*"), severity=Severity.S1)
    sweep(session, failed(finding(severity=Severity.S1)))
    tell(session)
    sweep(session, failed(stale, of=STALE), failed(finding(severity=Severity.S1)), at=NOW + HOUR)
    tell(session, NOW + HOUR)
    before = len(rows(session))
    run_escalations(session, OWNERS, NOW + 2 * HOUR)
    tell(session, NOW + 2 * HOUR)
    assert {row.kind for row in rows(session)[before:]} >= {"escalated", "breached"}
