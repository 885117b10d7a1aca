"""A BillingPlatform organisation in memory, and a server that answers for it over REST 2.0.

`Organisation` holds the records and what the user's role may see; `BillingPlatformServer` serves it.
"""

from sandbox.billingplatform.organisation import Organisation
from sandbox.billingplatform.schema import STANDARD_ENTITIES
from sandbox.billingplatform.server import BillingPlatformServer

__all__ = ["STANDARD_ENTITIES", "BillingPlatformServer", "Organisation"]
