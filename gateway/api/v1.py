"""The API without the console: routes, errors, and one OpenAPI document."""

from typing import Any

from fastapi import FastAPI

from gateway.api import exceptions, health, inbox, links, prebill, problems, webhooks
from gateway.api.bodies import LimitBodies
from gateway.installation import Installation
from gateway.prebill.opening import open_gate

DESCRIPTION = "Pre-bill validation and the exception queue of Tieout. Errors are RFC 9457 problem details."


class Api(FastAPI):
    """FastAPI, with the schemas of what it does not parse itself in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            schemas.update(prebill.SCHEMAS, Problem=problems.SCHEMA)
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_api(installed: Installation) -> FastAPI:
    """The API of one installation."""
    app = Api(title="Tieout", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.installation = installed
    app.state.gate = open_gate(installed)
    app.add_middleware(LimitBodies, limit=installed.config.gate.max_body_bytes)
    problems.install(app)
    for part in (prebill, exceptions, links, webhooks, inbox, health):
        app.include_router(part.router)
    return app
