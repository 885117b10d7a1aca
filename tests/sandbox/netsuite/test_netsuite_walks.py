"""Walks by keyset over rows that share stamps, over the clock changes of the session zone (vendors.md B7)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.netsuite import NetSuiteAccount
from tests.sandbox.netsuite.netsuite_asking import Clock, select

LOS_ANGELES, BERLIN = ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/Berlin")
BACK = {LOS_ANGELES: datetime(2026, 11, 1, 9, tzinfo=UTC), BERLIN: datetime(2026, 10, 25, 1, tzinfo=UTC)}
FORWARD = {LOS_ANGELES: datetime(2026, 3, 8, 10, tzinfo=UTC), BERLIN: datetime(2026, 3, 29, 1, tzinfo=UTC)}

SESSION_WALK = """
    SELECT t.id, TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS') AS at FROM transaction t
    WHERE t.lastmodifieddate > TO_DATE(?,'YYYY-MM-DD HH24:MI:SS')
       OR (t.lastmodifieddate = TO_DATE(?,'YYYY-MM-DD HH24:MI:SS') AND t.id > ?)
    ORDER BY t.lastmodifieddate ASC, t.id ASC"""
UTC_WALK = """
    SELECT t.id, TO_CHAR(SYS_EXTRACT_UTC(t.lastmodifieddate),'YYYY-MM-DD HH24:MI:SS') AS at FROM transaction t
    WHERE SYS_EXTRACT_UTC(t.lastmodifieddate) > TO_TIMESTAMP(?,'YYYY-MM-DD HH24:MI:SS')
       OR (SYS_EXTRACT_UTC(t.lastmodifieddate) = TO_TIMESTAMP(?,'YYYY-MM-DD HH24:MI:SS') AND t.id > ?)
    ORDER BY SYS_EXTRACT_UTC(t.lastmodifieddate) ASC, t.id ASC"""
START = "2000-01-01 00:00:00"


def walk(account: NetSuiteAccount, query: str, page: int) -> list[int]:
    """The ids in the order of their reading; stops when a page brings nothing or repeats its last key."""
    at, last, ids = START, 0, list[int]()
    while rows := select(account, query, at, at, last, limit=page):
        ids += [int(row["id"]) for row in rows]
        if (at, last) == (rows[-1]["at"], int(rows[-1]["id"])):
            break
        at, last = rows[-1]["at"], int(rows[-1]["id"])
    return ids


def filled(zone: ZoneInfo, stamps: Sequence[datetime]) -> NetSuiteAccount:
    account = NetSuiteAccount(Clock(), session_zone=zone)
    for key, stamp in enumerate(stamps, start=1):
        account.put("transaction", {"id": key, "lastmodifieddate": stamp})
    return account


def in_order(stamps: Sequence[datetime]) -> list[int]:
    """Ids by (stamp, id)."""
    return [key for _, key in sorted((stamp, key) for key, stamp in enumerate(stamps, start=1))]


@st.composite
def stamps_around(draw: st.DrawFn, change: datetime, *, repeated_hour: bool) -> list[datetime]:
    """Up to 25 stamps on few seconds, so that many share one, from three hours before to three after a change."""
    hour = timedelta(hours=1)
    offsets = draw(st.lists(st.integers(-3 * 3600, 3 * 3600 - 1), min_size=1, max_size=5))
    stamps = draw(st.lists(st.sampled_from([change + timedelta(seconds=s) for s in offsets]), max_size=25))
    return [s for s in stamps if repeated_hour or not change - hour <= s < change + hour]


@pytest.mark.parametrize("zone", [LOS_ANGELES, BERLIN], ids=str)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), page=st.integers(1, 7))
def test_a_session_walk_reads_every_row_once_over_the_change_forward(
    zone: ZoneInfo, data: st.DataObject, page: int
) -> None:
    stamps = data.draw(stamps_around(FORWARD[zone], repeated_hour=True))
    assert walk(filled(zone, stamps), SESSION_WALK, page) == in_order(stamps)


@pytest.mark.parametrize("zone", [LOS_ANGELES, BERLIN], ids=str)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), page=st.integers(1, 7))
def test_a_session_walk_reads_every_row_once_around_the_repeated_hour(
    zone: ZoneInfo, data: st.DataObject, page: int
) -> None:
    stamps = data.draw(stamps_around(BACK[zone], repeated_hour=False))
    assert walk(filled(zone, stamps), SESSION_WALK, page) == in_order(stamps)


@pytest.mark.parametrize("zone", [LOS_ANGELES, BERLIN], ids=str)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), page=st.integers(1, 7))
def test_a_utc_walk_reads_every_row_once_through_the_repeated_hour(
    zone: ZoneInfo, data: st.DataObject, page: int
) -> None:
    stamps = data.draw(stamps_around(BACK[zone], repeated_hour=True))
    assert walk(filled(zone, stamps), UTC_WALK, page) == in_order(stamps)


def test_session_text_of_the_repeated_hour_means_its_second_pass() -> None:
    """So a session walk whose page ends in the first pass skips the rest of that pass."""
    first = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    account = filled(LOS_ANGELES, [first, first, first, first + timedelta(hours=1)])
    shown = select(account, "SELECT id, TO_CHAR(lastmodifieddate,'HH24:MI') AS at FROM transaction ORDER BY id ASC")
    assert {row["at"] for row in shown} == {"01:30"}
    assert walk(account, SESSION_WALK, 2) == [1, 2, 4]
    assert walk(account, UTC_WALK, 2) == [1, 2, 3, 4]


def test_a_walk_over_many_rows_reads_each_once() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    stamps = [start + timedelta(seconds=key * 7919 % 400) for key in range(20_000)]
    assert walk(filled(LOS_ANGELES, stamps), SESSION_WALK, 1000) == in_order(stamps)
