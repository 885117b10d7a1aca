"""What others post to a files source: checked, and written as a file of it, where the next poll takes it.

There is one way into the books: the files connector reads what arrived here as it reads any other file.
"""

from gateway.inbox.inbox import Inbox, Received

__all__ = ["Inbox", "Received"]
