"""A NetSuite account in memory, and a server that answers for it over SuiteQL, SuiteTalk REST and SuiteTalk SOAP.

`NetSuiteAccount` holds the rows, `NetSuiteServer` serves them, `make_key_pair` makes the certificate's keys
and `TokenKeys` are those of token-based authentication.
"""

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.server import NetSuiteServer
from sandbox.netsuite.standard_tables import STANDARD_TABLES, SUITE_BILLING
from sandbox.netsuite.token_keys import TokenKeys
from sandbox.netsuite.tokens import make_key_pair

__all__ = ["STANDARD_TABLES", "SUITE_BILLING", "NetSuiteAccount", "NetSuiteServer", "TokenKeys", "make_key_pair"]
