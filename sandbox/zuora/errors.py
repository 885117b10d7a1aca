"""What the simulator refuses, by the shape in which Zuora says it (vendors.md C2, "Error envelopes").

Refusal
├── Fault        a ZOQL action: a code such as MALFORMED_QUERY, HTTP 400
├── Rejection    a v1 operation: HTTP 200 with success:false and an eight-digit code
├── BadRequest   an object query, or a request that is not readable at all: HTTP 400
└── Unauthorized no valid token: HTTP 401
"""

# The two keys of a fault body are not confirmed by a vendor page (vendors.md C2, mark G): change them here,
# or per server with `ZuoraServer(fault_keys=…)`.
FAULT_KEYS = ("faultCode", "faultMessage")
FAULT_STATUS = 400

# The last two digits of a v1 error code say what kind of error it is (developer.zuora.com, "Error codes").
AUTHENTICATION = 11
INVALID_VALUE = 20
MISSING_FIELD = 22
INVALID_PARAMETER = 27
RULE = 30
NOT_FOUND = 40
LOCKED = 50
MALFORMED = 90

# The first six digits name a resource; this one means "unknown", which GET and DELETE always answer.
UNKNOWN_RESOURCE = 500000


class Refusal(Exception):
    """The tenant does not do what was asked; the message is the sentence that the caller reads."""


class Fault(Refusal):
    """A ZOQL call is refused: MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE, INVALID_VALUE or
    INVALID_QUERY_LOCATOR."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rejection(Refusal):
    """A v1 operation is refused for a reason of the given category."""

    def __init__(self, category: int, message: str) -> None:
        super().__init__(message)
        self.code = UNKNOWN_RESOURCE * 100 + category


class BadRequest(Refusal):
    """The request cannot be read or names what cannot be asked."""

    def __init__(self, category: int, message: str) -> None:
        super().__init__(message)
        self.code = UNKNOWN_RESOURCE * 100 + category


class Unauthorized(Refusal):
    """The request carries no token, or one that is unknown, revoked or expired."""
