"""What can go wrong with the books.

BooksError
├── TransientError   another writer was faster, the storage did not answer: trying again helps
└── PermanentError   a table or a snapshot is not what it must be: a person has to look
"""


class BooksError(Exception):
    """The books could not do what was asked."""


class TransientError(BooksError):
    """Trying again helps."""


class PermanentError(BooksError):
    """Trying again does not help."""
