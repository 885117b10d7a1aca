"""No error tells a credential, whatever the source quotes."""

import secrets

import pytest

from connectors.errors import CursorLost, LoginRefused, SchemaChanged, TransientError

TOKENS = (
    "00D000000000001AAA!" + secrets.token_urlsafe(48) + "Aa0",
    secrets.token_urlsafe(40) + "Aa0",
    "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl",
)
SENTENCES = (
    "crm did not advance past 2c92a0ff5c4c2c5f015c4d2e2a5f3c7d of Invoice: a page came twice.",
    "crm: GET /services/data/v67.0/sobjects/SBQQ__Subscription__c/deleted was refused with HTTP 400.",
    "crm does not show SBQQ__AmendmentOpportunityRecordTypeId__c, blng__BilledAmountwithouttax__c of Contract.",
    "erp refused a query: Unknown identifier 'custbody_billing_invoice_number_of_the_other_system_2'.",
)


@pytest.mark.parametrize("token", TOKENS, ids=[f"token-{n}" for n in range(len(TOKENS))])
@pytest.mark.parametrize("kind", [CursorLost, LoginRefused, SchemaChanged, TransientError])
@pytest.mark.parametrize(
    "form", ["Session {} is invalid.", "'{}' has expired.", "Authorization=Bearer {}", "token={};"]
)
def test_what_looks_like_a_credential_is_withheld(
    token: str, kind: type[CursorLost | LoginRefused | SchemaChanged | TransientError], form: str
) -> None:
    said = str(kind(form.format(token)))
    assert token not in said
    assert "(withheld)" in said


@pytest.mark.parametrize("header", ["Bearer abc", "Basic dXNlcjpwYXNz"])
def test_what_follows_the_name_of_a_scheme_is_withheld(header: str) -> None:
    assert str(LoginRefused(f"The source refuses {header} here.")) == (
        f"The source refuses {header.partition(' ')[0]} (withheld) here."
    )


@pytest.mark.parametrize("sentence", SENTENCES)
def test_names_paths_and_ids_are_told(sentence: str) -> None:
    assert str(TransientError(sentence, 3.0)) == sentence
