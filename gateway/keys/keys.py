"""Make a key, recognise a key."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.keys.tables import ApiKey

SCOPES = ("prebill:validate", "exceptions:read", "exceptions:write")


@dataclass(frozen=True)
class Caller:
    """Who asks, once the key is recognised."""

    key_id: str
    name: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raises Refused (kind `scope-missing`) unless the key has the scope."""
        if scope not in self.scopes:
            raise Refused(f"The key {self.name!r} does not have the scope {scope}.", "scope-missing")


def create(session: Session, name: str, scopes: Iterable[str], now: datetime) -> str:
    """A new key's text, `tk_<id>_<secret>`: it is shown this once, and only its hash is kept."""
    chosen = sorted(set(scopes))
    unknown = [scope for scope in chosen if scope not in SCOPES]
    if unknown or not chosen:
        raise Refused(f"A key needs scopes out of {', '.join(SCOPES)}.", "scope-unknown")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    session.add(ApiKey(id=key_id, name=name, secret_hash=_hash(secret), scopes=chosen, created_at=now))
    return f"tk_{key_id}_{secret}"


def recognise(session: Session, presented: str) -> Caller | None:
    """Whose key it is; None for a wrong, unknown or revoked one."""
    parts = presented.split("_")
    if len(parts) != 3 or parts[0] != "tk" or not parts[1].isalnum():
        return None
    row = session.get(ApiKey, parts[1])
    known = row.secret_hash if row is not None else _hash("")
    matches = hmac.compare_digest(known, _hash(parts[2]))
    if row is None or not matches or row.revoked_at is not None:
        return None
    return Caller(row.id, row.name, frozenset(row.scopes))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
