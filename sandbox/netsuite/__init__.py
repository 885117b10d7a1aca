"""A NetSuite account in memory, and a server that answers for it over SuiteTalk REST and SuiteQL."""

from sandbox.netsuite.account import NetSuiteAccount

__all__ = ["NetSuiteAccount"]
