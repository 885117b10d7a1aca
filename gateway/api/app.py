"""The ASGI application: API, console, operations."""

from typing import Any

from fastapi import FastAPI

from gateway import console
from gateway.api import exceptions, health, prebill, problems
from gateway.installation import Installation
from gateway.prebill.opening import open_gate

DESCRIPTION = "Pre-bill validation and the exception queue of Tieout. Errors are RFC 9457 problem details."


def create_app(installed: Installation) -> FastAPI:
    """The application of one installation."""
    app = FastAPI(title="Tieout", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.installation = installed
    app.state.gate = open_gate(installed)
    problems.install(app)
    app.include_router(prebill.router)
    app.include_router(exceptions.router)
    app.include_router(health.router)
    console.mount(app)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Put the request's schemas, which FastAPI does not parse itself, into the OpenAPI document."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(prebill.request_schemas())
        return document

    app.openapi = described  # type: ignore[method-assign]
