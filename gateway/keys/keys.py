"""Make a key, recognise a key, revoke a key."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.errors import NotFound, Refused
from gateway.keys.tables import ApiKey

SCOPES = ("prebill:validate", "exceptions:read", "exceptions:write")
_SHAPE = re.compile(r"tk_([0-9a-f]{12})_([0-9a-f]{64})")


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
    """A new key's text, `tk_<id>_<secret>`: it is shown this once, and only its hash is kept.

    Raises Refused for a name or scopes that no key has.
    """
    chosen = sorted(set(scopes))
    if not chosen or not set(chosen) <= set(SCOPES):
        raise Refused(f"A key needs scopes out of {', '.join(SCOPES)}.", "scope-unknown")
    if not name.strip() or "\x00" in name:
        raise Refused("A key needs a name that says whose it is.", "name-missing")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    session.add(ApiKey(id=key_id, name=name.strip(), secret_hash=_hash(secret), scopes=chosen, created_at=now))
    return f"tk_{key_id}_{secret}"


def recognise(session: Session, presented: str) -> Caller | None:
    """Whose key it is; None for a wrong, unknown or revoked one."""
    shape = _SHAPE.fullmatch(presented)
    if shape is None:
        return None
    row = session.get(ApiKey, shape[1])
    if row is None or row.revoked_at is not None or not hmac.compare_digest(row.secret_hash, _hash(shape[2])):
        return None
    return Caller(row.id, row.name, frozenset(row.scopes))


def revoke(session: Session, key_id: str, now: datetime) -> None:
    """The key is refused from now on; revoking it again changes nothing. Raises NotFound."""
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no key {key_id!r}. `tieout keys list` names them.")
    row.revoked_at = row.revoked_at or now


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
