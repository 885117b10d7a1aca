"""Reads a Zuora tenant, and its bill runs before they are posted."""

from connectors.kind import Kind
from connectors.zuora.connector import Zuora, ZuoraConfig
from connectors.zuora.runs import ZuoraRuns

KIND = Kind(
    "zuora",
    ZuoraConfig,
    Zuora,
    secrets=("client_id", "client_secret"),
    options=frozenset({"look_ups"}),
    open_runs=ZuoraRuns,
)
