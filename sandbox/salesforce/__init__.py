"""A Salesforce org in memory, and the REST interface that a connector sees of it (vendors.md A1 to A5).

    org = SalesforceOrg(clock)
    org.define("Account", {"Name": "string"})
    org.put("Account", {"Name": "Acme"})
    with SalesforceServer(org) as server:
        ...  # POST {server.url}/services/oauth2/token, then GET /services/data/v68.0/query?q=...

Served: the logins by client credentials and JWT bearer, versions, query and queryAll with locators, describe, retrieve,
getDeleted, limits, record counts, Bulk API 2.0 query jobs. Not served: writing over HTTP, SOAP, child subqueries, GROUP
BY.
"""

from sandbox.salesforce.ids import make_id
from sandbox.salesforce.org import SalesforceOrg
from sandbox.salesforce.server import SalesforceServer

__all__ = ["SalesforceOrg", "SalesforceServer", "make_id"]
