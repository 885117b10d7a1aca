"""What can go wrong when a source is read, named by what the caller must do.

ConnectorError
├── TransientError          trying again later helps: 429, 5xx, time-outs, a dropped connection
├── PermanentError          trying again does not help: a person has to change something
│   ├── LoginRefused        the credentials or the role are refused
│   ├── SchemaChanged       an object or field that the mapping names is not visible
│   │   └── NotVisible      the object itself is not: a permission is missing, or a feature is off
│   ├── UnknownRecord       the source does not know the record that was asked for
│   ├── WebhookRefused      what was posted to us is not what it claims to be
│   │   └── UnreadableMessage   it comes from whom it says, and is not a message
│   └── MappingError        a mapping file is written wrongly
└── CursorLost              the source forgot the position: read again from the last watermark

A message never holds a credential, a token or a URL with a query string. Sources quote what they refuse, so what looks
like a credential is taken out of every message.
"""

import re

# A header's value; a signed assertion; a run of forty and more in both cases and with digits, which no name or id has.
_CREDENTIALS = re.compile(
    r"(?<=Bearer )\S+|(?<=Basic )\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|(?<![\w+=~!-])(?=[^\s/.]*\d)(?=[^\s/.]*[a-z])(?=[^\s/.]*[A-Z])[\w+=~!-]{40,}"
)


class ConnectorError(Exception):
    """A source could not be read."""

    def __init__(self, message: str) -> None:
        super().__init__(_CREDENTIALS.sub("(withheld)", message))


class TransientError(ConnectorError):
    """Trying again later helps. `retry_after` is what the source asked for, in seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(ConnectorError):
    """Trying again does not help."""


class LoginRefused(PermanentError):
    """The credentials or the role are refused."""


class SchemaChanged(PermanentError):
    """An object or field that the mapping names is not visible to the integration user."""


class NotVisible(SchemaChanged):
    """The object itself is not visible: a permission is missing, or a feature of the source is off."""


class UnknownRecord(PermanentError):
    """The source does not know the record."""


class WebhookRefused(PermanentError):
    """The signature of a webhook is missing, wrong or too old, or its body is not a message."""


class UnreadableMessage(WebhookRefused):
    """The sender is who it says, and the body is not a message that names records."""


class MappingError(PermanentError):
    """A mapping file is written wrongly."""


class CursorLost(ConnectorError):
    """The source forgot the position of a walk."""
