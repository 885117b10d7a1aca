"""What the gateway refuses, named by what the caller must do.

GatewayError
├── ConfigError       tieout.yaml or the environment is not usable: change it and start again
├── NotFound          there is no such validation, exception or run
├── Refused           the request is understood and not allowed (a conflict, an expired verdict, a wrong role)
└── Unavailable       something that is needed does not answer now: try again later
"""


class GatewayError(Exception):
    """The gateway could not do what was asked. The message is a sentence for the caller."""


class ConfigError(GatewayError):
    """tieout.yaml or the environment is not usable."""


class NotFound(GatewayError):
    """There is no such thing."""


class Refused(GatewayError):
    """Understood, and not allowed."""

    def __init__(self, message: str, kind: str = "refused") -> None:
        super().__init__(message)
        self.kind = kind


class Unavailable(GatewayError):
    """Try again later."""
