"""The API does what its OpenAPI document says, whatever it is sent."""

from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema

from gateway.api.v1 import create_api
from tests.gateway.prebill.prebill_fixtures import Worlds
from tests.gateway.prebill.prebill_world import World, invoice, line, question

BOUNDED = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def api(world: World) -> BaseSchema:
    """The API of a world in which one case is open, as somebody who may do everything sees it."""
    world.ask(question(invoice("INV-1", "ZA-1", line(unit_price="41.00"))))
    app = create_api(world.installed)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    schema.config.update(headers={"Authorization": f"Bearer {world.key()}"})
    return schema


documented = schemathesis.pytest.from_fixture("api")


@documented.parametrize()
@BOUNDED
def test_every_answer_is_as_documented(case: schemathesis.Case) -> None:
    case.call_and_validate()
