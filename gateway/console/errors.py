"""Errors for people: whoever asks for a page gets a page, with the sentence that a machine would have got."""

import json
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from gateway.console.visit import render
from gateway.errors import GatewayError

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]

_PLAIN = {404: "There is no page at this address.", 405: "This address takes no request of that kind."}
SEE_OTHER = 303


def install(app: FastAPI) -> None:
    """Put pages before the problem documents that `gateway.api.problems` has installed."""
    for kind in (GatewayError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _negotiated(app.exception_handlers[kind]))


def _negotiated(document: Handler) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        answer = document(request, error)
        assert isinstance(answer, Response), "problem documents are made without waiting"
        return _page(request, answer) if _wants_page(request) else answer

    return handle


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


def _page(request: Request, answer: Response) -> Response:
    problem = json.loads(bytes(answer.body))
    if problem["status"] == 401:
        return RedirectResponse(f"/sign-in?to={quote(_here(request))}", SEE_OTHER)
    sentence = problem["detail"]
    if problem["type"].endswith(":http"):
        sentence = _PLAIN.get(problem["status"], sentence)
    page = render("error.html", problem["status"], title=problem["title"], sentence=sentence)
    kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
    page.headers.update(kept)
    return page


def _here(request: Request) -> str:
    """Where to go after the sign-in: the page that was asked for; a form cannot be sent again."""
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
