"""Reads a Salesforce org: the objects of its CRM and of CPQ."""

from connectors.kind import Kind
from connectors.salesforce.connector import Salesforce, SalesforceConfig

KIND = Kind("salesforce", SalesforceConfig, Salesforce, secrets=("consumer_key", "consumer_secret"))
