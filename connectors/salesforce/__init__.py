"""Reads a Salesforce org: the objects of its CRM, of CPQ and of Revenue Cloud."""

from connectors.kind import Kind
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from connectors.salesforce.reread import OPTION

KIND = Kind(
    "salesforce",
    SalesforceConfig,
    Salesforce,
    secrets=("consumer_key", "consumer_secret", "private_key_pem"),
    options=frozenset({OPTION}),
)
