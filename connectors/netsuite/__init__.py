"""Reads a NetSuite account."""

from connectors.kind import Kind
from connectors.netsuite.connector import NetSuite, NetSuiteConfig

KIND = Kind(
    "netsuite",
    NetSuiteConfig,
    NetSuite,
    secrets=("client_id", "certificate_id", "private_key_pem"),
    options=frozenset({"join", "deleted_types"}),
)
