"""The whole contract of a channel: one method, two errors."""

from dataclasses import dataclass
from typing import Protocol

from alerts.message import Notice


@dataclass(frozen=True)
class Receipt:
    """The receiver has the message. `reference` is what it can be found by: a Message-ID, a request id, a status."""

    reference: str


class Channel(Protocol):
    def send(self, notice: Notice) -> Receipt:
        """Hand the notice over once, without retrying.

        Raises TransientError when the same notice should be sent again later, PermanentError when that would
        not help. After a TransientError the receiver may have the message all the same.
        """
        ...
