"""Reads a NetSuite account, by SuiteQL or by SuiteTalk SOAP."""

from collections.abc import Callable
from datetime import datetime

from connectors.contract import Connector
from connectors.kind import Kind
from connectors.mapping import Mapping
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.connector import NetSuite
from connectors.netsuite.soap.connector import NetSuiteSoap


def open_netsuite(config: NetSuiteConfig, mapping: Mapping, clock: Callable[[], datetime]) -> Connector:
    """The connector of the configured transport."""
    keys = config.token_keys
    if config.transport == "soap" and keys is not None:
        return NetSuiteSoap(config, keys, mapping, clock)
    return NetSuite(config, mapping, clock)


KIND = Kind(
    "netsuite",
    NetSuiteConfig,
    open_netsuite,
    secrets=(
        "client_id",
        "certificate_id",
        "private_key_pem",
        "consumer_key",
        "consumer_secret",
        "token_id",
        "token_secret",
    ),
    options=frozenset({"join", "deleted_types", "lines"}),
)
