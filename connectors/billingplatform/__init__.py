"""Reads a BillingPlatform organisation, and its current invoices before they are closed."""

from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.connector import BillingPlatform
from connectors.billingplatform.runs import BillingPlatformRuns
from connectors.kind import Kind

KIND = Kind(
    "billingplatform",
    BillingPlatformConfig,
    BillingPlatform,
    secrets=("password", "client_id", "client_secret"),
    options=frozenset({"join"}),
    open_runs=BillingPlatformRuns,
)
