"""API keys: shown once, recognised whole, revoked for good."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.db.session import Database
from gateway.errors import NotFound, Refused
from gateway.keys.keys import SCOPES, create, recognise, revoke
from gateway.keys.tables import ApiKey

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def test_a_key_is_known_by_its_whole_text_and_only_its_hash_is_kept(database: Database) -> None:
    with database.session() as session:
        key = create(session, " zuora ", ["prebill:validate", "prebill:validate"], NOW)
        _, key_id, secret = key.split("_")
    with database.session() as session:
        caller = recognise(session, key)
        row = session.get_one(ApiKey, key_id)
    assert caller is not None
    assert (caller.key_id, caller.name, caller.scopes) == (key_id, "zuora", frozenset({"prebill:validate"}))
    assert secret not in str(vars(row))
    assert len(bytes.fromhex(secret)) == 32


def test_anything_else_is_nobodys_key(database: Database) -> None:
    with database.session() as session:
        key = create(session, "zuora", SCOPES, NOW)
        _, key_id, secret = key.split("_")
        spoilt = ("", key[:-1], f"{key}0", f"{key}\n", f" {key}", key.upper(), key.replace("_", "\x00"), "tk_²_³")
        wrong = (f"sk_{key_id}_{secret}", f"tk_{key_id}_{'0' * 64}", f"tk_000000000000_{secret}")
        assert [recognise(session, other) for other in (*spoilt, *wrong)] == [None] * 11
        assert recognise(session, key) is not None


def test_a_revoked_key_stays_revoked_since_when_it_was(database: Database) -> None:
    with database.session() as session:
        key = create(session, "zuora", SCOPES, NOW)
        key_id = key.split("_")[1]
        revoke(session, key_id, NOW)
        revoke(session, key_id, NOW + timedelta(days=1))
    with database.session() as session:
        assert recognise(session, key) is None
        assert session.get_one(ApiKey, key_id).revoked_at == NOW
        with pytest.raises(NotFound):
            revoke(session, "000000000000", NOW)


@pytest.mark.parametrize(("name", "scopes"), [("x", []), ("x", ["all"]), (" ", SCOPES), ("a\x00", SCOPES)])
def test_a_key_needs_a_name_and_scopes_that_there_are(database: Database, name: str, scopes: list[str]) -> None:
    with database.session() as session, pytest.raises(Refused):
        create(session, name, scopes, NOW)
