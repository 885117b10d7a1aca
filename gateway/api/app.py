"""The ASGI application: API and console."""

from fastapi import FastAPI

from gateway import console
from gateway.api.v1 import create_api
from gateway.installation import Installation


def create_app(installed: Installation) -> FastAPI:
    """The application of one installation."""
    app = create_api(installed)
    console.mount(app)
    return app
