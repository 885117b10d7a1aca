"""The crosswalk: which records of several systems are one customer.

Declared fields join first (books/accounts.py). What they leave alone is compared by number and by name; what looks
alike is a proposal, and joins nothing until a person confirms it.
"""
