"""What the organisation answers when it will not do as asked; its bodies say `ErrorCode` and `ErrorText`.

Refusal                  any of them, with HTTP status and code
├── BadRequest           400: the statement or the body
│   └── UnknownColumn    400: no such column, or not one that the role sees
├── NoSession            401: no session, or one that has ended
├── UnknownEntity        404: no such entity, or not one that the role sees
├── NoRows               404: a query or a retrieval that nothing matches (vendors.md C1)
├── TooMany              429
└── FieldRefused         inside a 200: one object of a request, whose others may have been done
"""


class Refusal(Exception):
    status = 400

    def body(self) -> dict[str, object]:
        return {"ErrorCode": str(self.status), "ErrorText": str(self)}


class BadRequest(Refusal):
    pass


class UnknownColumn(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f'Invalid column: "{name}" is not a field that can be read here.')


class NoSession(Refusal):
    status = 401

    def __init__(self) -> None:
        super().__init__("Unauthorized - no valid session ID was provided.")


class UnknownEntity(Refusal):
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f'Invalid entity: "{name}" does not exist.')


class NoRows(Refusal):
    status = 404

    def __init__(self) -> None:
        super().__init__("Not Found - the request did not return any rows.")


class TooMany(Refusal):
    status = 429

    def __init__(self) -> None:
        super().__init__("Too Many Requests - space the requests out.")


class FieldRefused(Exception):
    """`field` is what the reply calls ErrorElementField."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field
