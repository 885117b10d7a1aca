"""SuiteTalk SOAP for the simulated account: the same rows as its REST side, as typed records (vendors.md B3 to B5).

Replies are rendered by zeep from the web service in `wsdl/`, so that the order of elements and their namespaces are
right by construction; requests are read by it too, strictly.
"""
