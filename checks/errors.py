"""What can go wrong with a check.

ChecksError
├── DeclarationError   a check, a setting or a formula is written wrongly: refused at start
└── ArithmeticFault    a finding's terms do not compute: the check is not evaluated
"""


class ChecksError(Exception):
    """A check could not be used."""


class DeclarationError(ChecksError):
    """A check, a setting or a formula is written wrongly."""


class ArithmeticFault(ChecksError):
    """The terms of a candidate finding do not compute."""
