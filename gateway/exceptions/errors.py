"""What the exception queue can raise. Each text is a sentence for the person who asked.

GatewayError
├── NotFound
│   └── CaseUnknown      there is no case of that reference
├── Refused
│   └── MoveRefused      the case does not allow this now, or this person may not do it
├── ConfigError
│   └── CalendarError    a calendar that does not open
└── AuditBroken          the audit log does not continue where it was sealed: a person has to look at it
"""

from gateway.errors import ConfigError, GatewayError, NotFound, Refused


class CaseUnknown(NotFound):
    """No such case."""


class MoveRefused(Refused):
    """The state of the case, or the person, does not allow it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "move-refused")


class CalendarError(ConfigError):
    """Business time cannot be counted."""


class AuditBroken(GatewayError):
    """The audit log and its seals do not fit together."""
