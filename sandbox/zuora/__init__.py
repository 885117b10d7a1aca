"""A Zuora tenant and its REST API, simulated: ZOQL, object queries, invoices, and bill runs that can be held.

What it takes from vendors.md C2 and D is simulated as it stands there; where that page is silent the stricter
reading was taken. Not there: AQuA, data queries, orders, credit memos, `expand[]`, rating.
"""

from sandbox.zuora.ids import make_id
from sandbox.zuora.schema import STANDARD_OBJECTS
from sandbox.zuora.server import ZuoraServer
from sandbox.zuora.tenant import ZuoraTenant

__all__ = ["STANDARD_OBJECTS", "ZuoraServer", "ZuoraTenant", "make_id"]
