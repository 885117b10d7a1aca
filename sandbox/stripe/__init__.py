"""A Stripe account that tests can write to and break, behind the API that Stripe has."""

from sandbox.stripe.account import StripeAccount
from sandbox.stripe.server import StripeServer

__all__ = ["StripeAccount", "StripeServer"]
