"""SuiteTalk SOAP through zeep: the transport for accounts that are still on it (vendors.md B2 to B5).

It sees customers and transactions with their lines, and neither subscriptions nor revenue.
"""
