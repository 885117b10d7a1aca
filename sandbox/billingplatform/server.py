"""REST 2.0 of one organisation on a loopback port (vendors.md C1)."""

import json
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.billingplatform.calls import Call, call_of
from sandbox.billingplatform.organisation import Organisation
from sandbox.billingplatform.records import Records
from sandbox.billingplatform.refusals import BadRequest, NoRows, Refusal, TooMany
from sandbox.billingplatform.sessions import LoginRefused, Sessions
from sandbox.billingplatform.statement import translated
from sandbox.billingplatform.values import shown
from sandbox.faults import Faults, Reply
from sandbox.serving import LoopbackServer
from sandbox.zuora.quota import RequestQuota

Json = dict[str, Any]


class BillingPlatformServer:
    """Start it, or use it as a context manager. `url` is the organisation's, such as http://127.0.0.1:1/acme.

    `per_minute` is the limit on requests in a minute of the organisation's clock; a refused one says when to come
    back where `says_when`. `lifetime` is that of a session. `empty` is the body for a query without rows, of which
    the vendor publishes the status alone (vendors.md G1); None for the simulator's own.
    """

    def __init__(
        self,
        organisation: Organisation,
        *,
        username: str = "",
        password: str = "",
        client_id: str = "",
        client_secret: str = "",
        name: str = "acme",
        port: int = 0,
        per_minute: int = 100_000,
        says_when: bool = True,
        lifetime: timedelta | None = None,
        empty: Json | None = None,
    ) -> None:
        self._organisation = organisation
        self._records = Records(organisation)
        self._quota = RequestQuota(per_minute, organisation.clock)
        self._says_when = says_when
        self._empty = empty
        self._name = name
        self.over_limit = 0
        self._sessions = Sessions(
            user=(username, password),
            client=(client_id, client_secret),
            clock=organisation.clock,
            lifetime=lifetime,
        )
        self._server = LoopbackServer(Starlette(routes=self._routes()), port, organisation.clock)

    @property
    def url(self) -> str:
        return f"{self._server.url}/{self._name}"

    @property
    def faults(self) -> Faults:
        """What goes wrong between the socket and this simulator."""
        return self._server.faults

    @property
    def requests(self) -> Counter[str]:
        """How often each "METHOD /path" came, below the organisation and its API version."""
        counted: Counter[str] = Counter()
        for came, times in self.faults.came.items():
            counted[came.replace(f"/{self._name}/rest/2.0", "").replace(f"/{self._name}", "")] += times
        return counted

    @property
    def logins(self) -> int:
        """How many sessions were opened."""
        return self._sessions.logins

    def start(self) -> str:
        """Listen, and return the organisation's URL."""
        self._server.start()
        return self.url

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> "BillingPlatformServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def end_sessions(self) -> None:
        """Every session has expired: the next request with one is answered 401."""
        self._sessions.end_all()

    def say(self, text: str, *, code: str = "1", status: int = 200, after: int = 0, times: int | None = 1) -> None:
        """Answer queries with an error of this code and text instead, even inside a 200."""
        body = json.dumps({"queryResponse": [{"ErrorCode": code, "ErrorText": text}]})
        self.faults.add(Reply(status, body, "application/json"), path="/query", after=after, times=times)

    def _routes(self) -> list[Route]:
        rest, records = f"/{self._name}/rest/2.0", self._records
        table: tuple[tuple[str, str, Callable[[Call], Json]], ...] = (
            ("GET", "/query", self._query),
            ("POST", "/query", self._query),
            ("POST", "/logout", self._log_out),
            ("DELETE", "/delete/{entity}", lambda c: {"deleteResponse": records.delete(c.keys["entity"], c.body)}),
            (
                "DELETE",
                "/undelete/{entity}",
                lambda c: {"undeleteResponse": records.undelete(c.keys["entity"], c.body)},
            ),
            ("GET", "/{entity}", self._retrieve_where),
            ("POST", "/{entity}", lambda c: {"createResponse": records.create(c.keys["entity"], c.body)}),
            ("PUT", "/{entity}", lambda c: {"updateResponse": records.update(c.keys["entity"], c.body)}),
            ("PATCH", "/{entity}", lambda c: {"upsertResponse": records.upsert(c.keys["entity"], c.body)}),
            ("GET", "/{entity}/{key}", self._retrieve),
            (
                "PUT",
                "/{entity}/{key}",
                lambda c: {"updateResponse": records.update(c.keys["entity"], c.body, c.keys["key"])},
            ),
        )
        return [
            Route(f"{rest}/login", self._endpoint(self._log_in, open_to_all=True), methods=["POST"]),
            Route(
                f"/{self._name}/auth/1.0/authenticate",
                self._endpoint(self._authenticate, open_to_all=True),
                methods=["POST"],
            ),
            *(Route(rest + path, self._endpoint(answer), methods=[method]) for method, path, answer in table),
        ]

    def _endpoint(
        self, answer: Callable[[Call], Json], *, open_to_all: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            content = await request.body()
            return await run_in_threadpool(self._answered, answer, request, content, open_to_all)

        return endpoint

    def _answered(
        self, answer: Callable[[Call], Json], request: Request, content: bytes, open_to_all: bool
    ) -> Response:
        standing = self._quota.take()
        headers = {}
        try:
            if not standing.allowed:
                self.over_limit += 1
                headers = {"retry-after": str(standing.reset)} if self._says_when else {}
                raise TooMany
            if not open_to_all:
                self._sessions.check(request.headers)
            return JSONResponse(answer(call_of(request, content)))
        except NoRows as refusal:
            return JSONResponse(refusal.body() if self._empty is None else self._empty, refusal.status)
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status, headers)

    def _log_in(self, call: Call) -> Json:
        """A refused login is a 200 with an ErrorCode (vendors.md C1)."""
        try:
            session = self._sessions.log_in(call.body)
        except LoginRefused as refusal:
            return {"loginResponse": [{"SessionID": "", **refusal.body()}]}
        return {"loginResponse": [{"SessionID": session, "ErrorCode": "0", "ErrorText": ""}]}

    def _log_out(self, call: Call) -> Json:
        self._sessions.end(call.headers)
        return {"logoutResponse": [{"ErrorCode": "0", "ErrorText": ""}]}

    def _authenticate(self, call: Call) -> Json:
        grant = call.query.get("grant_type") or call.given("grant_type")
        granted = self._sessions.grant(call.headers.get("authorization", ""), str(grant))
        return {"access_token": granted, "token_type": "Bearer"}

    def _query(self, call: Call) -> Json:
        if not isinstance(call.sql, str) or not call.sql.strip():
            raise BadRequest("Bad Request - sql is missing.")
        return {"queryResponse": self._rows(call.sql)}

    def _rows(self, text: str) -> list[dict[str, str]]:
        with self._organisation.lock:
            statement = translated(self._organisation, text)
            try:
                rows = self._organisation.ask(statement.sql)
            except sqlite3.Error:
                raise BadRequest("Invalid query: a value does not fit what is done with it.") from None
        if not rows:
            raise NoRows
        return [dict(zip(statement.names, map(shown, row), strict=True)) for row in rows]

    def _retrieve(self, call: Call) -> Json:
        self._organisation.seen(call.entity)
        record = self._organisation.find(call.entity, call.key) if call.key.isdecimal() else None
        if record is None:
            raise NoRows
        return {"retrieveResponse": [record]}

    def _retrieve_where(self, call: Call) -> Json:
        entity, where = call.entity, call.query.get("queryAnsiSql", "").strip()
        if not where:
            raise BadRequest("Bad Request - queryAnsiSql is missing.")
        keys = [row["Id"] for row in self._rows(f"SELECT Id FROM {entity} WHERE {where}")]
        found = [self._organisation.find(entity, key) for key in keys]
        return {"retrieveResponse": [record for record in found if record is not None]}
