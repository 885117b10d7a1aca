"""What the account answers when it will not do as asked.

Refusal                     any of them, with HTTP status, o:errorCode and detail
├── QueryRefused            400 INVALID_PARAMETER: the statement
│   ├── RecordNotFound      no such table, or the role may not see it
│   └── UnknownIdentifier   no such column, or not one that a query can read
├── RequestRefused          400: a header, a parameter or the body
├── LoginRefused            401 INVALID_LOGIN
├── MissingRecord           404 NONEXISTENT_ID
├── ConcurrencyRefused      429 CONCURRENCY_LIMIT_EXCEEDED
└── Fault                   500 and above: the account's own trouble
"""

from collections.abc import Mapping

_TYPE_URL = "https://www.rfc-editor.org/rfc/rfc9110.html#section-"
_KINDS: Mapping[int, tuple[str, str]] = {
    400: ("15.5.1", "Bad Request"),
    401: ("15.5.2", "Unauthorized"),
    404: ("15.5.5", "Not Found"),
    429: ("15.5", "Too Many Requests"),
    500: ("15.6.1", "Internal Server Error"),
}


class Refusal(Exception):
    """An answer other than 200, with the body that goes with it (vendors.md B7)."""

    status = 400
    code = "INVALID_PARAMETER"

    def __init__(self, detail: str, *, query_param: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.query_param = query_param

    def body(self) -> dict[str, object]:
        """The JSON object of the reply: type, title, status, o:errorDetails."""
        section, title = _KINDS[self.status]
        error = {"detail": self.detail, "o:errorCode": self.code}
        if self.query_param is not None:
            error["o:errorQueryParam"] = self.query_param
        return {
            "type": _TYPE_URL + section,
            "title": title,
            "status": self.status,
            "o:errorDetails": [error],
        }


class QueryRefused(Refusal):
    """The statement cannot be answered; `reason` says why."""

    def __init__(self, reason: str) -> None:
        detail = f"Invalid search query. Detailed unprocessed description follows. {reason}"
        super().__init__(detail, query_param="q")


class RecordNotFound(QueryRefused):
    """Unknown and forbidden tables look the same to the caller (vendors.md B7)."""

    def __init__(self, table: str) -> None:
        super().__init__(f"Search error occurred: Record '{table}' was not found.")


class UnknownIdentifier(QueryRefused):
    """`sources` are the aliases in reach with their tables, which the message lists."""

    def __init__(self, name: str, sources: Mapping[str, str]) -> None:
        reach = ", ".join(f"{alias}={table}" for alias, table in sources.items())
        super().__init__(f"Search error occurred: Unknown identifier '{name}'. Available identifiers are: {{{reach}}}")


class RequestRefused(Refusal):
    """A request that is wrong before its statement is looked at."""

    def __init__(self, detail: str, *, code: str = "INVALID_PARAMETER", query_param: str | None = None) -> None:
        super().__init__(detail, query_param=query_param)
        self.code = code


class LoginRefused(Refusal):
    status = 401
    code = "INVALID_LOGIN"


class MissingRecord(Refusal):
    status = 404
    code = "NONEXISTENT_ID"


class ConcurrencyRefused(Refusal):
    """More requests at once than the account's pool allows (vendors.md B5, B7)."""

    status = 429
    code = "CONCURRENCY_LIMIT_EXCEEDED"

    def __init__(self) -> None:
        super().__init__("Concurrent request limit exceeded. Request blocked.")

    def body(self) -> dict[str, object]:
        return {**super().body(), "o:errorCode": "USER_ERROR"}


class ServerFault(Refusal):
    """The account's own failure; support asks for the id."""

    status = 500
    code = "UNEXPECTED_ERROR"

    def __init__(self, error_id: str) -> None:
        super().__init__(f"An unexpected error occurred. Error ID: {error_id}")
