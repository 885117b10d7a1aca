"""What sending a message can raise, named by what the caller must do.

    AlertError
    ├── TransientError   try the same notice again, not before `retry_after`
    └── PermanentError   do not try again: a person has to change a setting or the receiver

The text is one or two sentences for a person. It never holds a secret: a Slack webhook URL, the path of any
webhook URL, a password and a signing secret stay out of it.
"""

from datetime import timedelta


class AlertError(Exception):
    """A notice was not delivered."""


class TransientError(AlertError):
    """Not delivered now. `retry_after` is how long the receiver asked us to wait, None when it did not say."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(AlertError):
    """Not delivered, and the same notice would be refused again."""
