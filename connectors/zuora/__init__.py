"""Reads a Zuora tenant, its bill runs before they are posted, and its callouts."""

from connectors.kind import Kind
from connectors.zuora import callout
from connectors.zuora.connector import Zuora, ZuoraConfig
from connectors.zuora.runs import ZuoraRuns

KIND = Kind(
    "zuora",
    ZuoraConfig,
    Zuora,
    secrets=("client_id", "client_secret"),
    options=frozenset({"look_ups"}),
    open_runs=ZuoraRuns,
    webhook=callout.read,
)
