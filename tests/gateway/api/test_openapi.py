"""The API does what its OpenAPI document says, whatever it is sent."""

import secrets
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from gateway.api.v1 import create_api
from gateway.prebill.answer import Answer
from tests.gateway.prebill.prebill_world import World, invoice, line, question

ASK = "POST /v1/prebill/validations"
EXCLUDED: dict[str, list[CheckFunction]] = {
    # One value is a list of one in a query: what should break a filter's type is a good filter once it is sent.
    "GET /v1/exceptions": [negative_data_rejection],
    "GET /v1/links": [negative_data_rejection],
    # A schema cannot say that ids are given once, or that a period ends after it starts.
    ASK: [positive_data_acceptance],
}
BOUNDED = settings(
    max_examples=15,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_every_answer_is_as_documented(world: World) -> None:
    """With good requests and bad ones, in a world in which one case is open."""
    world.ask(question(invoice("INV-1", "ZA-1", line(unit_price="41.00"))))
    api = schemathesis.openapi.from_asgi("/openapi.json", create_api(world.installed))
    api.validate()
    headers = {"Authorization": f"Bearer {world.key()}"}
    asked = 0
    for found in api.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        takes_anything = any(operation.iter_parameters()) or bool(operation.body)
        for mode in GenerationMode if takes_anything else (GenerationMode.POSITIVE,):

            @BOUNDED
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case[Any]) -> None:
                nonlocal asked
                asked += 1
                excluded = EXCLUDED.get(case.operation.label, [])
                case.call_and_validate(headers=headers, excluded_checks=excluded)

            ask()
    assert asked > 200


def test_the_document_names_every_problem_and_every_answer(world: World) -> None:
    document = create_api(world.installed).openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, reply in operation["responses"].items():
                kind = "application/problem+json" if status >= "400" else "application/json"
                (content,) = reply["content"].items()
                assert content[0] in (kind, "text/plain"), (path, status)
                assert content[1]["schema"], (path, status)
    asking = document["paths"]["/v1/prebill/validations"]["post"]
    assert asking["requestBody"]["required"] is True
    assert asking["security"] == [{"api_key": []}]
    assert set(asking["responses"]) == {"200", "400", "401", "403", "404", "409", "413", "422", "503"}
    assert set(document["components"]["schemas"]["Answer"]["required"]) == set(Answer.__struct_fields__)


def test_a_good_question_about_a_billing_source_is_answered_whatever_it_holds(world: World) -> None:
    """Drafts of all sizes, centuries and currencies, some of them for a customer and a charge that there are."""
    api = schemathesis.openapi.from_asgi("/openapi.json", create_api(world.installed))
    operation = api["/v1/prebill/validations"]["POST"]
    headers = {"Authorization": f"Bearer {world.key()}"}
    answered = 0

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: Case[Any]) -> None:
        nonlocal answered
        body: Any = case.body
        assume(body.get("invoices"))
        body["run"]["system"] = "zuora"
        for number, said in enumerate(body["invoices"]):
            said["id"], said["account_id"] = f"INV-{number}", ("ZA-1", "nobody")[number % 2]
            for place, each in enumerate(said["lines"]):
                each["id"], each["charge_id"] = f"L-{number}-{place}", "C-1"
                each["period_end"] = each.get("period_start")
                each["tax"] = None  # which may add up to more than an invoice can hold
        fresh = {**headers, "Idempotency-Key": secrets.token_hex(8)}
        reply = case.call_and_validate(headers=fresh, excluded_checks=EXCLUDED[ASK])
        assert reply.status_code == 200, reply.text
        answered += 1

    ask()
    assert answered > 5
