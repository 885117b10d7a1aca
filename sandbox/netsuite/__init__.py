"""A NetSuite account in memory, and a server that answers for it over SuiteTalk REST and SuiteQL.

`NetSuiteAccount` holds the rows, `NetSuiteServer` serves them, `make_key_pair` makes the certificate's keys.
"""

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.server import NetSuiteServer
from sandbox.netsuite.standard_tables import STANDARD_TABLES
from sandbox.netsuite.tokens import make_key_pair

__all__ = ["STANDARD_TABLES", "NetSuiteAccount", "NetSuiteServer", "make_key_pair"]
