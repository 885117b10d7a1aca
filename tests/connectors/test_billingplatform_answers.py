"""What an answer of BillingPlatform means, decided by its body."""

import re
from typing import Any

import pytest

from connectors.billingplatform.answers import plainly_empty, refusal, rows_of, said, session_ended
from connectors.billingplatform.config import NO_ROWS
from connectors.errors import (
    ConnectorError,
    LoginRefused,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.http import Answer

EMPTY = re.compile(NO_ROWS, re.IGNORECASE)


def _said(status: int, text: object, code: str = "1") -> Answer:
    return Answer(status, {"queryResponse": [{"ErrorCode": code, "ErrorText": text}]})


@pytest.mark.parametrize(
    "body",
    [
        {"ErrorCode": "9", "ErrorText": "Why"},
        {"errors": [{"error_code": "9", "error_text": "Why"}]},
        {"queryResponse": [{"errorcode": "9", "errortext": ["Why"]}]},
        {"retrieveResponse": {"ErrorCode": 9, "message": "Why"}},
        [{"ErrorCode": "9", "ErrorText": "Why"}],
    ],
)
def test_an_error_is_found_wherever_it_stands(body: Any) -> None:
    assert said(Answer(200, body)) == ("9", "Why")
    error = refusal("it", Answer(200, body))
    assert type(error) is PermanentError
    assert str(error) == "it was refused with HTTP 200: Why (ErrorCode 9)."


@pytest.mark.parametrize("code", ["0", "", 0, None])
def test_a_row_is_no_error(code: object) -> None:
    answer = Answer(200, {"queryResponse": [{"Id": "1", "message": "hello", "ErrorCode": code}]})
    assert refusal("it", answer) is None
    assert not session_ended(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_said(400, 'ORA-00904: "NMAE": invalid identifier'), SchemaChanged),
        (_said(404, "Entity ACOUNT does not exist"), SchemaChanged),
        (_said(404, "The table was not found"), SchemaChanged),
        (_said(200, "Unknown column: Nmae"), SchemaChanged),
        (_said(200, "The request timed out"), TransientError),
        (_said(200, "The record is locked by another user"), TransientError),
        (_said(200, "Too many requests"), TransientError),
        (_said(200, "", "503"), TransientError),
        (_said(200, "", "429"), TransientError),
        (_said(200, "You do not have access to INVOICE"), LoginRefused),
        (_said(400, "Insufficient privileges"), LoginRefused),
        (Answer(403, None, text="Forbidden"), LoginRefused),
        (_said(400, "Missing right parenthesis"), PermanentError),
        (Answer(404, None, text='{"ErrorCode": "40'), TransientError),
        (Answer(404, None, text="<html>"), UnknownRecord),
        (Answer(404, {}), UnknownRecord),
    ],
)
def test_an_error_is_named_by_what_to_do(answer: Answer, error: type[ConnectorError]) -> None:
    assert type(refusal("it", answer)) is error


@pytest.mark.parametrize(
    ("answer", "empty"),
    [
        (_said(404, "No rows found"), True),
        (_said(404, "No matching records."), True),
        (_said(404, "Not Found - the request did not return any rows that match the query"), True),
        (Answer(404, None, text="no data"), True),
        (Answer(404, {"queryResponse": []}), True),
        (Answer(404, {"queryResponse": []}, text=""), True),
        (_said(404, "No rows: the entity ACOUNT does not exist"), False),
        (_said(404, "Not Found"), False),
        (Answer(404, {}), False),
        (Answer(404, None, text=""), False),
        (_said(400, "No rows found"), False),
        (_said(200, "No rows found"), False),
    ],
)
def test_a_404_is_empty_only_where_it_plainly_says_so(answer: Answer, empty: bool) -> None:
    assert plainly_empty(answer, EMPTY) is empty


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (Answer(401, None), True),
        (_said(200, "", "401"), True),
        (_said(400, "Session has expired"), True),
        (_said(200, "Invalid session ID"), True),
        (_said(400, "The column Session_Length is wrong"), False),
    ],
)
def test_a_session_that_ended(answer: Answer, ended: bool) -> None:
    assert session_ended(answer) is ended


def test_long_texts_are_cut_and_put_in_one_line() -> None:
    _, text = said(_said(200, "a\n  b " + "x" * 1000))
    assert text.startswith("a b xxx")
    assert len(text) == 400


def test_rows_may_come_without_their_list() -> None:
    assert rows_of("it", Answer(200, {"retrieveResponse": {"Id": "1"}}), "retrieveResponse") == [{"Id": "1"}]
    assert rows_of("it", Answer(200, {"retrieveResponse": {}}), "retrieveResponse") == []
