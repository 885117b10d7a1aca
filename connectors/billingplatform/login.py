"""The two logins of BillingPlatform, and calls that carry one: renewed once when it is refused (vendors.md C1).

How long a session lasts is not published, so it is used until the platform refuses it.
"""

import base64
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.billingplatform.answers import refusal, said, session_ended
from connectors.billingplatform.config import BillingPlatformConfig
from connectors.errors import ConnectorError, LoginRefused, PermanentError, TransientError
from connectors.http import Answer, Wire
from connectors.tokens import MARGIN

REST = "/rest/2.0"
TOKEN_PATH = "/auth/1.0/authenticate"
LONGEST_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """The header that carries a login, and when it ends; None where only the platform knows."""

    header: Mapping[str, str]
    ends_at: datetime | None = None


class Door:
    """One organisation. Several threads may send; nothing is sent before the first call.

    Raises PermanentError at once for settings that cannot be used.
    """

    def __init__(self, config: BillingPlatformConfig, clock: Callable[[], datetime]) -> None:
        self.wire = Wire(config.system, config.base_url, clock, config.timeout_s)
        self._config = config
        self._by_session = config.by_session
        self._clock = clock
        self._session: Session | None = None
        self._reached = True
        self._renewing = threading.Lock()
        self._pace = Pace(config.requests_per_minute, clock, config.retries.sleep)

    def send(self, method: str, path: str, *, json: Any = None, params: Mapping[str, str] | None = None) -> Answer:
        """Send below the REST root; after a session has ended once more with a new one.

        Raises LoginRefused when that is refused too, TransientError.
        """
        for _ in range(2):
            session = self.open()
            self._pace.wait()
            self._reached = False
            answer = self.wire.send(method, REST + path, json=json, params=params, headers=session.header)
            self._reached = True
            if not session_ended(answer):
                return answer
            with self._renewing:
                if self._session is session:
                    self._session = None
        raise LoginRefused(f"{self.wire.system} refuses {method} {path} with a new login. Check the user's role.")

    def open(self) -> Session:
        """The session in use, or a new one."""
        with self._renewing:
            ends_at = self._session.ends_at if self._session else None
            if self._session is None or (ends_at is not None and self._clock() >= ends_at - MARGIN):
                self._pace.wait()
                self._session = self._logged_in() if self._by_session else self._granted()
            return self._session

    def close(self) -> None:
        """End the session, where the platform answered the last time, and give back the connections."""
        session, self._session = self._session, None
        if session is not None and self._by_session and self._reached:
            with suppress(ConnectorError):
                self.wire.send("POST", f"{REST}/logout", headers=session.header)
        self.wire.close()

    def _logged_in(self) -> Session:
        user = {"username": self._config.username, "password": self._config.password}
        answer = self.wire.send("POST", f"{REST}/login", json=user)
        self._check(answer, "Check the username and the password.")
        replies = answer.body.get("loginResponse") if isinstance(answer.body, dict) else None
        first = replies[0] if isinstance(replies, list) and replies else replies
        session = first.get("SessionID") if isinstance(first, dict) else None
        if not isinstance(session, str) or not session:
            raise PermanentError(f"{self.wire.system} answered the login without a session.")
        return Session({"sessionid": session})

    def _granted(self) -> Session:
        asked_at = self._clock()
        pair = base64.b64encode(f"{self._config.client_id}:{self._config.client_secret}".encode()).decode()
        grant, basic = {"grant_type": "client_credentials"}, {"Authorization": f"Basic {pair}"}
        # Its clients put the grant into the URL, and the standard (RFC 6749) into the form.
        answer = self.wire.send("POST", TOKEN_PATH, params=grant, form=grant, headers=basic)
        self._check(answer, "Check the client's id and secret.")
        body = answer.body if isinstance(answer.body, dict) else {}
        token, lifetime = body.get("access_token"), str(body.get("expires_in", ""))
        if not isinstance(token, str) or not token:
            raise PermanentError(f"{self.wire.system} answered the login without an access token.")
        ends_at = asked_at + timedelta(seconds=int(lifetime)) if lifetime.isdecimal() else None
        return Session({"Authorization": f"Bearer {token}"}, ends_at)

    def _check(self, answer: Answer, advice: str) -> None:
        """The answer's text is not repeated: it may repeat what we sent."""
        code, _ = said(answer)
        if answer.ok and not code:
            return
        why = f"ErrorCode {code}" if code else f"HTTP {answer.status}"
        if isinstance(refusal("", answer), TransientError):
            raise TransientError(f"{self.wire.system} cannot take a login at the moment ({why}).")
        if answer.status == 404:
            raise PermanentError(f"{self.wire.system} has no login at its base URL ({why}). Correct the base URL.")
        raise LoginRefused(f"{self.wire.system} refuses the login ({why}). {advice}")


class Pace:
    """Keeps requests apart, so that no more than so many go out in a minute; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._apart = timedelta(minutes=1) / per_minute if per_minute > 0 else timedelta(0)
        self._clock = clock
        self._sleep = sleep
        self._next: datetime | None = None
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may go out; a clock that was put back costs at most a minute."""
        if not self._apart:
            return
        with self._lock:
            now = self._clock()
            at = max(now, min(self._next or now, now + LONGEST_PAUSE))
            self._next = at + self._apart
        if at > now:
            self._sleep((at - now).total_seconds())
