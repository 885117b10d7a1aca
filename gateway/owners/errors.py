"""What owners.yaml can be wrong about, one sentence per mistake.

GatewayError
└── ConfigError
    └── OwnersError    the file is missing, is not YAML, or names what it does not have
"""

from gateway.errors import ConfigError


class OwnersError(ConfigError):
    """owners.yaml cannot be used as it is."""
