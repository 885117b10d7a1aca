"""What the simulated API refuses, with the vendor's error codes (vendors.md A2, A4).

ApiError                   one JSON array of one error
├─ SoqlError               knows where in the query text it is
│  ├─ MalformedQuery       400 MALFORMED_QUERY
│  ├─ InvalidField         400 INVALID_FIELD
│  ├─ InvalidType          400 INVALID_TYPE
│  ├─ InvalidFilter        400 INVALID_QUERY_FILTER_OPERATOR
│  └─ OffsetTooLarge       400 NUMBER_OUTSIDE_VALID_RANGE
├─ InvalidLocator          400 INVALID_QUERY_LOCATOR
├─ InvalidReplicationDate  400 INVALID_REPLICATION_DATE
├─ IdLimitExceeded         400 EXCEEDED_ID_LIMIT
├─ InvalidJob              400 INVALIDJOB
├─ InvalidJobState         400 INVALIDJOBSTATE
├─ JobLimitExceeded        400 EXCEEDED_QUOTA
├─ UnreadableBody          400 JSON_PARSER_ERROR
├─ InvalidSession          401 INVALID_SESSION_ID
├─ RequestLimitExceeded    403 REQUEST_LIMIT_EXCEEDED
├─ NotFound                404 NOT_FOUND
├─ EntityDeleted           404 ENTITY_IS_DELETED
├─ VersionConflict         409 API_VERSION_MISMATCH
└─ MethodNotAllowed        405 METHOD_NOT_ALLOWED
"""

_SNIPPET = 40


class ApiError(Exception):
    """An answer other than 200. `status` is the HTTP status, `code` the vendor's errorCode."""

    status = 400
    code = "UNKNOWN_EXCEPTION"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    @property
    def message(self) -> str:
        return self.sentence


class SoqlError(ApiError):
    """A query that is not answered. `at` is the offset in the query text; `within` names that text."""

    def __init__(self, sentence: str, at: int) -> None:
        super().__init__(sentence)
        self.at = at
        self._text = ""

    def within(self, text: str) -> "SoqlError":
        self._text = text
        return self

    @property
    def message(self) -> str:
        """The vendor's layout: the query around the place, a caret under it, row and column, the sentence."""
        if not self._text:
            return self.sentence
        start = max(0, self.at - _SNIPPET)
        around = " ".join(self._text[start : self.at + _SNIPPET].splitlines())
        caret = " " * (self.at - start) + "^"
        return f"\n{around}\n{caret}\nERROR at Row:1:Column:{self.at + 1}\n{self.sentence}"


class MalformedQuery(SoqlError):
    code = "MALFORMED_QUERY"


class InvalidField(SoqlError):
    code = "INVALID_FIELD"


class InvalidType(SoqlError):
    code = "INVALID_TYPE"


class InvalidFilter(SoqlError):
    code = "INVALID_QUERY_FILTER_OPERATOR"


class OffsetTooLarge(SoqlError):
    code = "NUMBER_OUTSIDE_VALID_RANGE"


class InvalidLocator(ApiError):
    code = "INVALID_QUERY_LOCATOR"

    def __init__(self) -> None:
        super().__init__("invalid query locator")


class InvalidReplicationDate(ApiError):
    code = "INVALID_REPLICATION_DATE"


class IdLimitExceeded(ApiError):
    code = "EXCEEDED_ID_LIMIT"


class InvalidJob(ApiError):
    code = "INVALIDJOB"


class InvalidJobState(ApiError):
    code = "INVALIDJOBSTATE"


class JobLimitExceeded(ApiError):
    code = "EXCEEDED_QUOTA"

    def __init__(self) -> None:
        super().__init__("ApiQueryV2Jobs Limit exceeded.")


class UnreadableBody(ApiError):
    code = "JSON_PARSER_ERROR"

    def __init__(self) -> None:
        super().__init__("The body is no JSON object")


class VersionConflict(ApiError):
    status, code = 409, "API_VERSION_MISMATCH"


class InvalidSession(ApiError):
    status, code = 401, "INVALID_SESSION_ID"

    def __init__(self) -> None:
        super().__init__("Session expired or invalid")


class RequestLimitExceeded(ApiError):
    status, code = 403, "REQUEST_LIMIT_EXCEEDED"

    def __init__(self) -> None:
        super().__init__("TotalRequests Limit exceeded.")


class NotFound(ApiError):
    status, code = 404, "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("The requested resource does not exist")


class EntityDeleted(ApiError):
    status, code = 404, "ENTITY_IS_DELETED"

    def __init__(self) -> None:
        super().__init__("entity is deleted")


class MethodNotAllowed(ApiError):
    status, code = 405, "METHOD_NOT_ALLOWED"

    def __init__(self, method: str) -> None:
        super().__init__(f"HTTP Method '{method}' not allowed.")
