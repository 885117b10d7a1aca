"""Reads a Stripe account, its drafts before they are finalised, and what it posts to us."""

from connectors.kind import Kind
from connectors.stripe.api import StripeConfig
from connectors.stripe.connector import Stripe
from connectors.stripe.runs import StripeRuns
from connectors.stripe.webhook import read

KIND = Kind(
    "stripe",
    StripeConfig,
    Stripe,
    secrets=("api_key",),
    options=frozenset({"expand"}),
    open_runs=StripeRuns,
    webhook=read,
)
