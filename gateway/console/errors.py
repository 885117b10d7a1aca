"""Errors for people: whoever asks for a page gets a page, with the sentence that a machine would have got."""

import inspect
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.visit import render

_TITLES = {403: "Not allowed", 404: "Not found", 409: "Not possible now", 413: "Too much", 422: "Cannot be read"}
# What stands for the bare words of HTTP, which tell a person nothing.
_SENTENCES = {
    "Not Found.": "There is no page at this address.",
    "Method Not Allowed.": "This address takes no request of that kind.",
}
SEE_OTHER = 303


def install(app: FastAPI) -> None:
    """Put pages before the problem documents that `gateway.api.problems` has installed."""
    for kind, document in list(app.exception_handlers.items()):
        if not inspect.iscoroutinefunction(document):  # FastAPI's own, for web sockets
            app.add_exception_handler(kind, _negotiated(document))


def _negotiated(document: Callable[[Request, Any], Any]) -> Callable[[Request, Exception], Response]:
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
    title = _TITLES.get(problem["status"], problem["title"])
    sentence = _SENTENCES.get(problem["detail"], problem["detail"])
    page = render("error.html", problem["status"], title=title, sentence=sentence)
    kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
    page.headers.update(kept)
    return page


def _here(request: Request) -> str:
    """Where to go after the sign-in: the page that was asked for; a form cannot be sent again."""
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
