"""The audit log: nobody can change it unseen, and a large writer holds up nobody."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.db.session import Database
from gateway.exceptions.audit import GENESIS, chain, export, record, seal, unsealed, verify
from gateway.exceptions.errors import AuditBroken
from tests.gateway.exceptions.queue_world import HOUR, NOW


def write(database: Database, *subjects: str) -> None:
    with database.session() as session:
        for subject in subjects:
            record(session, NOW, "ann", "case.commented", subject, after={"note": "Überprüft"})


def settled(database: Database) -> None:
    """Wait for transactions that are older than the entries: tests beside this one use the same server."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with database.session() as session:
            if session.scalar(text(_ALL_OLD)):
                return
        threading.Event().wait(0.02)
    raise AssertionError("A transaction of the server did not end.")


_ALL_OLD = "SELECT coalesce(bool_and(transaction < pg_snapshot_xmin(pg_current_snapshot())), true) FROM audit_entries"


def test_sealing_chains_what_is_there_and_verifies(database: Database) -> None:
    write(database, "EXC-1", "EXC-2")
    settled(database)
    with database.session() as session:
        first = seal(session, NOW)
    write(database, "EXC-3")
    settled(database)
    with database.session() as session:
        second = seal(session, NOW + HOUR)
    assert first is not None
    assert second is not None
    assert (first.entries, second.entries, second.number) == (2, 1, 2)
    with database.session() as session:
        entries, seals = export(session)
        assert unsealed(session) == (0, None)
    assert seals[1]["previous"] == first.digest
    assert verify(entries, seals) == []


def test_nothing_new_is_no_seal(database: Database) -> None:
    write(database, "EXC-1")
    settled(database)
    for expected in (1, None):
        with database.session() as session:
            sealed = seal(session, NOW)
            assert (sealed.entries if sealed else None) == expected


def test_a_writer_that_has_not_ended_neither_waits_nor_is_sealed(database: Database) -> None:
    with database.session() as sweeping:
        record(sweeping, NOW, "tieout:sweep", "case.opened", "EXC-1")
        sweeping.flush()
        write(database, "EXC-2")
        with database.session() as sealing:
            assert seal(sealing, NOW) is None, "a row with a later number may still come before EXC-2"
    settled(database)
    with database.session() as session:
        assert unsealed(session) == (2, NOW)
        sealed = seal(session, NOW)
        assert sealed is not None
        assert sealed.entries == 2


def test_two_sealers_do_not_meet(database: Database) -> None:
    write(database, "EXC-1")
    settled(database)
    with database.session() as first, database.session() as second:
        assert seal(first, NOW) is not None
        assert seal(second, NOW) is None


@pytest.mark.parametrize("table", ["audit_entries", "audit_seals", "case_events", "sla_terms"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_a_record(database: Database, table: str, statement: str) -> None:
    column = {"audit_seals": "digest = ''", "sla_terms": "digest = ''"}.get(table, "actor = ''")
    with pytest.raises(IntegrityError, match="never changed"), database.session() as session:
        session.execute(text(statement.format(table, column)))


def test_a_server_restored_from_a_dump_is_not_sealed_in_silence(database: Database) -> None:
    write(database, "EXC-1")
    settled(database)
    with database.session() as session:
        session.execute(
            text("INSERT INTO audit_seals VALUES (1, CAST('0' AS xid8), CAST('900000000' AS xid8), 0, :g, :g, :now)"),
            {"g": GENESIS, "now": NOW},
        )
    with pytest.raises(AuditBroken, match="restored"), database.session() as session:
        seal(session, NOW)


def log(entries: int, per_seal: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A sealed log as it is exported."""
    rows: list[dict[str, Any]] = [
        {
            "id": number,
            "transaction": str(100 + number),
            "at": (NOW + timedelta(seconds=number)).isoformat(),
            "actor": "ann",
            "action": "case.commented",
            "subject": f"EXC-{number}",
            "before": {},
            "after": {"note": str(number)},
        }
        for number in range(entries)
    ]
    seals: list[dict[str, Any]] = []
    previous, start = GENESIS, 0
    for first in range(0, entries, per_seal):
        part = rows[first : first + per_seal]
        stop = int(part[-1]["transaction"]) + 1
        digest = chain(previous, part)
        seals.append(
            {
                "number": len(seals) + 1,
                "from_transaction": str(start),
                "to_transaction": str(stop),
                "entries": len(part),
                "previous": previous,
                "digest": digest,
            }
        )
        previous, start = digest, stop
    return rows, seals


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 12), st.integers(1, 5), st.data())
def test_any_edit_deletion_addition_or_exchange_shows(entries: int, per_seal: int, data: st.DataObject) -> None:
    rows, seals = log(entries, per_seal)
    assert verify(rows, seals) == []
    place = data.draw(st.integers(0, entries - 1))
    kind = data.draw(st.sampled_from(["edit", "delete", "add", "exchange", "seal", "unchain"]))
    if kind == "edit":
        column, value = data.draw(st.sampled_from([("actor", "eve"), ("at", "2020"), ("after", {"note": "-"})]))
        rows[place] = {**rows[place], column: value}
    elif kind == "delete":
        del rows[place]
    elif kind == "add":
        rows.append({**rows[place], "id": 1000})
    elif kind == "exchange" and entries > 1:
        other = (place + 1) % entries
        rows[place], rows[other] = (
            {**rows[other], "id": rows[place]["id"], "transaction": rows[place]["transaction"]},
            {**rows[place], "id": rows[other]["id"], "transaction": rows[other]["transaction"]},
        )
    elif kind == "unchain":
        seals[place // per_seal]["previous"] = "f" * 64
    else:
        seals[place // per_seal]["digest"] = "f" * 64
    assert verify(rows, seals) != []


def test_a_seal_that_is_taken_out_shows() -> None:
    rows, seals = log(9, 3)
    assert verify(rows, [seals[0], seals[2]]) != []
    assert verify(rows[3:], seals[1:]) != []
