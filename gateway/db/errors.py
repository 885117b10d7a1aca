"""What the database layer can raise.

StateError
├── AddressError    the setting does not name a PostgreSQL database: correct TIEOUT_DATABASE_URL
└── EmbeddedError   the private server could not be set up, started or stopped on this machine
"""


class StateError(Exception):
    """The operational state cannot be reached."""


class AddressError(StateError):
    """The address is not one of a PostgreSQL database."""


class EmbeddedError(StateError):
    """The private PostgreSQL server does not run; the text says which step failed and what it said."""
